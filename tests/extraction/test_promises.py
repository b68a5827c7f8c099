"""What every extractor promises, one prediction for each document, is held to wherever one is run, whoever wrote it."""

import json
import re

import pytest
import yaml

import abroad
from abroad.core.errors import AbroadError, InputError
from abroad.core.jsonl import read_jsonl
from abroad.extraction.base import extract_documents, predictions_of
from abroad.extraction.load import EXTRACTORS, load_extractor
from tests.conftest import make_document
from tests.plugins import install

CODE = """
    from abroad.core.registry import Capability
    from abroad.core.schema import Prediction
    from abroad.core.settings import Settings
    from abroad.extraction.base import ExtractorKind

    class Way(Settings):
        way: str = "right"

    class Odd:
        def __init__(self, way):
            self.way = way
            if way != "no identity":
                self.identity = {"a set": {way}} if way == "a set as identity" else {"model": "odd", "way": way}
            if way == "a list as identity":
                self.identity = ["odd"]

        def extract(self, documents):
            way, right = self.way, [Prediction(document.id) for document in documents]
            found = {
                "too few": right[:1],
                "none": [],
                "None": None,
                "a number": 5,
                "of another": [Prediction("x" + documents[0].id)] if documents else [],
                "twice": [*right, *right[:1]],
                "None among them": [*right[:1], None],
                "dicts": [prediction.to_dict() for prediction in right],
                "a text": "text",
                "backwards": right[::-1],
            }
            return found.get(way, right)

    KIND = ExtractorKind("odd", Way, Capability.NONE, lambda name, settings: Odd(settings.way))
    NOTHING = ExtractorKind("nothing", Way, Capability.NONE, lambda name, settings: None)
"""
WRONG = {
    "None": "`extract` gave None, expected predictions",
    "a number": "`extract` gave 5, expected predictions",
    "of another": "gave a prediction of 'x",
    "twice": "gave a second prediction of '",
    "None among them": "expected a Prediction from `extract`, found None",
    "dicts": "expected a Prediction from `extract`, found {'id': ",
    "a text": "expected a Prediction from `extract`, found 't'",
}
"""Way of an extractor -> what is said of it wherever it runs."""
UNNAMED = {
    "no identity": "the extractor odd_extractor.Odd: expected a mapping as `identity`, found none",
    "a list as identity": "the extractor odd_extractor.Odd: expected a mapping as `identity`, found ['odd']",
    "a set as identity": "the extractor odd_extractor.Odd: expected what JSON can hold as `identity`: ",
}
"""Likewise, where predictions are kept for a later run."""
NAMED = "the extractor odd (odd_extractor.Odd)"
TEXTS = [make_document(str(number), "Usnea barbata.", "It is a lichen.", []) for number in range(3)]


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """The package of somebody else, and the folder of a test."""
    points = {EXTRACTORS.group: {"odd": "odd_extractor:KIND", "nothing": "odd_extractor:NOTHING"}}
    install(tmp_path / "site", monkeypatch, "odd-extractor", {"odd_extractor.py": CODE}, points)
    (tmp_path / "docs.jsonl").write_text("".join(json.dumps(document.to_dict()) + "\n" for document in TEXTS))
    return tmp_path


def by_command(cli, folder, way):
    return cli("extract", folder / "docs.jsonl", "--model", "odd", "--set", f"way={way}", "--out", folder / "p.jsonl")


def by_printing(cli, folder, way):
    return cli("extract", "--text", "Usnea barbata.", "--model", "odd", "--set", f"way={way}")


def by_run(cli, folder, way):
    documents = {"files": [str(folder / "docs.jsonl")]}
    config = {"out": str(folder), "documents": documents, "extract": {"model": "odd", "settings": {"way": way}}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return cli("run", folder / "config.yaml")


@pytest.mark.parametrize("way", WRONG)
@pytest.mark.parametrize("door", [by_command, by_printing, by_run])
def test_a_command_names_the_extractor_that_gives_something_else(cli, odd, door, way):
    if way == "None among them" and door is by_printing:
        way = "None"  # of one text, the first of the predictions is right
    result = door(cli, odd, way)
    assert result.exit_code == 2 and NAMED in result.stderr and WRONG[way] in result.stderr, result.output


@pytest.mark.parametrize("way", WRONG)
def test_a_caller_in_python_is_told_likewise(odd, way):
    extractor = load_extractor("odd", way=way)
    for call in (
        lambda: abroad.extract(TEXTS, extractor),
        lambda: extract_documents(TEXTS, extractor, odd / "out.jsonl"),
        lambda: list(predictions_of(extractor, TEXTS)),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value).startswith(NAMED) and WRONG[way] in str(caught.value)


@pytest.mark.parametrize("door", [by_command, by_run])
def test_a_document_without_a_prediction_is_counted_as_failed_and_told(cli, odd, door):
    result = door(cli, odd, "too few")
    assert result.exit_code == 0, result.output
    found = {record["id"]: record["error"] for record in read_jsonl(next(odd.glob("p*.jsonl")))}
    reason = f"{NAMED} gave no prediction of it"
    assert found == {"0": None, "1": reason, "2": reason}
    assert f"1: {reason}" in result.stderr and re.search("2 failed|failed 2", result.stderr)
    assert re.search(r"2 record\(s\) set aside|set aside 2", result.stderr)


def test_where_none_has_a_prediction_the_run_fails(cli, odd):
    for door in (by_command, by_printing, by_run):
        result = door(cli, odd, "none")
        assert result.exit_code == 1 and f"{NAMED} gave no prediction of it" in result.stderr
    with pytest.raises(AbroadError, match="document '0': the extractor odd"):
        abroad.extract(TEXTS, load_extractor("odd", way="none"))


def test_the_part_of_a_full_text_that_is_missing_is_told(odd):
    long = make_document("long", "A title.", "Usnea barbata is a lichen. " * 2_000, [])
    with pytest.warns(UserWarning, match=r"of its parts could not be read \(.*gave no prediction of it\)"):
        abroad.extract(long, load_extractor("odd", way="too few"))


def test_predictions_come_in_any_order(odd):
    extractor = load_extractor("odd", way="backwards")
    assert [prediction.id for prediction in predictions_of(extractor, TEXTS)] == ["2", "1", "0"]
    assert extract_documents(TEXTS, extractor, odd / "out.jsonl").failed == 0
    assert [record["id"] for record in read_jsonl(odd / "out.jsonl")] == ["0", "1", "2"]


@pytest.mark.parametrize("way", UNNAMED)
def test_an_identity_is_what_json_can_hold(cli, odd, way):
    for door in (by_command, by_run):
        result = door(cli, odd, way)
        assert result.exit_code == 2 and UNNAMED[way] in result.stderr, result.output
    with pytest.raises(InputError) as caught:
        extract_documents(TEXTS, load_extractor("odd", way=way), odd / "out.jsonl")
    assert str(caught.value).startswith(UNNAMED[way])


def test_what_loads_no_extractor_is_named(odd):
    with pytest.raises(InputError, match="extractor nothing: expected an extractor from its `load`, found None"):
        load_extractor("nothing")
