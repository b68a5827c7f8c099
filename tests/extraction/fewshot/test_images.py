"""Documents with figures: names that a figure alone has are kept, and an image that is refused costs itself only."""

import json
from pathlib import Path

import pytest

from abroad.core.registry import Capability
from abroad.engines.base import Generation, RefusedImage
from abroad.extraction.fewshot.run import FewShotExtractor, FewShotSettings, Shots, count_answers
from abroad.extraction.fewshot.styles import load_style
from tests.conftest import make_document
from tests.extraction.fewshot.test_run import lines, picture
from tests.sources.servers import Completions

ANSWER = "Usnea barbata produces usnic acid; Usnea barbata produces barbatic acid"
TEXT, FIGURE = ("Usnea barbata", "usnic acid"), ("Usnea barbata", "barbatic acid")


class Engine:
    """Says one answer; refuses images by their place."""

    capabilities, has_chat_template, context_length = Capability.IMAGES, True, None

    def __init__(self, refuses=()):
        self.refuses, self.asked = refuses, []

    def generate(self, requests):
        for request in requests:
            self.asked.append(request)
            refused = tuple(RefusedImage(n, "too narrow") for n in self.refuses if n < len(request.images))
            yield Generation(request.id, ANSWER, "stop", 9, refused_images=refused)


def document(folder, *images):
    made = make_document("1", "Lichens.", "Usnea barbata had usnic acid.", [])
    for name in images:
        picture(folder / name)
    made.extra["images"] = list(images)
    return made


def run(document, folder, refuses=(), **settings):
    settings = FewShotSettings(shots=0, **{"resolution": 64, **settings})
    extractor = FewShotExtractor(Engine(refuses), load_style("classic"), settings, Shots(), {}, folder)
    (prediction,) = extractor.extract([document])
    return prediction, extractor.engine.asked[0]


def pairs(prediction):
    return [(relation.organism, relation.chemical) for relation in prediction.relations]


@pytest.mark.parametrize("structured", [True, False])
def test_a_name_that_a_figure_alone_has_is_kept_and_has_no_evidence(structured, tmp_path):
    prediction, asked = run(document(tmp_path, "a.png"), tmp_path, structured=structured)
    assert pairs(prediction) == [TEXT, FIGURE]
    assert [{e.role for e in r.evidence} for r in prediction.relations] == [{"organism", "chemical"}, {"organism"}]
    assert prediction.extra["not_in_text_kept"] == 1 and "not_in_text" not in prediction.extra
    assert asked.grammar is None and (asked.regex is not None) == structured
    assert count_answers([prediction]).not_in_text_kept == 1


@pytest.mark.parametrize("images", [(), ("a.png",)])
@pytest.mark.parametrize("names_from_text", [None, True, False])
@pytest.mark.parametrize("resolution", [0, 64])
def test_names_are_bound_to_the_text_where_no_image_is_shown_or_as_told(images, names_from_text, resolution, tmp_path):
    settings = {"names_from_text": names_from_text, "resolution": resolution}
    prediction, asked = run(document(tmp_path, *images), tmp_path, **settings)
    bound = not (images and resolution) if names_from_text is None else names_from_text
    assert pairs(prediction) == ([TEXT] if bound else [TEXT, FIGURE])
    assert (asked.grammar is not None) == bound and prediction.extra.get("not_in_text") == (1 if bound else None)


@pytest.mark.parametrize("missing", [True, False])
def test_where_no_image_can_be_shown_names_are_the_texts_again(missing, tmp_path):
    made = document(tmp_path, "a.png")
    if missing:
        (tmp_path / "a.png").unlink()
    prediction, _ = run(made, tmp_path, refuses=() if missing else (0,))
    assert pairs(prediction) == [TEXT] and prediction.extra["not_in_text"] == 1
    (told,) = prediction.extra["images_set_aside"]
    assert told == f"image {tmp_path / 'a.png'}: {'no such file' if missing else 'too narrow'}"


def test_an_image_that_the_model_refuses_is_told_by_its_name_beside_those_that_cannot_be_read(tmp_path):
    made = document(tmp_path, "a.png", "b.png")
    made.extra["images"] = ["", "a.png", "gone.png", "b.png"]
    prediction, asked = run(made, tmp_path, refuses=(1,))
    assert len(asked.images) == 2 and pairs(prediction) == [TEXT, FIGURE]
    empty, gone, refused = prediction.extra["images_set_aside"]
    assert "expected the path" in empty and "gone.png: no such file" in gone
    assert refused == f"image {tmp_path / 'b.png'}: too narrow"


def identity(**settings):
    return FewShotExtractor(
        Engine(), load_style("classic"), FewShotSettings(shots=0, **settings), Shots(), {}, Path()
    ).identity


def test_runs_of_before_go_on_where_they_were_without_images_and_begin_anew_with_them():
    without, asked_for, free = identity(), identity(names_from_text=True), identity(names_from_text=False)
    assert without == asked_for and without["names"] == "text" and "names_from_text" not in without
    assert free["names"] == "" and free["names_from_text"] is False
    with_images = [identity(resolution=64, names_from_text=value) for value in (None, True, False)]
    assert len({json.dumps(each, sort_keys=True) for each in with_images}) == 3
    assert with_images[1]["names"] == "text" and "names_from_text" not in with_images[1]


def test_a_run_says_how_many_names_are_kept_that_the_text_has_not(cli, tmp_path):
    from abroad.core.io import write_documents

    write_documents(tmp_path / "docs.jsonl", [document(tmp_path, "a.png")])
    server = Completions(lambda body: (ANSWER, "stop"))
    command = ["fewshot", tmp_path / "docs.jsonl", "--out", tmp_path / "p.jsonl", "--engine", "openai", "--model", "m"]
    with server.serve():
        result = cli(*command, "--base-url", server.url, "--images", 64)
        assert result.exit_code == 0, result.stderr
        assert "1 relations with a name that the text has not were kept" in " ".join(result.stderr.split())
        assert len(lines(tmp_path / "p.jsonl")[0]["relations"]) == 2
        result = cli(*command, "--base-url", server.url, "--images", 64, "--names-from-text", "--force")
        assert "were kept" not in result.stderr and len(lines(tmp_path / "p.jsonl")[0]["relations"]) == 1
