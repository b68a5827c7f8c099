"""Python callers who give another kind of value are told what was expected, in a sentence, by an InputError."""

import json
import warnings

import pytest

import abroad
from abroad import Document, InputError, Prediction, Relation

HALF = json.loads('"Usnic acid \\ud83d was isolated from Usnea barbata."')
WRONG = [None, 5, 1.5, b"text", {"a": 1}, object(), abroad, ["text", None], [5]]
DOCUMENT = Document.from_text("Usnic acid was isolated from Usnea barbata.", id="1")


CALLS = [
    abroad.extract,
    abroad.expand,
    abroad.read_documents,
    abroad.predictions_frame,
    Document.from_text,
    Document.from_dict,
    lambda value: Document.from_text("a title", value),
    lambda value: abroad.extract(["text", value]),
    lambda value: abroad.predictions_frame([Prediction("1"), value]),
    lambda value: abroad.predictions_frame([], [value]),
    lambda value: list(abroad.load_extractor().extract(value)),
    lambda value: list(abroad.load_extractor().extract([DOCUMENT, value])),
    lambda value: abroad.evaluate(value, []),
    lambda value: abroad.evaluate([DOCUMENT], value),
    lambda value: abroad.evaluate([DOCUMENT], [value]),
]


@pytest.mark.parametrize("value", WRONG, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("call", CALLS, ids=map(str, range(len(CALLS))))
def test_another_kind_of_value(call, value):
    with pytest.raises(InputError, match=r"expected|found"):
        call(value)


@pytest.mark.parametrize("value", [None, 5, b"builtin", ["builtin"], "", "  ", "nope", "bultin", "fewshots"])
def test_another_kind_of_extractor(value):
    with pytest.raises(InputError, match=r"(?i)expected"):
        abroad.load_extractor(value)


@pytest.mark.parametrize("value", [None, 5, b"builtin", ["builtin"], abroad, object, "", "nope", "bultin"])
def test_another_kind_of_extractor_to_extract_with(value):
    value = object() if value is object else value
    with pytest.raises(InputError, match=r"(?i)expected"):
        abroad.extract("text", value)


@pytest.mark.parametrize("name", ["bultin", "fewshots", "smollm2-135"])
def test_a_name_that_is_nearly_one_is_guessed(name):
    with pytest.raises(InputError, match="did you mean"):
        abroad.load_extractor(name)


@pytest.mark.parametrize("value", ["text", Prediction("1"), [None], ["text"], [["text"]]])
def test_another_kind_of_predictions(value):
    with pytest.raises(InputError, match="expected predictions"):
        abroad.predictions_frame(value)


@pytest.mark.parametrize(("id", "expected"), [(5, "5"), ("5", "5")])
def test_an_id_may_be_a_number(id, expected):
    assert Document.from_text("A title.", id=id).id == expected


@pytest.mark.parametrize("id", ["", 1.5, [], b"1"])
def test_an_id_is_a_text(id):
    with pytest.raises(InputError, match="as id"):
        Document.from_text("A title.", id=id)


@pytest.mark.parametrize("text", [HALF, [HALF], Document("1", "", HALF), Document("1", HALF, "")])
def test_half_of_a_character_is_no_text(text):
    with pytest.raises(InputError, match="half of a surrogate pair at character"):
        abroad.extract(text)


def gold():
    record = {
        **{"id": "1", "AbstractText": "Usnic acid was isolated from Usnea barbata."},
        **{"organisms": [{"id": "o", "label": "Usnea barbata"}], "chemicals": [{"id": "c", "label": "usnic acid"}]},
        "relations": [["o", "c"]],
    }
    return Document.from_dict(record)


def test_evaluation_sets_aside_what_the_command_sets_aside(tmp_path):
    good, bad = tmp_path / "gold.jsonl", tmp_path / "pred.jsonl"
    good.write_text(json.dumps(gold().to_dict()) + "\n{broken\n")
    relation = Relation("Usnea barbata", "usnic acid", 0.9)
    bad.write_text(json.dumps(Prediction("1", [relation]).to_dict()) + '\n{"id": "2"}\n')
    with pytest.warns(UserWarning, match=r"2 record\(s\) set aside"):
        evaluation = abroad.evaluate(good, bad)
    assert evaluation.scores.f1 == 100


def test_predictions_of_other_documents_are_told(cli, tmp_path):
    predictions = [Prediction("a", [Relation("Usnea barbata", "usnic acid", 0.9)])]
    with pytest.warns(UserWarning, match="are they of the same documents"):
        abroad.evaluate([gold()], predictions)
    (tmp_path / "g.jsonl").write_text(json.dumps(gold().to_dict()) + "\n")
    (tmp_path / "p.jsonl").write_text(json.dumps(predictions[0].to_dict()) + "\n")
    result = cli("evaluate", "--gold", tmp_path / "g.jsonl", "--pred", tmp_path / "p.jsonl")
    assert "are they of the same documents" in result.stderr


@pytest.mark.parametrize("predictions", [[], [Prediction("1")], [Prediction("1"), Prediction("2")]])
def test_nothing_is_told_where_ids_are_shared_or_there_is_none(predictions):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        abroad.evaluate([gold()], predictions)


@pytest.mark.parametrize("settings", [{"min_score": 7}, {"min_score": -1}, {"precision": 2}, {"min_score": "high"}])
def test_a_threshold_of_spacys_component_is_a_probability(settings):
    import spacy

    with pytest.raises((InputError, ValueError)):
        spacy.blank("en").add_pipe("abroad", config=settings)
