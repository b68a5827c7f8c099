"""A stray quotation mark costs its own line, wherever it stands and whatever closes it; rows of several lines stay."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.sources.delimited import UNCLOSED, read_delimited_rows
from abroad.sources.formats.spreadsheets import read_delimited
from abroad.sources.tables import read_rows

COUNT = 100
CLOSERS = ['3" wide', '"quoted"', 'a "word"', '5"', '"', '""', "plain"]


def table(stray, closer, place, columns, delimiter):
    """Rows of short cells; row 3 has the stray mark, row `place` what may close it."""
    rows = [[f"c{column} of {number}" for column in range(columns)] for number in range(COUNT)]
    rows[3][1], rows[place][1] = stray, closer
    header = delimiter.join(["title", "abstract", *(f"x{n}" for n in range(columns - 2))])
    return "\n".join([header, *(delimiter.join(row) for row in rows)]) + "\n"


@pytest.mark.parametrize("stray", ['"an open quote', '"', '"5" wide', '"x""'])
@pytest.mark.parametrize("closer", CLOSERS)
@pytest.mark.parametrize("place", [10, 95])
@pytest.mark.parametrize(("columns", "delimiter"), [(2, "\t"), (3, ","), (4, ";"), (9, ",")])
def test_a_stray_mark_swallows_no_other_row(tmp_path, stray, closer, place, columns, delimiter):
    """By either reader; the row of what closes it may be broken by itself."""
    text = table(stray, closer, place, columns, delimiter)
    (tmp_path / "t.csv").write_text(text)
    context = Context()
    wide = [fields[0] for _, fields in read_rows(tmp_path / "t.csv", ("title", "abstract"), delimiter, "x", context)]
    lines = [fields[0] for _, fields in read_delimited(text, "t.csv", context.rejects.add).rows]
    for found in (wide, lines):
        missing = {f"c0 of {number}" for number in range(COUNT)} - set(found)
        assert missing <= {"c0 of 3", f"c0 of {place}"} and len(found) == len(set(found))
    assert all(
        item["where"] in ("t.csv:5", f"t.csv:{place + 2}") for item in context.rejects.items if item["where"][0] == "t"
    )


@given(
    st.lists(st.lists(st.text(st.sampled_from('ab "|\n'), max_size=12), min_size=3, max_size=3), max_size=8),
    st.sampled_from(",;"),
)
def test_what_is_written_well_is_read_as_it_was(rows, delimiter):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerows([["x", "y", "z"], *rows])
    found = list(read_delimited_rows(io.StringIO(stream.getvalue(), newline=""), delimiter))
    assert [row.fields for row in found[1:]] == rows and not any(row.fault for row in found)
    lines = [row.line for row in found]
    assert lines == sorted(set(lines)) and lines[-1] <= stream.getvalue().count("\n")


def test_an_abstract_of_several_lines_is_one_field():
    text = 'id,abstract\n1,"One, two\nthree, four\n\nfive"\n2,six\n'
    assert [row.fields for row in read_delimited_rows(io.StringIO(text), ",")][1] == [
        "1",
        "One, two\nthree, four\n\nfive",
    ]


def test_many_stray_marks_cost_as_many_rows_in_bounded_time():
    text = "a,b,c\n" + "".join(f'{n},"x,y\n' if n % 2 else f"{n},x,y\n" for n in range(2_000))
    rows = list(read_delimited_rows(io.StringIO(text), ","))
    assert len(rows) == 2_001 and sum(row.fault == UNCLOSED for row in rows) == 1_000
