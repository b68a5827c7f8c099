"""`abroad teach` with a model that was fine-tuned for the task: BioGPT's architecture, and SmolLM2 itself."""

import json
import math
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.core.io import read_documents, write_documents
from abroad.core.schema import Document, Prediction
from abroad.extraction.fewshot.run import FewShotSettings
from abroad.extraction.generative.encode import encode_prompt, encode_target
from abroad.extraction.generative.load import is_trained
from abroad.synthesis.teaching.agreement import judge
from abroad.synthesis.teaching.settings import TeachSettings
from abroad.synthesis.teaching.trained_passes import decoding_of, make_trained_passes
from tests.conftest import make_document

KNOWN = [
    ("Usnea testalis", "usnic acid"),
    ("Ruta fictiva", "scopoletin"),
    ("Senna inventa", "emodin"),
    ("Xylaria absens", "cytochalasin"),
]


def study(number: int, organism: str, chemical: str) -> Document:
    return make_document(str(number), f"Study of {organism}.", f"{organism} gave {chemical}.", [(organism, chemical)])


STUDIES = [study(n, *pair) for n, pair in enumerate(KNOWN)]


@pytest.fixture(scope="module")
def knowing(tmp_path_factory) -> Path:
    """A tiny BioGPT that has learnt the relations of four studies by heart, all of its weights trained."""
    torch, transformers = (pytest.importorskip(name) for name in ("torch", "transformers"))
    from tests.true_models import small_tokenizer

    tokenizer, folder = small_tokenizer(), tmp_path_factory.mktemp("models") / "knowing-biogpt"
    ids = {key: getattr(tokenizer, key) for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 128}
    torch.manual_seed(0)
    config = transformers.BioGptConfig(
        vocab_size=len(tokenizer), max_position_embeddings=256, hidden_dropout_prob=0.0, **sizes, **ids
    )
    model = transformers.BioGptForCausalLM(config)
    _learn(torch, model, tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _learn(torch, model, tokenizer) -> None:
    rows = [(encode_prompt(tokenizer, d.text), encode_target(tokenizer, d)) for d in STUDIES]
    width = max(len(prompt) + len(target) for prompt, target in rows)
    inputs = torch.tensor([[*p, *t, *[tokenizer.pad_token_id] * (width - len(p) - len(t))] for p, t in rows])
    labels = torch.tensor([[*[-100] * len(p), *t, *[-100] * (width - len(p) - len(t))] for p, t in rows])
    mask = torch.tensor([[1] * (len(p) + len(t)) + [0] * (width - len(p) - len(t)) for p, t in rows])
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(80):
        loss = model(input_ids=inputs, attention_mask=mask, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert float(loss.detach()) < 0.05


@pytest.fixture(scope="module")
def adapter(knowing, tmp_path_factory) -> Path:
    """What `abroad train` makes of it in one careful epoch."""
    from typer.testing import CliRunner

    from abroad.cli import app

    folder = tmp_path_factory.mktemp("models")
    write_documents(folder / "train.jsonl", STUDIES)
    words = ["train", folder / "train.jsonl", "--model", knowing, "--out", folder / "adapter", "--epochs", 1]
    words += ["--learning-rate", 1e-6, "--lora-rank", 2, "--max-length", 256]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return folder / "adapter"


@pytest.fixture
def inputs(tmp_path) -> Path:
    """The studies without their relations, and one that no model of 256 positions can read."""
    bare = [make_document(d.id, d.title, d.abstract, []) for d in STUDIES]
    path = tmp_path / "docs.jsonl"
    write_documents(path, [*bare, make_document("long", "Long.", "Extracts were dried again. " * 200, [])])
    return path


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def record(out: Path) -> dict:
    return json.loads((out.parent / f"{out.name}.abroad" / "run.json").read_text(encoding="utf-8"))["result"]


def command(inputs, adapter, out, *more):
    return ("teach", inputs, "--model", adapter, "--out", out, "--max-new-tokens", 24, *more)


def test_an_adapter_is_taught_without_a_word_about_it_and_what_fails_is_set_aside(cli, inputs, adapter, tmp_path):
    out = tmp_path / "silver.jsonl"
    told = cli(*command(inputs, adapter, out, "--estimate"))
    assert told.exit_code == 0 and "5 documents, 2 passes" in told.stderr and not out.exists()
    result = cli(*command(inputs, adapter, out, "--temperature", 0.2))
    assert result.exit_code == 0, result.stderr
    silver = {d.id: d for d in read_documents(out)}
    assert [silver[d.id].label_pairs() for d in STUDIES] == [[pair] for pair in KNOWN]
    for document in silver.values():
        assert document.extra["agreement"] == 1 and 0.5 < document.extra["confidence"] <= 1
        (evidence,) = document.extra["evidence"]
        assert {document.text[s["start"] : s["end"]].lower() for s in evidence["spans"]} >= {evidence["chemical"]}
    (reject,) = lines(tmp_path / "silver.jsonl.abroad" / "rejects.jsonl")
    assert reject["where"] == "long" and "256 positions" in reject["reason"]
    report = record(out)
    assert (report["silver"], report["set_aside"], report["left"], report["guessed"]) == (4, 1, 0, 2)
    again = cli(*command(inputs, adapter, out, "--temperature", 0.2))
    assert again.exit_code == 0 and record(out)["resumed"] == 10  # and so nothing was asked


def test_a_budget_holds_and_a_larger_one_goes_on(cli, inputs, adapter, tmp_path):
    out = tmp_path / "silver.jsonl"
    poor = cli(*command(inputs, adapter, out, "--batch-size", 1, "--budget-tokens", 400))
    assert poor.exit_code == 0 and "the budget ended the run" in poor.stderr, poor.stderr
    report = record(out)
    assert report["stopped"] and report["cost"]["prompt_tokens"] + report["cost"]["tokens"] <= 400
    rich = cli(*command(inputs, adapter, out, "--batch-size", 1, "--budget-tokens", 100_000))
    assert rich.exit_code == 0 and record(out)["resumed"] == 2 * (5 - report["left"]) and not record(out)["left"]


def test_a_document_that_the_model_is_not_sure_of_goes_to_people(cli, inputs, adapter, tmp_path):
    out, disputed = tmp_path / "silver.jsonl", tmp_path / "disputed.jsonl"
    result = cli(*command(inputs, adapter, out, "--temperature", 0.2, "--min-confidence", 1, "--curate", disputed))
    assert result.exit_code == 0 and "below --min-confidence" in result.stderr, result.stderr
    assert out.read_text() == "" and [d.label_pairs() for d in read_documents(disputed)] == [[p] for p in KNOWN]


def test_the_built_in_extractor_learns_from_it_and_is_compared(cli, inputs, adapter, tmp_path):
    from tests.extraction.builtin.test_fit import SYNTHETIC

    given = SYNTHETIC.read_text(encoding="utf-8").splitlines()
    curated, test, silver = (tmp_path / f"{name}.jsonl" for name in ("curated", "test", "silver"))
    curated.write_text("\n".join(given[:12]), encoding="utf-8")
    test.write_text("\n".join(given[12:16]), encoding="utf-8")
    steps = [
        command(inputs, adapter, silver, "--temperature", 0.2),
        ("extractor", "train", curated, "--silver", silver, "--out", tmp_path / "student", "--cv", 2),
        ("extract", test, "--out", tmp_path / "before.jsonl"),
        ("extract", test, "--model", tmp_path / "student", "--out", tmp_path / "after.jsonl"),
        ("evaluate", "--gold", test, "--pred", tmp_path / "after.jsonl", "--compare", tmp_path / "before.jsonl"),
    ]
    results = [cli(*step) for step in steps]
    assert [each.exit_code for each in results] == [0] * len(steps), [each.stderr for each in results]
    assert "silver documents: 4" in results[1].stdout and "95%" in results[-1].stdout + results[-1].stderr


def test_smollm2_with_an_adapter_labels_with_names_of_the_text(cli, smollm2, tmp_path, documents):
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    config = LoraConfig(r=2, target_modules=["q_proj"], init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(smollm2), config).save_pretrained(tmp_path / "adapter")
    write_documents(tmp_path / "docs.jsonl", documents[:1])
    out = tmp_path / "silver.jsonl"
    more = ("--num-beams", 2, "--max-new-tokens", 6, "--batch-size", 2)
    result = cli("teach", tmp_path / "docs.jsonl", "--model", tmp_path / "adapter", "--out", out, *more)
    assert result.exit_code in (0, 1)  # it was never trained, and may say nothing that can be read
    first, second = lines(tmp_path / "silver.jsonl.abroad" / "answers.jsonl")
    assert first["error"] is None and 0 < first["confidence"] <= 1 and second["confidence"] is None
    text = documents[0].text.lower()
    assert all(r["organism"].lower() in text for each in (first, second) for r in each["relations"])


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--shots", 2], "--shots: a fine-tuned model is shown no examples"),
        (["--style", "cot"], "--style: a fine-tuned model is shown no examples"),
        (["--untrained", "--num-beams", 2], "settings of a fine-tuned model; expected them with --trained"),
        (["--engine", "openai", "--base-url", "http://127.0.0.1:9/v1", "--trained"], "fine-tuned model"),
        (["--set", "draft=ngram"], "no beam search"),
    ],
    ids=["shots", "style", "untrained", "server", "draft"],
)
def test_what_does_not_go_together_is_refused(cli, inputs, tiny_adapter, tmp_path, more, words):
    result = cli(*command(inputs, tiny_adapter, tmp_path / "s.jsonl", *more))
    assert result.exit_code == 2 and words in result.stderr, result.stderr


def test_confidence_is_the_geometric_mean_of_the_probabilities_of_a_beam(knowing):
    """Beside a pass of the model itself over the same tokens, whatever the length penalty."""
    import torch

    from abroad.engines.lazy import LazyEngine
    from abroad.engines.spec import EngineSpec
    from abroad.extraction.generative.decoding import Decoding

    spec = EngineSpec.read("transformers", str(knowing), 8)
    for decoding in (Decoding(max_new_tokens=24), Decoding(max_new_tokens=24, num_beams=1)):
        engine = LazyEngine(spec, Context())
        first, second = make_trained_passes(engine, decoding, FewShotSettings(seed=3), TeachSettings(passes=2))
        assert first.identity != second.identity and second.extractor.sampling.seed == 4
        tokenizer, model = engine.engine.tokenizer, engine.engine.model
        for prediction in first.extract(STUDIES):
            (document,) = (d for d in STUDIES if d.id == prediction.id)
            assert [(r.organism, r.chemical) for r in prediction.relations] == document.label_pairs()
            prompt, target = encode_prompt(tokenizer, document.text), encode_target(tokenizer, document)
            with torch.inference_mode():
                logits = model(torch.tensor([[*prompt, *target]])).logits[0].log_softmax(-1)
            each = [float(logits[len(prompt) - 1 + n, token]) for n, token in enumerate(target)]
            assert prediction.extra["confidence"] == pytest.approx(math.exp(sum(each) / len(each)), abs=2e-3)


def test_an_adapter_and_a_release_are_known_by_their_files(adapter, knowing, tmp_path):
    from abroad.engines.spec import EngineSpec

    assert is_trained(EngineSpec.read("transformers", str(adapter)))
    assert not is_trained(EngineSpec.read("transformers", str(knowing)))
    release = tmp_path / "release"
    release.mkdir()
    for file in knowing.iterdir():
        (release / file.name).symlink_to(file)
    (release / "decoding.json").write_text('{"num_beams": 2, "max_new_tokens": 9}')
    spec = EngineSpec.read("transformers", str(release))
    assert is_trained(spec) and decoding_of(spec, {"max_new_tokens": 7}).model_dump()["num_beams"] == 2
    assert decoding_of(spec, {"max_new_tokens": 7}).max_new_tokens == 7


def test_a_judgement_takes_the_confidence_of_the_pass_that_has_one():
    passes = [Prediction("1", [], extra={"confidence": 0.5}), Prediction("1", [], extra={"confidence": None})]
    assert judge(passes).confidence == 0.5 and judge(passes[1:]).confidence is None


@pytest.mark.parametrize(
    ("texts", "named", "cut_off", "reason"),
    [
        ([["It gave usnic acid.", False]], [], 0, "no relations can be read in the answer: 'It gave usnic acid.'"),
        ([["", False]], [], 0, None),  # a model that is trained for the task says nothing where there is nothing
        ([["Usnea testalis produces usn", True]], [], 0, "was cut off before a relation of it was whole: 'Usnea"),
        ([["Usnea testalis produces usnic acid; Usnea t", True]], ["usnic acid"], 2, None),
        ([["Usnea testalis produces usnic acid; " * 4 + "Usnea", True]], ["usnic acid"], 0, None),
        (  # of chunks, the one that was cut off lacks its last relation, not the last of all
            [
                ["Usnea testalis produces usnic acid; Usnea testalis produces ", True],
                ["Usnea x produces emodin", False],
            ],
            ["usnic acid", "emodin"],
            2,
            None,
        ),
    ],
)
def test_what_a_fine_tuned_model_wrote_is_read_as_that_of_any_other(texts, named, cut_off, reason):
    from types import SimpleNamespace

    from abroad.extraction.generative.notation import Notation
    from abroad.synthesis.teaching.trained_passes import TrainedPass
    from abroad.synthesis.teaching.verdicts import hear

    each = TrainedPass(SimpleNamespace(notation=Notation()))
    document = Document("1", "", "Usnea testalis and Usnea x gave usnic acid and emodin.")
    answer = Prediction("1", extra={"texts": texts, "answer": "\n".join(text for text, _ in texts)})
    heard = hear(document, {0: answer, 1: answer}, [each, each])
    if reason is not None:
        assert heard.judgement is None and reason in heard.unread[0]
    else:
        assert [said[-1] for said in heard.judgement.agreed] == named and heard.judgement.cut_off == cut_off
