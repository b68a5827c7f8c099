"""Whatever signs an id or a name holds: the tables that are written give it back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document, Prediction, Relation
from abroad.documents.formats import to_table, write_workbook
from abroad.documents.predictions import read_predictions
from abroad.evaluation.metrics import compare
from abroad.evaluation.settings import EvaluateSettings
from abroad.sources.formats.escapes import from_workbook, to_workbook

SIGNS = "\0\x01\t\n\x0b\x0c\r\x1c\x1f \x85\u2028\ufeff\ufffe\uffff_x0D,;'\"=+-@|é"
texts = st.text(st.one_of(st.sampled_from(SIGNS), st.characters(exclude_categories=["Cs"])), min_size=1, max_size=12)
names = texts.filter(str.strip)


def round_trip(path, predictions, rejects=None):
    if path.suffix == ".xlsx":
        write_workbook(path, [], predictions)
    else:
        path.write_text(to_table([], predictions, path.suffix[1:]), encoding="utf-8", newline="")
    return read_predictions(path, rejects)


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx"])
@given(st.lists(st.tuples(names, names, names), min_size=1, max_size=4, unique_by=lambda row: row[0]))
def test_a_table_gives_back_every_sign(tmp_path_factory, kind, rows):
    predictions = [Prediction(id, [Relation(organism, chemical)]) for id, organism, chemical in rows]
    found = round_trip(tmp_path_factory.mktemp("signs") / f"p.{kind}", predictions)
    assert [(p.id, [(r.organism, r.chemical) for r in p.relations]) for p in found] == [
        (id, [(organism, chemical)]) for id, organism, chemical in rows
    ]


@pytest.mark.parametrize("kind", ["csv", "tsv", "xlsx"])
@pytest.mark.parametrize("sign", SIGNS, ids=lambda sign: f"{ord(sign):04X}")
def test_an_id_with_an_odd_sign_is_scored(tmp_path, kind, sign):
    id = f"a{sign}b"
    entities = {"organisms": [{"id": "o", "label": "Allium cepa"}], "chemicals": [{"id": "c", "label": "quercetin"}]}
    gold = Document.from_dict({"id": id, "AbstractText": "x", **entities, "relations": [["o", "c"]]})
    found = round_trip(tmp_path / f"p.{kind}", [Prediction(id, [Relation("Allium cepa", "quercetin")])])
    assert compare([gold], found, EvaluateSettings().protocol).scores.f1 == 100


@given(texts)
def test_escapes_are_undone(text):
    cell = to_workbook(text)
    assert from_workbook(cell) == text
    assert not set(cell) & set("\0\x01\x0b\x0c\r\x1c\x1f\ufffe\uffff")


@pytest.mark.parametrize("cell", ["_xD800_", "_x12_", "x0041_", "_X0041_"])
def test_what_is_no_escape_stays(cell):
    assert from_workbook(cell) == cell


def test_a_table_that_a_spreadsheet_saved_anew_is_read(tmp_path):
    text = to_table([], [Prediction("1", [Relation("A b", "c\nd")]), Prediction("2", [])], "csv")
    rows = text.replace("\n", "\r\n").replace("c\r\nd", "c\nd")  # as Excel ends lines, in cells and after rows
    path = tmp_path / "p.csv"
    path.write_text(rows, encoding="utf-8-sig", newline="")
    first, second = read_predictions(path)
    assert (first.id, first.relations[0].chemical, second.id) == ("1", "c\nd", "2")


def test_binary_data_is_no_table(tmp_path):
    path = tmp_path / "p.csv"
    path.write_bytes(b"\0\1\2,document")
    with pytest.raises(InputError, match="binary data"):
        read_predictions(path, Context())
