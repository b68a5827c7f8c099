"""Formats of predictions, and those that are tables for people and spreadsheets: CSV, TSV and XLSX, a row a relation.

A document without relations has a row of its own with nothing but its ids, and one that failed a row whose status
says why: whoever curates sees that it was read, or was not.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.io import atomic_write
from abroad.core.jsonl import without_halves
from abroad.core.schema import Document, Prediction
from abroad.documents.cells import to_cell
from abroad.documents.columns import PRODUCTS, Cell, Columns, columns_of, with_columns
from abroad.documents.pairs import Part
from abroad.sources.formats.escapes import to_workbook

FORMATS: dict[str, tuple[str, ...]] = {
    "jsonl": (".jsonl", ".ndjson"),
    "json": (".json",),
    "csv": (".csv",),
    "tsv": (".tsv", ".tab", ".txt"),
    "xlsx": (".xlsx",),
    "parquet": (".parquet",),
    "spacy": (".spacy",),
}
"""Format -> endings of its files, the usual one first."""
ENDINGS = tuple(ending for endings in FORMATS.values() for ending in endings)
BINARY = ("xlsx", "parquet", "spacy")
FAILED = "failed: "
"""What the status of a document that could not be processed begins with."""

Row = dict[str, Cell]
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_END = "\r\n"
_MAX_CELL = 32_767  # characters, of Excel


def format_of(format: str | None, out: Path | None) -> str:
    """The format that was asked for, else that of the file's ending; JSONL for standard output.

    Raises:
        InputError: another one, an ending of another format than was asked for, or neither format nor ending.
    """
    if format is not None and format not in FORMATS:
        raise InputError(f"--format {format}: expected one of: {', '.join(FORMATS)}")
    if out is None:
        return format or "jsonl"
    ending = out.suffix.lower()
    found = next((name for name, endings in FORMATS.items() if ending in endings), None)
    if format is not None and found not in (format, None):
        raise InputError(
            f"--out {out} --format {format}: the name says {found}; expected a name in {FORMATS[format][0]}"
        )
    if format is not None:
        return format
    if not ending:
        raise InputError(f"--out {out}: no ending that tells the format; expected {', '.join(ENDINGS)}, or --format")
    if found is None:
        raise InputError(f"--out {out}: unknown ending {ending}; expected {', '.join(ENDINGS)}, or --format")
    return found


def to_table(documents: Sequence[Document], predictions: Iterable[Prediction], kind: str) -> str:
    """All relations as "csv" or "tsv", quoted as RFC 4180 has it, in cells that no spreadsheet computes."""
    return "".join(table_lines([(list(documents), list(predictions))], kind))


def table_lines(parts: Iterable[Part], kind: str, otherwise: Columns = PRODUCTS) -> Iterator[str]:
    """The lines of a table of "csv" or "tsv", its header first; some documents and their predictions at a time.

    Args:
        otherwise: the columns where there is no relation.
    Raises:
        InputError: there are relations of natural products, and of another field too.
    """
    lines = _Lines()
    writer = csv.writer(lines, delimiter=_DELIMITERS[kind], lineterminator=_END)
    columns, parts = with_columns(parts, otherwise)
    writer.writerow(columns.names)
    for documents, predictions in parts:
        for row in table_rows(documents, predictions, columns, all_documents=True):
            score = row["score"]
            row["score"] = None if not isinstance(score, int | float) else f"{score:.4f}"
            writer.writerow(["" if value is None else to_cell(str(value)) for value in row.values()])
        yield lines.taken()
    yield lines.taken()


class _Lines:
    """Takes rows of a writer that ends them with CR LF, and so quotes both signs; here they end with LF."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def write(self, row: str) -> None:
        self._lines.append(row.removesuffix(_END) + "\n")

    def taken(self) -> str:
        """The lines since it was asked last."""
        text = "".join(self._lines)
        self._lines.clear()
        return text


def array_lines(records: Iterable[Any]) -> Iterator[str]:
    """The lines of a JSON array of records with an indent of 2, one record after the other."""
    between = "[\n"
    for record in records:
        text = json.dumps(record, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        yield f"{between}  {without_halves(text)}"
        between = ",\n"
    yield "[]\n" if between == "[\n" else "\n]\n"


def write_workbook(
    out: Path, documents: Sequence[Document], predictions: Iterable[Prediction], otherwise: Columns = PRODUCTS
) -> None:
    """Write all relations as an .xlsx file: texts as texts, scores as numbers; what XML cannot hold is escaped.

    Raises:
        InputError: there are relations of natural products, and of another field too.
    """
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    predictions = list(predictions)
    columns = columns_of(predictions, otherwise)
    rows = table_rows(documents, predictions, columns, all_documents=True)
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("relations")
    sheet.freeze_panes = "A2"
    sheet.append(columns.names)
    for row in rows:
        cells: list[Any] = []
        for value in row.values():
            if isinstance(value, str):
                cell = WriteOnlyCell(sheet, to_workbook(value)[:_MAX_CELL])
                cell.data_type = "s"  # else openpyxl takes what begins with "=" for a formula
                cells.append(cell)
            else:
                cells.append(value if value is None else round(value, 4))
        sheet.append(cells)
    with atomic_write(out, binary=True) as stream:
        book.save(stream)


def table_rows(
    documents: Sequence[Document],
    predictions: Iterable[Prediction],
    columns: Columns = PRODUCTS,
    all_documents: bool = False,
) -> list[Row]:
    """A row for each relation, by the names of the columns; None where a thing is not known.

    Args:
        documents: those of the predictions, for PMID and DOI; one that is not among them has neither.
        predictions: of any extractor.
        columns: of the field of the relations.
        all_documents: a row for each prediction without relations too.
    Raises:
        InputError: a relation is of natural products and the columns are of another field, or the other way round.
    """
    by_id = {document.id: document for document in documents}
    rows = []
    for prediction in predictions:
        bare = _bare_row(prediction, by_id.get(prediction.id), columns)
        rows += [bare | columns.row(prediction.id, relation) for relation in prediction.relations]
        if all_documents and not prediction.relations:
            failed = None if prediction.error is None else FAILED + " ".join(str(prediction.error).split())
            rows.append(bare | {"status": failed})
    return rows


def _bare_row(prediction: Prediction, document: Document | None, columns: Columns) -> Row:
    row: Row = dict.fromkeys(columns.names)
    return row | {"document": prediction.id} | ({"pmid": document.pmid, "doi": document.doi} if document else {})
