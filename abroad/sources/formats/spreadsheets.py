"""CSV, TSV and XLSX with a row a paper: which columns hold what is guessed from the header, or told.

A row with too many or too few fields costs itself only, and so does a quotation mark that does not close.
Tables of LOTUS's size are for `abroad.sources.tables`.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from abroad.core.errors import InputError
from abroad.core.jsonl import split_lines
from abroad.core.limits import check_zip
from abroad.core.record_fields import ABSTRACT, DOI, ID, PMID, TITLE, YEAR, find_field
from abroad.sources.delimited import UNCLOSED, Row, read_delimited_rows
from abroad.sources.formats.escapes import from_workbook
from abroad.sources.tables import shorten

Reject = Callable[[str, str], None]
DELIMITERS = (",", "\t", ";", "|")
_EXCEL_KEY = ("Key", "key")
"""Zotero's name for an id."""


@dataclass(frozen=True)
class ColumnNames:
    """The columns that the user named; None is guessed."""

    title: str | None = None
    abstract: str | None = None


@dataclass(frozen=True)
class Rows:
    """A table.

    Attributes:
        header: names of its columns.
        rows: (line, fields) of each row, as many fields as columns.
    """

    header: list[str]
    rows: Iterator[tuple[int, list[str]]]


def is_table(text: str, delimiter: str | None = None) -> bool:
    """Whether the first line of a text names columns that we know, or tabs divide every one of its first lines."""
    lines = [line for line in _lines(text[:20_000]) if line.strip()][:5]
    if not lines:
        return False
    delimiter = delimiter or find_delimiter(lines[0])
    header = _fields(lines[0], delimiter)
    known = any(find_field(field, header) for field in (TITLE, ABSTRACT, PMID, DOI))
    if known and len(header) > 1 and len(lines) > 1 and not lines[0].rstrip().endswith((".", "?")):
        return True
    tabs = lines[0].count("\t")
    return tabs > 0 and len(lines) > 1 and all(line.count("\t") == tabs for line in lines[:-1])


def find_delimiter(line: str) -> str:
    """The sign that divides the fields of a header."""
    return max(DELIMITERS, key=lambda sign: len(_fields(line, sign)))


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a field beyond the module's limit
        return []


def _lines(text: str) -> list[str]:
    """The lines of a table; a lone "\\r" ends one too, as old programs of the Mac have it."""
    return split_lines(text.replace("\r\n", "\n").replace("\r", "\n"))


def read_delimited(text: str, name: str, reject: Reject, exact: bool = False) -> Rows:
    """The rows of CSV or TSV; the delimiter is found in the header.

    Args:
        exact: keep each "\r" within a field, where the first line ends with "\n"; else it is a line end like others.
    """
    exact = exact and "\n" in text and "\r" not in text.partition("\n")[0].removesuffix("\r")
    lines = text.removesuffix("\n").split("\n") if exact else _lines(text)
    return read_delimited_lines((line + "\n" for line in lines), name, reject)


def read_delimited_lines(lines: Iterable[str], name: str, reject: Reject) -> Rows:
    """The rows of the lines of CSV or TSV, each with its end; they are read as the rows are asked for."""
    feed = iter(lines)
    start, first = next(((number, line) for number, line in enumerate(feed) if line.strip()), (0, ""))
    if first.lower().startswith("sep="):  # Excel's word on the delimiter
        start, first = start + 1, next(feed, "")
    if not first:
        raise InputError(f"{name}: an empty table")
    delimiter = find_delimiter(first)
    rows = read_delimited_rows(chain([first], feed), delimiter)
    header = _trimmed(_tolerant(next(rows), delimiter))
    return Rows(header, _rows(rows, start, delimiter, len(header), name, reject))


def _rows(
    rows: Iterator[Row], before: int, delimiter: str, width: int, name: str, reject: Reject
) -> Iterator[tuple[int, list[str]]]:
    for row in rows:
        line, fields = row.line + before, _tolerant(row, delimiter)
        if len(fields) > width and not any(field.strip() for field in fields[width:]):
            fields = fields[:width]
        if len(fields) == width:
            yield line, fields
        elif row.fault == UNCLOSED:
            reject(f"{name}:{line}", UNCLOSED)
        elif any(field.strip() for field in fields):
            reject(f"{name}:{line}", f"expected {width} fields, found {len(fields)}")


def _tolerant(row: Row, delimiter: str) -> list[str]:
    """The fields of a row, also where a word follows a quotation mark that closes, as in: a,"b" c."""
    return _fields(row.text.rstrip("\n"), delimiter) if row.fault and row.fault != UNCLOSED else row.fields


def read_workbook(data: bytes, name: str) -> tuple[Rows, list[str]]:
    """(rows of the first sheet that has any, names of the other sheets with rows) of an .xlsx file.

    Rows are read as they are asked for; the texts that they share are in memory, as openpyxl reads them.

    Raises:
        InputError: not a workbook, or all its sheets are empty.
    """
    import openpyxl

    with _whole(name):
        check_zip(data, name)
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        filled = [sheet for sheet in book.worksheets if next(_sheet_rows(sheet), None) is not None]
    if not filled:
        raise InputError(f"{name}: a workbook without any row")
    first, *others = filled
    rows = _read_rows(first, name)
    header = _trimmed(next(rows)[1])
    width = len(header)
    whole = ((number, (row + [""] * width)[:width]) for number, row in rows)
    return Rows(header, whole), [sheet.title for sheet in others]


@contextlib.contextmanager
def _whole(name: str) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # whatever a damaged zip or XML makes of openpyxl
        raise InputError(f"{name}: a damaged workbook; open it in Excel and save it anew, or as CSV") from error


def _read_rows(sheet: Any, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a sheet, each when it is asked for."""
    rows = _sheet_rows(sheet)
    while True:
        with _whole(name):
            row = next(rows, None)
        if row is None:
            return
        yield row


def _sheet_rows(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    for number, values in enumerate(sheet.iter_rows(values_only=True), 1):
        row = [_cell(value) for value in values]
        if any(map(str.strip, row)):
            yield number, row


def _cell(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else from_workbook(str(value))


def _trimmed(header: list[str]) -> list[str]:
    names = [name.strip() for name in header]
    while names and not names[-1]:
        names.pop()
    return names


def find_columns(header: Sequence[str], named: ColumnNames, name: str) -> dict[str, str]:
    """Field -> column, for title, abstract, PMID, DOI, id and year as far as the header has them.

    Raises:
        InputError: no column of the name told, or none of titles, abstracts, PMIDs or DOIs.
    """
    columns: dict[str, str] = {}
    told_of = {TITLE: named.title, ABSTRACT: named.abstract}
    for field in (TITLE, ABSTRACT, PMID, DOI, ID, YEAR):
        told = told_of.get(field)
        found = find_field(field, header) if told is None else _named(told, header, field, name)
        if found is not None and found not in columns.values():
            columns[field] = found
    if ID not in columns and PMID not in columns:
        key = next((column for column in _EXCEL_KEY if column in header), None)
        columns |= {ID: key} if key else {}
    if not {TITLE, ABSTRACT, PMID, DOI} & columns.keys():
        raise InputError(
            f"{name}: no column of titles, abstracts, PMIDs or DOIs (the first line names: {shorten(header)}); "
            "name them: --title-column NAME, --abstract-column NAME"
        )
    return columns


def _named(told: str, header: Sequence[str], field: str, name: str) -> str:
    found = next((column for column in header if column.lower() == told.strip().lower()), None)
    if found is None:
        option = "--title-column" if field == TITLE else "--abstract-column"
        raise InputError(f"{name}: {option} {told}: no such column (found: {shorten(header)})")
    return found


def describe(columns: dict[str, str]) -> str:
    """The guess, for people: "title from 'Title', PMID from 'PMID'; no column of abstracts"."""
    words = {TITLE: "title", ABSTRACT: "abstract", PMID: "PMID", DOI: "DOI", ID: "id", YEAR: "year"}
    said = ", ".join(f"{words[field]} from the column '{column}'" for field, column in columns.items())
    lacking = [f"no column of {words[field]}s" for field in (TITLE, ABSTRACT) if field not in columns]
    return "; ".join([said, *lacking])


def to_records(rows: Rows, columns: dict[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield (line, record) of each row."""
    places = {field: rows.header.index(column) for field, column in columns.items()}
    for line, row in rows.rows:
        values = {field: row[place].strip() for field, place in places.items()}
        yield line, {field: value for field, value in values.items() if value}
