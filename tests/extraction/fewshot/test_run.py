"""Few-shot extraction from the command line, with a small real model and a server that checks what it is asked."""

import base64
import io
import json

import pytest

from abroad.core.io import write_documents
from tests.conftest import make_document, save_tiny_model
from tests.sources.servers import Completions
from tests.visual import save_visual_model


@pytest.fixture
def inputs(tmp_path, documents):
    write_documents(tmp_path / "docs.jsonl", documents)
    return tmp_path / "docs.jsonl"


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_real_model_answers_in_the_form_asked_for_and_a_rerun_asks_nothing(
    cli, smollm2, inputs, tmp_path, monkeypatch
):
    out = tmp_path / "pred.jsonl"
    command = ["fewshot", inputs, "--out", out, "--model", smollm2, "--style", "classic", "--shots", 2]
    result = cli(*command, "--tokens-per-character", 0.4)
    assert result.exit_code == 0, result.stderr
    predictions = lines(out)
    assert [p["id"] for p in predictions] == ["1", "2", "3"]
    for prediction in predictions:
        assert prediction["error"] is None and prediction["shots"] == 2 and prediction["prompt_tokens"] > 100
        assert prediction["answer"].startswith(" ") and (prediction["parsed"] or prediction["cut_off"])
        for relation in prediction["relations"]:
            assert relation["organism"] and relation["chemical"]
    record = json.loads((tmp_path / "pred.jsonl.abroad" / "run.json").read_text())
    assert len(record["settings"]["prompt"]) == 12 and record["result"]["answers"] == 3

    import abroad.engines.spec

    monkeypatch.setattr(abroad.engines.spec, "make_engine", None)  # a rerun needs no model
    again = cli(*command, "--tokens-per-character", 0.4)
    assert again.exit_code == 0 and "3 from an earlier run" in again.stderr and lines(out) == predictions


def test_a_prompt_beyond_the_context_gets_fewer_shots_or_is_set_aside(cli, tiny_model, inputs, tmp_path):
    out = tmp_path / "pred.jsonl"
    command = ["fewshot", inputs, "--out", out, "--model", tiny_model, "--style", "classic", "--shots", 12, "--free"]
    assert cli(*command).exit_code == 1  # every document failed
    assert all("do not fit" in prediction["error"] for prediction in lines(out))
    assert len(lines(tmp_path / "pred.jsonl.abroad" / "rejects.jsonl")) == 3
    assert cli(*command, "--fewer-shots").exit_code == 0
    assert all(p["error"] is None and 0 < p["shots"] < 12 for p in lines(out))


def test_examples_that_the_documents_hold_are_left_out(cli, tiny_model, inputs, tmp_path):
    command = ["fewshot", inputs, "--out", tmp_path / "p.jsonl", "--model", tiny_model, "--examples", inputs]
    result = cli(*command, "--shots", 1)
    assert result.exit_code == 2 and "all 3 examples are in the test set" in result.stderr
    result = cli("fewshot", inputs, "--out", tmp_path / "p.jsonl", "--model", tiny_model, "--shots", 99)
    assert result.exit_code == 2 and "99 shots, but" in result.stderr


def test_a_model_without_a_chat_template_says_so(cli, smollm2, inputs, tmp_path):
    plain = save_tiny_model(smollm2, tmp_path / "plain", "Llama")
    for file in ("chat_template.jinja",):
        (plain / file).unlink(missing_ok=True)
    config = json.loads((plain / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (plain / "tokenizer_config.json").write_text(json.dumps(config))
    command = ["fewshot", inputs, "--out", tmp_path / "p.jsonl", "--model", plain, "--shots", 0]
    result = cli(*command, "--chat", "always")
    assert result.exit_code == 2 and "no chat template" in result.stderr
    assert cli(*command, "--chat", "auto", "--tokens-per-character", 0.1).exit_code == 0


def test_a_chat_template_goes_around_the_prompt(tiny_model):
    from abroad.engines.base import GenerationRequest
    from abroad.engines.spec import make_engine

    engine = make_engine("transformers", str(tiny_model))
    plain, turn = (
        next(engine.generate([GenerationRequest("r", "Hello there", max_new_tokens=2, chat=chat)]))
        for chat in (False, True)
    )
    assert engine.has_chat_template and turn.prompt_tokens > plain.prompt_tokens


def picture(path, size=(400, 200), **options):
    from PIL import Image

    Image.new("RGB", size, "red").save(path, **options)


def test_a_server_gets_images_and_text_in_one_turn(cli, tmp_path):
    from PIL import Image

    folder = tmp_path / "figures"
    folder.mkdir()
    picture(folder / "a.png")
    picture(folder / "b.jpg", size=(30, 20))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    picture(folder / "huge.png", size=(9000, 9000))
    documents = [make_document(str(n), "T.", f"Usnea {n} was studied. It had usnic acid.", []) for n in range(5)]
    named = (["figures/a.png", "figures/b.jpg"], ["figures/broken.png"], ["figures/none.png"], ["figures/huge.png"], [])
    for document, images in zip(documents, named, strict=True):
        document.extra["images"] = images
    write_documents(tmp_path / "docs.jsonl", documents)
    server = Completions(lambda body: ("Usnea 0 produces usnic acid", "stop"))
    command = ["fewshot", tmp_path / "docs.jsonl", "--out", tmp_path / "p.jsonl", "--engine", "openai"]
    with server.serve():
        result = cli(
            *command, "--model", "m", "--base-url", server.url, "--images", 100, "--batch-size", 1, "--shots", 1
        )
    assert result.exit_code == 0, result.stderr
    predictions = {p["id"]: p for p in lines(tmp_path / "p.jsonl")}
    assert predictions["0"]["relations"][0]["chemical"] == "usnic acid" and predictions["0"]["prompt_tokens"] == 7
    for id, reason in (("1", "not an image"), ("2", "no such file"), ("3", "9000 x 9000 pixels")):
        (told,) = predictions[id]["images_set_aside"]
        assert reason in told and predictions[id]["error"] is None  # its text was read
    assert "3 images could not be shown" in result.stderr and len(server.asked) == 5
    rejects = lines(tmp_path / "p.jsonl.abroad" / "rejects.jsonl")
    assert len(rejects) == 3 and "broken.png" in rejects[0]["reason"]
    (shown,) = (body for body in server.asked if isinstance(body["messages"][0]["content"], list))
    assert "prompt" not in shown and shown["messages"][0]["role"] == "user"
    *images, text = shown["messages"][0]["content"]
    sizes = []
    for part in images:
        head, _, data = part["image_url"]["url"].partition(",")
        assert part["type"] == "image_url" and head == "data:image/png;base64"
        sizes.append(Image.open(io.BytesIO(base64.b64decode(data))).size)
    assert sizes == [(100, 50), (30, 20)]  # made smaller, never larger
    assert text["type"] == "text" and "Usnea 0 was studied. It had" in text["text"]


HINT = "small models repeat the “none” of an example; --only-stating"


@pytest.mark.parametrize(
    ("options", "answer", "hinted"),
    [
        ([], "none", True),
        (["--only-stating"], "none", False),
        (["--shots", 0], "none", False),
        ([], "Usnea produces nonsense acid", False),  # left out, since the text has not the name
        ([], "I cannot tell.", False),
    ],
)
def test_a_run_that_finds_nothing_says_what_it_may_be_for(options, answer, hinted, cli, tmp_path):
    documents = [make_document(str(n), "T.", f"Usnea {n} was studied.", []) for n in range(3)]
    write_documents(tmp_path / "docs.jsonl", documents)
    server = Completions(lambda body: (answer, "stop"))
    command = ["fewshot", tmp_path / "docs.jsonl", "--out", tmp_path / "p.jsonl", "--engine", "openai", "--model", "m"]
    with server.serve():
        result = cli(*command, "--base-url", server.url, *options)
    assert result.exit_code == 0 and (HINT in result.stderr.replace("\n", " ")) == hinted, result.stderr


def test_images_that_nobody_asked_for_are_told(cli, tmp_path):
    documents = [make_document(str(n), "T.", f"Usnea {n} was studied.", []) for n in range(2)]
    documents[0].extra["images"] = ["a.png"]
    write_documents(tmp_path / "docs.jsonl", documents)
    server = Completions(lambda body: ("Usnea produces usnic acid", "stop"))
    command = ["fewshot", tmp_path / "docs.jsonl", "--out", tmp_path / "p.jsonl", "--engine", "openai", "--model", "m"]
    with server.serve():
        result = cli(*command, "--base-url", server.url)
    assert result.exit_code == 0 and "1 documents have images; none was shown: --images 336" in result.stderr


def test_a_model_in_this_process_reads_them_too_and_what_cannot_be_read_is_set_aside(cli, smollm2, tmp_path):
    model = save_visual_model(smollm2, tmp_path / "llava", "llava")
    picture(tmp_path / "a.png")
    picture(tmp_path / "b.png", size=(100, 400))
    document = make_document("1", "T.", "Usnea has usnic acid.", [])
    found = []
    for images in ([], ["a.png"], ["a.png", "none.png"], ["b.png", "a.png"]):
        document.extra["images"] = images
        write_documents(tmp_path / "docs.jsonl", [document])
        command = ["fewshot", tmp_path / "docs.jsonl", "--out", tmp_path / "p.jsonl", "--model", model, "--images", 64]
        result = cli(*command, "--shots", 0, "--style", "classic", "--tokens-per-character", 0.2)
        assert result.exit_code == 0, result.stderr
        found += lines(tmp_path / "p.jsonl")
    assert [prediction["error"] for prediction in found] == [None] * 4
    plain, one, with_missing, two = (prediction["prompt_tokens"] for prediction in found)
    assert plain < one == with_missing < two
    assert "no such file" in found[2]["images_set_aside"][0] and "images_set_aside" not in found[1]


def test_a_text_engine_refuses_images(cli, tiny_model, tmp_path):
    picture(tmp_path / "a.png")
    document = make_document("1", "T.", "Text.", [])
    document.extra["images"] = ["a.png"]
    write_documents(tmp_path / "docs.jsonl", [document])
    command = ["fewshot", tmp_path / "docs.jsonl", "--out", tmp_path / "p.jsonl", "--model", tiny_model, "--shots", 0]
    refused = cli(*command, "--images", 64)
    assert refused.exit_code == 2 and "this model reads text only" in refused.stderr
    assert not (tmp_path / "p.jsonl").exists()


def test_an_extractor_by_name_shows_a_document_no_example_that_it_holds_itself(tiny_model):
    from abroad.core.io import read_documents
    from abroad.extraction.fewshot.examples import DEFAULT
    from abroad.extraction.load import load_extractor

    pool = read_documents(DEFAULT)
    extractor = load_extractor("fewshot", model=str(tiny_model), style="classic", shots=3)
    own, other = (extractor.request(document, 3).prompt for document in (pool[0], make_document("x", "T.", "A.", [])))
    for prompt, shown in ((own, pool[1:4]), (other, pool[:3])):
        assert prompt.count("Text: ") == 4 and all(" ".join(d.text.split()) in prompt for d in shown)
    assert own.count(" ".join(pool[0].text.split())) == 1  # the document itself
