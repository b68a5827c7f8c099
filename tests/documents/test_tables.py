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
from abroad.documents.columns import PRODUCTS
from abroad.documents.formats import table_lines, to_table, write_workbook
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
    cells = dict(zip(PRODUCTS.names, next(sheet.iter_rows(min_row=2)), strict=True))
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


BINDING = Relation("HNF-6", "=MODY1", 0.5, "NCBIGene:3175", type="binds", head_type="gene", tail_type="gene")


def write_table(path, parts):
    """Parts of predictions in the form that the ending says."""
    kind = path.suffix[1:]
    if kind == "xlsx":
        write_workbook(path, [], [prediction for _, part in parts for prediction in part])
    elif kind == "parquet":
        write_parquet(path, parts)
    else:
        path.write_text("".join(table_lines(parts, kind)), encoding="utf-8", newline="")


def test_a_table_of_natural_products_is_as_it_was():
    spans = [Evidence(0, 3, "One", "organism", "genus"), Evidence(4, 7, "two", "chemical", "list")]
    made = [
        Prediction("0"),
        Prediction("1", [Relation("One", "=two", 0.98765, "NCBITaxon:1", "wikidata:Q2", spans, "new")]),
        Prediction("2", [Relation("a, b", "c\nd")]),
        Prediction("3", error="no such"),
    ]
    assert to_table([Document("1", "T", "", pmid="7", doi="10.1/x")], made, "csv") == (
        "document,pmid,doi,organism,organism_id,chemical,chemical_id,score,status,organism_text,chemical_text,rule\n"
        "0,,,,,,,,,,,\n"
        "1,7,10.1/x,One,NCBITaxon:1,'=two,wikidata:Q2,0.9877,new,One,two,list\n"
        '2,,,"a, b",,"c\nd",,,,,,\n'
        "3,,,,,,,,failed: no such,,,\n"
    )


def test_a_table_of_another_field_names_head_type_and_tail():
    made = [Prediction("0"), Prediction("1", [BINDING])]
    assert to_table([Document("1", "T", "", pmid="7")], made, "csv") == (
        "document,pmid,doi,head,type,tail,head_id,tail_id,head_type,tail_type,score,status,head_text,tail_text,rule\n"
        "0,,,,,,,,,,,,,,\n"
        "1,7,,HNF-6,binds,'=MODY1,NCBIGene:3175,,gene,gene,0.5000,,,,\n"
    )


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.xlsx", "p.parquet"])
@given(predictions, st.sampled_from([("gene", "gene"), ("bacterium", ""), ("", "")]))
def test_relations_of_any_field_are_read_again(tmp_path_factory, name, made, types):
    path = tmp_path_factory.mktemp("tables") / name
    for relation in (relation for prediction in made for relation in prediction.relations):
        relation.type, (relation.head_type, relation.tail_type) = "binds", types
    write_table(path, [([], [prediction]) for prediction in made])
    try:
        read = read_predictions(path)
    except InputError:
        assert not made
        return
    if name == "p.xlsx":
        assert [[(r.head, r.type, r.tail, r.head_type) for r in p.relations] for p in read] == [
            [(r.head, r.type, r.tail, r.head_type) for r in p.relations] for p in made
        ]
    else:
        assert read == made


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.xlsx", "p.parquet"])
@pytest.mark.parametrize("first", [0, 1])
def test_a_table_is_of_one_field(tmp_path, name, first):
    two = [Prediction("1", [BINDING]), Prediction("2", [Relation("Usnea", "usnic acid")])]
    parts = [([], [Prediction("0")]), ([], [two[first]]), ([], [two[1 - first]])]
    with pytest.raises(InputError, match="natural products or of another field, and not both in one table"):
        write_table(tmp_path / name, parts)
    assert name in ("p.csv", "p.tsv") or not (tmp_path / name).exists()


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_a_data_frame_has_the_columns_of_the_field(library):
    import abroad

    pytest.importorskip(library)
    frame = abroad.predictions_frame([Prediction("0"), Prediction("1", [BINDING])], library=library)
    assert [frame[name][0] for name in ("head", "type", "tail", "tail_type", "score")] == [
        *("HNF-6", "binds", "=MODY1", "gene", 0.5)
    ]


@pytest.mark.parametrize(
    ("row", "reason"), [("1,a,,b", "the type of the relation"), ("1,a,binds,", "both a head and a tail")]
)
def test_a_bad_row_of_another_field_costs_itself_only(tmp_path, row, reason):
    (tmp_path / "p.csv").write_text(f"document,head,type,tail\n{row}\n2,c,binds,d\n")
    context = Context()
    (prediction,) = read_predictions(tmp_path / "p.csv", context)
    assert prediction.id == "2" and reason in context.rejects.items[0]["reason"]


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.xlsx", "p.parquet", "p.jsonl"])
def test_evaluate_of_a_field_scores_every_form_alike(cli, tmp_path, name):
    from abroad.core.field_file import NewField, new_field

    field = NewField(name="bio", head="bacterium", tail="pollutant", verb="degrades")
    (tmp_path / "bio.yaml").write_text(new_field(field))
    entities = [{"id": "b", "label": "Ab c", "type": "bacterium"}, {"id": "p", "label": "tar", "type": "pollutant"}]
    relations = [{"head": "b", "type": "degrades", "tail": "p"}]
    texts = [{"id": id, "AbstractText": "Ab c degrades tar.", "entities": entities} for id in ("1", "2")]
    write_jsonl(tmp_path / "gold.jsonl", [text | {"relations": relations} for text in texts])
    said = {"type": "degrades", "head_type": "bacterium", "tail_type": "pollutant"}
    made = [Prediction("1", [Relation("Ab c", "tar", **said)]), Prediction("2")]
    if name == "p.jsonl":
        write_jsonl(tmp_path / name, [prediction.to_dict() for prediction in made])
    else:
        write_table(tmp_path / name, [([], made)])
    files = ("--gold", tmp_path / "gold.jsonl", "--pred", tmp_path / name, "--field", tmp_path / "bio.yaml")
    result = cli("evaluate", *files, "--json")
    assert result.exit_code == 0, result.output
    assert '"recall": 50.0' in result.stdout and '"precision": 100.0' in result.stdout
