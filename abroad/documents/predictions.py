"""Predictions in any form that `abroad extract` writes -> predictions: JSONL, JSON and the tables.

A table has labels, identifiers and scores; of the evidence all but Parquet has the words alone, and so its relations
come without. JSONL and Parquet are read record by record; of a table, whose rows may stand in any order, all of it.
"""

from __future__ import annotations

import contextlib
import math
from codecs import BOM_UTF8
from collections.abc import Iterator
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import each_prediction as each_json_prediction
from abroad.core.io import require_file
from abroad.core.plain import HEAD, open_plain, unpacked
from abroad.core.schema import Prediction, Relation
from abroad.documents.cells import from_cell
from abroad.documents.columns import Columns, columns_in
from abroad.documents.formats import FAILED
from abroad.documents.parquet import MAGIC, read_parquet
from abroad.documents.record_kinds import PREDICTIONS, expect
from abroad.sources.formats.recognise import decode, refuse_binary
from abroad.sources.formats.spreadsheets import Rows, read_delimited, read_workbook
from abroad.sources.tables import require_columns

_WHAT = "predictions, as `abroad extract` writes them (JSONL, JSON, CSV, TSV, XLSX, Parquet)"
_TYPES = ("type", "head_type", "tail_type")
_FIRST = "document"
"""The first column of every table of ours."""


def read_predictions(path: str | Path, context: Context | None = None) -> list[Prediction]:
    """Read predictions, told apart by their content.

    Args:
        path: of the file.
        context: its rejects are records and rows that are none; without it the first such record raises.

    Raises:
        InputError: the file cannot be read at all, or holds no prediction.
    """
    return list(each_prediction(path, context))


def each_prediction(path: str | Path, context: Context | None = None) -> Iterator[Prediction]:
    """As `read_predictions`, one after the other; those of JSONL and Parquet are never in memory together."""
    path = require_file(path, _WHAT)
    with open_plain(path) as stream:
        head = stream.read(HEAD)
    if head.startswith(MAGIC):
        yield from read_parquet(path)
        return
    workbook = head.startswith(b"PK\x03\x04")
    own = head.removeprefix(BOM_UTF8).startswith(_FIRST.encode())  # a table in which any sign may stand
    refuse_binary(head, str(path))
    if not workbook and not own and b"\0" in head:
        raise InputError(f"{path}: expected {_WHAT}, found binary data")
    if not workbook and (path.suffix.lower() in (".jsonl", ".json", ".ndjson") or not _is_table(head)):
        expect(PREDICTIONS, path, _WHAT)
        yield from each_json_prediction(path, context)
        return
    found = Context() if context is None else context
    data = unpacked(path.read_bytes(), str(path))
    rows = (
        read_workbook(data, str(path))[0]
        if workbook
        else read_delimited(_text(data, path, own), str(path), found.rejects.add, exact=True)
    )
    predictions = _read_rows(rows, path, found, escaped=not workbook)
    if context is None and found.rejects:
        raise InputError(f"{found.rejects.items[0]['where']}: {found.rejects.items[0]['reason']}")
    if not predictions:
        raise InputError(f"{path}: no usable prediction in the file{found.rejects.first()}")
    yield from predictions


def _text(data: bytes, path: Path, own: bool) -> str:
    if own and b"\0" in data:
        with contextlib.suppress(UnicodeDecodeError):
            return data.decode("utf-8-sig")
    return decode(data, str(path))


def _is_table(head: bytes) -> bool:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return not start.startswith((b"{", b"["))


def _read_rows(rows: Rows, path: Path, context: Context, escaped: bool) -> list[Prediction]:
    columns = columns_in(rows.header)
    require_columns(path, rows.header, columns.needed, _WHAT)
    places = {name: rows.header.index(name) for name in columns.names if name in rows.header}
    predictions: dict[str, Prediction] = {}
    for line, fields in rows.rows:
        cells = {name: fields[place] for name, place in places.items()}
        values = {name: from_cell(cell) if escaped else cell for name, cell in cells.items()}
        try:
            _add(predictions, values, columns)
        except InputError as error:
            context.rejects.add(f"{path}:{line}", str(error))
    return list(predictions.values())


def _add(predictions: dict[str, Prediction], values: dict[str, str], columns: Columns) -> None:
    """Add a row to the prediction of its document.

    Raises:
        InputError: it is no relation; the message says what was expected.
    """
    id, head, tail = (values[name] for name in (_FIRST, columns.head, columns.tail))
    if not id.strip():
        raise InputError("expected an id in the column 'document'")
    status = values.get("status") or None
    score = _score(values.get("score", ""))
    if bool(head.strip()) != bool(tail.strip()):
        first = f"{'an' if columns.head == 'organism' else 'a'} {columns.head}"
        raise InputError(f"expected both {first} and a {columns.tail}, or neither for a document without relations")
    if columns.typed and head.strip() and not values["type"].strip():
        raise InputError("expected the type of the relation in the column 'type'")
    prediction = predictions.setdefault(id, Prediction(id))
    if not head.strip():
        if status is not None and status.startswith(FAILED):
            prediction.error = status.removeprefix(FAILED)
        return
    ids = (values.get(f"{columns.head}_id") or None, values.get(f"{columns.tail}_id") or None)
    relation = Relation(head, tail, score, *ids, status=status)
    if columns.typed:
        relation.type, relation.head_type, relation.tail_type = (values.get(name, "") for name in _TYPES)
    prediction.relations.append(relation)


def _score(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not 0 <= score <= 1:
        raise InputError(f"expected a score from 0 to 1, found {text[:40]!r}")
    return score
