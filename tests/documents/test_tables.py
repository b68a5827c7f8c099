"""Tables of predictions: no spreadsheet computes them, no document is missing, and they are read again as written."""

import csv
import io
import re

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import write_jsonl
from abroad.core.schema import Document, Evidence, Prediction, Relation
from abroad.documents.cells import from_cell, to_cell
from abroad.documents.formats import COLUMNS, to_table, write_workbook
from abroad.documents.parquet import write_parquet
from abroad.documents.predictions import read_predictions

FORMULA = re.compile(r"[\s\"]*[=+\-@＝＋－＠]")
risky = st.text(st.sampled_from("=+-@'\" ;,\t|\nab1(") | st.characters(codec="utf-8"), max_size=12)
label = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(str.strip)
relations = st.builds(
    Relation,
    label,
    label,
    st.none() | st.integers(0, 10_000).map(lambda number: number / 10_000),
    st.none() | st.sampled_from(["NCBITaxon:1", "-x", "=1+1"]),
    st.none() | st.just("wikidata:Q1"),
    status=st.none() | st.sampled_from(["known", "new"]),
)
predictions = st.lists(
    st.tuples(label, st.lists(relations, max_size=3), st.none() | st.just("out of memory")),
    max_size=4,
    unique_by=lambda p: p[0],
).map(lambda items: [Prediction(id, found, None if found else error) for id, found, error in items])


@given(risky)
def test_a_cell_begins_no_formula_and_gives_its_text_back(text):
    cell = to_cell(text)
    assert from_cell(cell) == text and not FORMULA.match(cell)


@given(st.lists(risky, min_size=1, max_size=4), st.sampled_from(["csv", "tsv"]), st.sampled_from(",;\t"))
def test_no_program_finds_a_formula_whatever_it_divides_by(labels, kind, sign):
    table = to_table([], [Prediction(text or "x", [Relation(text, text)]) for text in labels], kind)
    if sign == "," and kind == "tsv":  # a comma belongs to names; spreadsheets that read a TSV do not divide by it
        return
    for text in (table, table.replace('"', "")):
        try:
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=sign))
        except csv.Error:
            continue
        if text is table or sign != ",":
            assert not [cell for row in rows for cell in row if FORMULA.match(cell)]


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.xlsx", "p.jsonl", "p.parquet"])
@given(predictions)
def test_what_is_written_is_read_again(tmp_path_factory, name, made):
    path = tmp_path_factory.mktemp("tables") / name
    if name == "p.xlsx":
        write_workbook(path, [], made)
    elif name == "p.parquet":
        write_parquet(path, [([], made[:2]), ([], made[2:])])
    elif name == "p.jsonl":
        write_jsonl(path, [prediction.to_dict() for prediction in made])
    else:
        path.write_text(to_table([], made, path.suffix[1:]), encoding="utf-8", newline="")
    try:
        read = read_predictions(path)
    except InputError:
        assert not made
        return
    if name == "p.xlsx":
        assert [(p.id, len(p.relations)) for p in read] == [(p.id, len(p.relations)) for p in made]
        assert [r.organism for p in read for r in p.relations] == [r.organism for p in made for r in p.relations]
    else:
        assert read == made


def test_parquet_keeps_the_evidence_and_what_no_table_of_text_holds(tmp_path):
    spans = [Evidence(0, 3, "One", "organism", "verbatim"), Evidence(4, 7, "two", "chemical", "list")]
    made = [
        Prediction("1", [Relation("One", "=two", 0.123456789, "NCBITaxon:1", "wikidata:Q2", spans, "new")]),
        Prediction("2", [], "no\u2028 such"),
        Prediction("3"),
    ]
    write_parquet(tmp_path / "p.parquet", [([], made)])
    read = read_predictions(tmp_path / "p.parquet")
    assert read[0] == made[0] and read[1].error == "no such" and read[2] == made[2]


def test_a_document_without_relations_and_one_that_failed_have_their_rows():
    documents = [Document("1", "T", "", pmid="7"), Document("2", "U", "")]
    made = [Prediction("1"), Prediction("2", error="too\nlong")]
    rows = list(csv.DictReader(io.StringIO(to_table(documents, made, "csv"))))
    assert [(row["document"], row["pmid"], row["organism"], row["status"]) for row in rows] == [
        ("1", "7", "", ""),
        ("2", "", "", "failed: too long"),
    ]


def test_a_workbook_holds_texts_as_texts(tmp_path):
    evil = '=HYPERLINK("http://x")'
    write_workbook(tmp_path / "p.xlsx", [], [Prediction("1", [Relation(evil, "a\x00\x0bb", 0.5)])])
    sheet = openpyxl.load_workbook(tmp_path / "p.xlsx").active
    cells = dict(zip(COLUMNS, next(sheet.iter_rows(min_row=2)), strict=True))
    assert (cells["organism"].data_type, cells["organism"].value) == ("s", evil)
    assert cells["chemical"].value == "a_x0000__x000B_b" and cells["score"].value == 0.5


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",Usnea,acid,0.5", "an id"),
        ("1,Usnea,,0.5", "both an organism and a chemical"),
        ("1,Usnea,acid,2", "a score from 0 to 1"),
        ("1,Usnea,acid,nan", "a score from 0 to 1"),
        ("1,Usnea,acid", "expected 4 fields"),
    ],
)
def test_a_bad_row_costs_itself_only(tmp_path, row, reason):
    (tmp_path / "p.csv").write_text(f"document,organism,chemical,score\n{row}\n2,Ruta,scopoletin,\n")
    context = Context()
    (prediction,) = read_predictions(tmp_path / "p.csv", context)
    assert prediction.id == "2" and reason in context.rejects.items[0]["reason"]
    with pytest.raises(InputError, match=reason):
        read_predictions(tmp_path / "p.csv")


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.xlsx", "p.json", "p.jsonl"])
def test_evaluate_scores_every_form_alike(cli, tmp_path, documents, name):
    from abroad.core.io import write_documents

    write_documents(tmp_path / "gold.jsonl", documents)
    assert cli("extract", tmp_path / "gold.jsonl", "--out", tmp_path / name).exit_code == 0
    result = cli("evaluate", "--gold", tmp_path / "gold.jsonl", "--pred", tmp_path / name, "--json")
    assert result.exit_code == 0, result.output
    assert '"without_prediction": 0' in result.stdout and '"f1": 0.0' not in result.stdout


def test_relations_of_other_fields_are_refused_in_columns_of_natural_products():
    binding = Relation("HNF-6", "MODY1", type="binds", head_type="gene", tail_type="gene")
    with pytest.raises(InputError, match="1: tables have columns for organism and chemical, found gene binds gene"):
        to_table([], [Prediction("1", [binding])], "csv")
