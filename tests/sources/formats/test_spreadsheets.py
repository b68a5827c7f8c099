"""Tables of papers: any delimiter, columns guessed or named, and a broken row costs itself only."""

import contextlib
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.sources.formats.spreadsheets import (
    ColumnNames,
    find_columns,
    is_table,
    read_delimited,
    read_workbook,
    to_records,
)


def read(text, named=ColumnNames()):
    rejects = []
    rows = read_delimited(text, "t.csv", lambda where, reason: rejects.append((where, reason)))
    return list(to_records(rows, find_columns(rows.header, named, "t.csv"))), rejects


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_any_delimiter_and_fields_with_line_ends(delimiter):
    text = delimiter.join(["Title", "Abstract", "DOI"]) + "\r\n"
    text += delimiter.join(["T", '"A, b;\nc "" d"', "10.1021/x"]) + "\r\n\r\n"
    records, rejects = read(text)
    assert records == [(2, {"ArticleTitle": "T", "AbstractText": 'A, b;\nc " d', "doi": "10.1021/x"})] and not rejects


@pytest.mark.parametrize("stray", ['a,"an open quote', '"a,b', 'a,"b""', '"'])
@pytest.mark.parametrize("place", [0, 40, 92])
def test_a_stray_quotation_mark_costs_one_row(stray, place):
    rows = [f"t{n},a{n}" for n in range(92)]
    rows.insert(place, stray)
    records, rejects = read("\n".join(["title,abstract", *rows]))
    assert [record["ArticleTitle"] for _, record in records] == [f"t{n}" for n in range(92)]
    assert rejects == [(f"t.csv:{place + 2}", "a quotation mark that does not close")]


def test_two_stray_quotation_marks_cost_two_rows():
    records, rejects = read('title,abstract\na,"open\nt0,a0\nb,"x\nt1,"a ""quoted"" word"\nt2,5" wide\n')
    assert [record["ArticleTitle"] for _, record in records] == ["t0", "t1", "t2"]
    assert [where for where, _ in rejects] == ["t.csv:2", "t.csv:4"]


def test_a_comma_outside_quotes_costs_one_row():
    records, rejects = read("title,abstract\na,b,c\nd,e\nf\ng,h,,\n")
    assert [record["ArticleTitle"] for _, record in records] == ["d", "g"]
    assert rejects == [("t.csv:2", "expected 2 fields, found 3"), ("t.csv:4", "expected 2 fields, found 1")]


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from('",;\t|\n'), max_size=8)


@given(st.lists(st.tuples(cells, cells, cells), max_size=8), st.sampled_from(",;\t|"))
def test_what_the_csv_module_writes_is_read_back(rows, delimiter):
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter)
    writer.writerows([("PMID", "Title", "Abstract"), *rows])
    table = read_delimited(stream.getvalue(), "t", lambda where, reason: pytest.fail(reason))
    blank = [row for _, row in table.rows if any(row)]
    assert blank == [list(row) for row in rows if any(row)]


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text):
    with contextlib.suppress(InputError):
        list(read_delimited(text, "t", lambda where, reason: None).rows)


def test_columns_are_guessed_or_named():
    assert find_columns(["Key", "Item Type", "Title", "Abstract Note", "DOI"], ColumnNames(), "z") == {
        **{"ArticleTitle": "Title", "AbstractText": "Abstract Note", "doi": "DOI"},
        "id": "Key",
    }
    assert find_columns(["Name", "What"], ColumnNames("name", "WHAT"), "t") == {
        "ArticleTitle": "Name",
        "AbstractText": "What",
    }
    with pytest.raises(InputError, match="--title-column"):
        find_columns(["Name", "What"], ColumnNames(), "t")
    with pytest.raises(InputError, match=r"no such column \(found: Name, What\)"):
        find_columns(["Name", "What"], ColumnNames(abstract="Abs"), "t")


def workbook(*sheets):
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_workbook():
    data = workbook(
        ("empty", []),
        ("papers", [[], ["PMID", "Title", "Abstract"], [25706243.0, "T", "A"], [], [2, "U"]]),
        ("b", [["x"]]),
    )
    rows, others = read_workbook(data, "t.xlsx")
    assert others == ["b"]
    assert list(to_records(rows, find_columns(rows.header, ColumnNames(), "t"))) == [
        (3, {"PMID": "25706243", "ArticleTitle": "T", "AbstractText": "A"}),
        (5, {"PMID": "2", "ArticleTitle": "U"}),
    ]


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04xl/", workbook(("a", []))])
def test_a_damaged_or_empty_workbook_is_an_input_error(data):
    with pytest.raises(InputError, match="workbook"):
        read_workbook(data, "t.xlsx")


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("PMID,Title,Authors\n1,T,A\n", True),
        ("a\tb\nc\td\n", True),
        ("Title, abstract and more are words of this sentence.\n", False),
        ("Berberine, of Coptis, was found.\n\nMore, of it.", False),
        ("", False),
    ],
)
def test_tables_are_told_from_prose(text, table):
    assert is_table(text) == table
