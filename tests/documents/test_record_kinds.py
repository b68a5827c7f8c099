"""A file of documents in place of predictions, and the other way round, is told as what it is."""

import json

import pytest

from abroad.core.errors import InputError
from abroad.documents.inputs import read_documents
from abroad.documents.predictions import read_predictions
from abroad.documents.record_kinds import DOCUMENTS, PREDICTIONS, kind_of_record

GOLD = {
    "id": "1",
    "ArticleTitle": "T",
    "AbstractText": "Quercetin was isolated from Allium cepa.",
    "organisms": [{"id": "o", "label": "Allium cepa"}],
    "chemicals": [{"id": "c", "label": "quercetin"}],
    "relations": [["o", "c"]],
}
EMPTY = {**GOLD, "id": "2", "organisms": [], "chemicals": [], "relations": []}
PREDICTED = {"id": "1", "relations": [{"organism": "Allium cepa", "chemical": "quercetin"}], "error": None}
PRINTED = {**PREDICTED, "text": "T Quercetin was isolated from Allium cepa."}
NOTHING = {"id": "2", "relations": [], "error": None}


@pytest.mark.parametrize(
    ("record", "kind"),
    [
        (GOLD, DOCUMENTS),
        (EMPTY, DOCUMENTS),
        ({"title": "T", "abstract": "x"}, DOCUMENTS),
        ({"id": "1", "organisms": [], "relations": []}, DOCUMENTS),
        ({"id": "1", "relations": [["o", "c"]]}, DOCUMENTS),
        ({**EMPTY, "entities": [], "relations": [{"head": "o", "type": "produces", "tail": "c"}]}, DOCUMENTS),
        (PREDICTED, PREDICTIONS),
        (PRINTED, PREDICTIONS),
        (NOTHING, PREDICTIONS),
        ({"id": "1", "relations": [{"organism": "a", "chemical": "b"}]}, PREDICTIONS),
        ({"id": "1", "relations": []}, None),
        ({"id": "1"}, None),
        (["o", "c"], None),
        (3, None),
    ],
)
def test_a_record_is_known_by_its_fields(record, kind):
    assert kind_of_record(record) == kind


def laid(path, records):
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    elif path.name.startswith("object"):
        path.write_text(json.dumps({record["id"]: record for record in records}))
    else:
        path.write_text(json.dumps(records, indent=1))
    return path


FORMS = ["a.jsonl", "array.json", "object.json"]


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("records", [[GOLD], [GOLD, EMPTY], [EMPTY]], ids=["one", "both", "none"])
def test_documents_are_no_predictions(tmp_path, name, records):
    with pytest.raises(InputError, match=f"{name}: documents, and no predictions; expected predictions"):
        read_predictions(laid(tmp_path / name, records))


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("records", [[PREDICTED], [PRINTED, NOTHING], [NOTHING]], ids=["one", "printed", "none"])
def test_predictions_are_no_documents(tmp_path, name, records):
    with pytest.raises(InputError, match=f"{name}: predictions, and no documents; expected documents"):
        read_documents(laid(tmp_path / name, records))


@pytest.mark.parametrize("name", ["a.jsonl", "array.json"])
def test_each_is_read_as_what_it_is(tmp_path, name):
    assert len(read_documents(laid(tmp_path / name, [GOLD, EMPTY]))) == 2
    assert len(read_predictions(laid(tmp_path / name, [PREDICTED, NOTHING]))) == 2


def test_evaluate_tells_which_is_which(cli, tmp_path):
    gold, predicted = laid(tmp_path / "gold.json", [GOLD, EMPTY]), laid(tmp_path / "p.jsonl", [PREDICTED, NOTHING])
    assert cli("evaluate", "--gold", gold, "--pred", predicted).exit_code == 0
    swapped = cli("evaluate", "--gold", predicted, "--pred", gold)
    assert swapped.exit_code == 2 and "the wrong way round?" in swapped.stderr and swapped.stderr.count("\n") == 1
    for options in (["--pred", gold], ["--pred", predicted, "--compare", gold]):
        result = cli("evaluate", "--gold", gold, *options)
        assert result.exit_code == 2 and f"{gold}: documents, and no predictions" in result.stderr
    assert "predictions, and no documents" in cli("evaluate", "--gold", predicted, "--pred", predicted).stderr
