"""Training on documents with images: a tiny LLaVA learns what only its images say, and extraction shows them to it."""

import json
from collections import Counter

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_documents, write_documents
from abroad.documents.images import without_images
from abroad.documents.instructions import Task
from abroad.experiments.tuning.settings import ImageTrainSettings
from abroad.models.lora import LoraShape, add_lora, language_part
from abroad.models.resolve import resolve_model
from abroad.models.vision import read_resolution
from abroad.training.images import mixed, training_images
from abroad.training.settings import TrainSettings
from abroad.training.stage import train_stage
from tests.conftest import make_document
from tests.visual import FAMILIES, save_visual_model

COLOURS = ("red", "blue", "green", "white")


@pytest.fixture(scope="module")
def llava(smollm2, tmp_path_factory):
    return save_visual_model(smollm2, tmp_path_factory.mktemp("visual") / "llava", "llava", hidden=64)


@pytest.fixture
def papers(tmp_path):
    """Four documents of one text, each with a figure whose colour says what was isolated."""
    from PIL import Image

    made = []
    for colour in COLOURS:
        Image.new("RGB", (40, 40), colour).save(tmp_path / f"{colour}.png")
        document = make_document(colour, "Usnea.", "See the figure.", [("Usnea", colour)])
        document.extra["images"] = [f"{colour}.png"]
        made.append(document)
    write_documents(tmp_path / "docs.jsonl", made)
    return tmp_path / "docs.jsonl"


def settings_for(model, **changes):
    values = {"epochs": 2, "learning_rate": 1e-2, "batch_size": 4, "gradient_accumulation_steps": 1, "warmup_steps": 0}
    more = {"lora_dropout": 0.0, "resolution": 56, "keep_every": 0, "validation_max_new_tokens": 2}
    return TrainSettings(model=str(model), **{**values, **more, **changes})


def losses(out):
    return [json.loads(line)["loss"] for line in (out / "metrics.jsonl").read_text().splitlines()]


def test_what_only_the_images_say_is_learnt_and_extracted(llava, papers, tmp_path, cli):
    settings = settings_for(llava, epochs=30, lora_rank=32, lora_alpha=64)
    train_stage([papers], None, tmp_path / "model", settings, Context())
    course = losses(tmp_path / "model")
    assert course[-1] < 0.1 < course[0]  # four texts are one: without its images none is better than one in four
    command = ["extract", papers, "--model", tmp_path / "model", "--num-beams", 1, "--max-new-tokens", 24]
    assert cli(*command, "--out", tmp_path / "p.jsonl").exit_code == 0
    found = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    assert {p["id"]: [r["chemical"] for r in p["relations"]] for p in found} == {c: [c] for c in COLOURS}
    assert cli(*command, "--out", tmp_path / "blind.jsonl", "--resolution", 0).exit_code == 0
    blind = [json.loads(line)["relations"] for line in (tmp_path / "blind.jsonl").read_text().splitlines()]
    assert len({json.dumps(relations) for relations in blind}) == 1
    _of_several_inputs(command[2:], tmp_path, cli)


def _of_several_inputs(options, tmp_path, cli):
    """Each file's images count from where it lies, whatever the others are; what cannot be shown is counted."""
    from PIL import Image

    files = []
    for colour in COLOURS[:2]:
        folder = tmp_path / f"about {colour}"
        folder.mkdir()
        Image.new("RGB", (40, 40), colour).save(folder / "figure.png")
        document = make_document(colour, "Usnea.", "See the figure.", [])
        document.extra["images"] = ["figure.png", "none.png"]
        write_documents(folder / "docs.jsonl", [document])
        files.append(folder / "docs.jsonl")
    result = cli("extract", *files, *options, "--out", tmp_path / "both.jsonl")
    assert result.exit_code == 0 and "2 images could not be shown" in result.stderr
    found = [json.loads(line) for line in (tmp_path / "both.jsonl").read_text().splitlines()]
    assert {p["id"]: [r["chemical"] for r in p["relations"]] for p in found} == {c: [c] for c in COLOURS[:2]}
    told = [json.loads(line) for line in (tmp_path / "both.jsonl.abroad" / "rejects.jsonl").read_text().splitlines()]
    assert [(item["where"], "none.png: no such file" in item["reason"]) for item in told] == [
        (f"document {colour}", True) for colour in COLOURS[:2]
    ]
    elsewhere = [*options, "--out", tmp_path / "all.jsonl", "--images-from", files[1].parent]
    assert cli("extract", *files, *elsewhere).exit_code == 0
    found = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert {r["chemical"] for p in found for r in p["relations"]} == {COLOURS[1]}
    nowhere = cli("extract", *files, *options, "--out", tmp_path / "no.jsonl", "--images-from", tmp_path / "nowhere")
    assert nowhere.exit_code == 2 and "nowhere: no such folder" in nowhere.stderr


def test_a_run_is_known_by_the_content_of_its_images(llava, papers, tmp_path):
    from PIL import Image

    settings = settings_for(llava, epochs=1)
    first = train_stage([papers], None, tmp_path / "model", settings, Context())
    assert train_stage([papers], None, tmp_path / "model", settings, Context()).resumed_from == first.steps
    Image.new("RGB", (40, 40), "black").save(papers.parent / "red.png")
    assert train_stage([papers], None, tmp_path / "model", settings, Context()).resumed_from == 0


def test_an_image_that_cannot_be_shown_is_set_aside_and_its_document_is_read(llava, papers, tmp_path):
    (papers.parent / "red.png").write_bytes(b"no picture")
    (papers.parent / "blue.png").unlink()
    context = Context()
    report = train_stage([papers], None, tmp_path / "model", settings_for(llava, epochs=1), context)
    assert report.examples == 4 and [item["where"] for item in context.rejects.items] == ["red", "blue"]
    assert "not an image" in context.rejects.items[0]["reason"] and "no such file" in context.rejects.items[1]["reason"]


def test_an_image_that_the_model_refuses_costs_itself_only(smollm2, tmp_path):
    from PIL import Image

    Image.new("RGB", (40, 24), "red").save(tmp_path / "good.png")
    Image.new("RGB", (2000, 1), "red").save(tmp_path / "thin.png")
    source = resolve_model(str(save_visual_model(smollm2, tmp_path / "m", "qwen2-vl")))
    reader = training_images(source, settings_for("m", resolution=672))
    encoded, context = [], Context()
    for names in (["good.png", "thin.png"], ["good.png"], ["thin.png"], []):
        document = make_document("1", "Usnea.", "See the figure.", [])
        document.extra["images"] = [str(tmp_path / name) for name in names]
        encoded.append(reader.encode(document, (1, 2, 3), context))
    assert encoded[0] == encoded[1] and encoded[2] == encoded[3] == ((1, 2, 3), ())
    assert encoded[0][1] == (tmp_path / "good.png",)
    assert ["thin.png: the model's processor refuses it" in item["reason"] for item in context.rejects.items] == [
        True
    ] * 2
    assert context.rejects.summary().startswith("2 image(s) set aside")


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("quantization", ["none", "nf4"])
def test_every_family_learns_with_its_tower_frozen(family, quantization, smollm2, papers, tmp_path):
    if quantization == "nf4":
        pytest.importorskip("bitsandbytes")
    model = save_visual_model(smollm2, tmp_path / family, family, hidden=64)
    documents = read_documents(papers)
    documents[1].extra.pop("images")  # text among images, in one batch
    write_documents(papers, documents)
    changes = {"epochs": 6, "quantization": quantization, "gradient_checkpointing": quantization == "nf4"}
    report = train_stage([papers], papers, tmp_path / "out", settings_for(model, **changes), Context())
    assert report.best_f1 is not None
    course = losses(tmp_path / "out")
    assert course[-1] < course[0] - 0.1
    from safetensors import safe_open

    with safe_open(tmp_path / "out" / "adapter_model.safetensors", "pt") as tensors:
        names = list(tensors.keys())
    assert names and all(".language_model." in name for name in names)
    assert json.loads((tmp_path / "out" / "images.json").read_text()) == {"resolution": 56}


@pytest.mark.parametrize("family", FAMILIES)
def test_targets_mean_layers_of_the_language_model(family, smollm2):
    model, _ = FAMILIES[family](smollm2)
    assert language_part(model).endswith("language_model")
    adapted = add_lora(model, LoraShape(4, 8, 0.0, 0, ("q_proj", "v_proj")))
    trained = {name for name, value in adapted.named_parameters() if value.requires_grad}
    assert len(trained) == 2 * 2 * 2 and all("language_model" in name for name in trained)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pack": True}, "rows of several examples are text"),
        ({"text_share": 0.5}, "none of the 4 documents has images"),
        ({"resolution": 0, "text_share": 0.5}, "text_share 0.5: expected a resolution above 0 too"),
    ],
    ids=["pack", "no images", "no resolution"],
)
def test_what_does_not_go_with_images_is_refused_in_words(changes, message, llava, papers, tmp_path):
    if "text_share" in changes:
        documents = read_documents(papers)
        for document in documents:
            document.extra.clear()
        write_documents(papers, documents)
    with pytest.raises(InputError, match=message):
        train_stage([papers], None, tmp_path / "out", settings_for(llava, **changes), Context())


def test_a_model_that_reads_text_only_is_refused_in_words(cli, tiny_model, papers, tmp_path, monkeypatch, llava):
    command = ["train", papers, "--model", tiny_model, "--out", tmp_path / "out", "--resolution", 224]
    refused = cli(*command)
    assert refused.exit_code == 2 and "reads text only; expected a model such as LLaVA" in refused.stderr
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(InputError, match="expected one process"):
        train_stage([papers], None, tmp_path / "out", settings_for(llava), Context())


def items(shown, plain):
    made = [make_document(f"s{n}", "T.", "A.", []) for n in range(shown)]
    for document in made:
        document.extra |= {"images": ["a.png"], "year": 2020}
    half = plain // 2
    made += [make_document(f"p{n}", "T.", "A.", []) for n in range(half)]
    return [*made, *(Task(f"t{n}", "generated", "Say.", "", "Yes.") for n in range(plain - half))]


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("plain", [0, 3, 40])
def test_the_share_without_images_is_what_was_asked_for(share, plain):
    given = items(10, plain)
    made = mixed(given, share, 1)
    shown = [item for item in made if getattr(item, "extra", {}).get("images")]
    assert len(shown) == 10 and len(made) - 10 == round(10 * share / (1 - share))
    text = [item for item in made if item not in shown]
    from_plain = [item for item in text if item in given]
    assert len(from_plain) == min(plain, len(text))  # what has no images goes first
    assert all(item.extra == {"year": 2020} for item in text if item not in given)
    copies = Counter(item.id for item in text if item not in given)
    assert not copies or max(copies.values()) <= -(-(len(text) - len(from_plain)) // 10)
    assert mixed(given, share, 1) == made


def test_without_a_share_all_stays_and_with_all_of_it_no_image_does():
    given = items(3, 4)
    assert mixed(given, None, 0) == given
    whole = mixed(given, 1.0, 0)
    assert [item.id for item in whole] == [item.id for item in given]
    assert not any(getattr(item, "extra", {}).get("images") for item in whole) and given[0].extra["images"]


def test_what_is_not_shown_and_what_is_left_out_is_said(llava, papers, tmp_path):
    said = []
    context = Context(say=said.append)
    train_stage([papers], None, tmp_path / "blind", settings_for(llava, epochs=1, resolution=0), context)
    assert "4 documents have images; none is shown, since the resolution is 0" in said
    documents = read_documents(papers)
    for document in documents[2:]:
        document.extra.clear()
    write_documents(papers, documents)
    train_stage([papers], None, tmp_path / "some", settings_for(llava, epochs=1, text_share=0.2), context)
    assert "2 of 2 examples without images are left out, for a text_share of 0.2" in said


def test_a_run_with_images_is_replayed_with_them(llava, papers, tmp_path, cli, monkeypatch):
    settings = settings_for(llava, epochs=1, batch_size=2)
    train_stage([papers], None, tmp_path / "model", settings, Context())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")  # images count from the file of the documents
    again = cli("train", "replay", tmp_path / "model", papers, "--updates", 2)
    assert again.exit_code == 0 and "2 of 2 updates have the same data" in again.stdout, again.stderr
    then_and_now = [line.split("loss ")[1].split(" then, ") for line in again.stdout.splitlines() if "then" in line]
    assert len(then_and_now) == 2 and all(now == f"{then} now" for then, now in then_and_now)


@pytest.mark.parametrize(
    ("kind", "given", "alpha"),
    [
        (TrainSettings, {"lora_rank": 32}, 16),
        (TrainSettings, {"lora_rank": 32, "resolution": 336}, 64),
        (TrainSettings, {"lora_rank": 32, "resolution": 336, "lora_alpha": 8}, 8),
        (ImageTrainSettings, {}, 128),
        (ImageTrainSettings, {"lora_rank": 32}, 64),
        (ImageTrainSettings, {"lora_rank": 32, "lora_alpha": 16}, 16),
    ],
)
def test_with_images_the_scale_follows_the_rank(kind, given, alpha):
    settings = kind(**given)
    assert settings.lora_alpha == alpha and settings.replace(seed=1).lora_alpha == alpha


@pytest.fixture
def nothing_loads(monkeypatch):
    import abroad.models.load
    import abroad.release.grid  # before its names are replaced: it would keep these

    def refused(*_, **__):
        raise AssertionError("a model is loaded")

    for name in ("load_model", "empty_model", "load_tokenizer"):
        monkeypatch.setattr(abroad.models.load, name, refused)
        monkeypatch.setattr(f"abroad.release.grid.{name}", refused, raising=False)


def test_what_would_not_count_images_refuses_before_anything_loads(llava, papers, tmp_path, cli, request):
    train_stage([papers], None, tmp_path / "model", settings_for(llava, epochs=1), Context())
    request.getfixturevalue("nothing_loads")
    measured = cli("release", "compress", tmp_path / "model", "--dev", papers, "--out", tmp_path / "small")
    planned = cli("train", papers, "--model", llava, "--out", tmp_path / "other", "--plan")
    for result in (measured, planned):
        assert result.exit_code == 2 and "images" in result.stderr and len(result.stderr.splitlines()) == 1
    assert "--densities 20 --scales 4" in measured.stderr and not (tmp_path / "small" / "adapter_config.json").exists()


def test_an_adapter_of_images_is_compressed_as_told_and_reads_them(llava, papers, tmp_path, cli):
    train_stage([papers], None, tmp_path / "model", settings_for(llava, epochs=1), Context())
    told = ["--densities", 20, "--scales", 4, "--out", tmp_path / "small"]
    result = cli("release", "compress", tmp_path / "model", *told)
    assert result.exit_code == 0, result.stderr
    read = cli("extract", papers, "--model", tmp_path / "small", "--max-new-tokens", 4, "--out", tmp_path / "p.jsonl")
    assert read.exit_code == 0 and read_resolution(tmp_path / "small") == 56, read.stderr


def test_an_adapter_of_text_over_a_model_of_images_is_measured(llava, papers, tmp_path, cli):
    write_documents(tmp_path / "text.jsonl", [without_images(d) for d in read_documents(papers)])
    settings = settings_for(llava, epochs=1, resolution=0)
    train_stage([tmp_path / "text.jsonl"], None, tmp_path / "model", settings, Context())
    grid = ["--densities", "20,50", "--scales", 4, "--max-new-tokens", 4, "--dev", tmp_path / "text.jsonl"]
    result = cli("release", "compress", tmp_path / "model", *grid, "--out", tmp_path / "small")
    assert result.exit_code == 0, result.stderr
