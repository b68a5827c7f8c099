"""Predictions as a Parquet file: the columns of the other tables, and all the evidence of each relation in one more.

It is written a part at a time, so that memory does not grow with it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abroad.core.errors import InputError, MissingDependencyError
from abroad.core.outputs import check_file
from abroad.core.schema import Evidence, Prediction, Relation
from abroad.documents.columns import PRODUCTS, Columns, columns_in, with_columns
from abroad.documents.formats import FAILED, table_rows
from abroad.documents.pairs import Part

if TYPE_CHECKING:
    import polars

EVIDENCE = "evidence"
MAGIC = b"PAR1"
_SLICE = 2_000
"""Rows that are in memory at a time."""


def write_parquet(out: Path, parts: Iterable[Part], otherwise: Columns = PRODUCTS) -> None:
    """Write all relations; the file is whole or as it was before.

    Raises:
        InputError: there are relations of natural products, and of another field too.
        MissingDependencyError: polars is not installed.
    """
    pl = _polars()
    check_file(out)
    columns, parts = with_columns(parts, otherwise)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as folder:
        files = []
        for number, part in enumerate(parts):
            files.append(Path(folder) / f"{number:06}.parquet")
            _frame(part, columns).write_parquet(files[-1])
        if not files:
            files = [Path(folder) / "none.parquet"]
            _frame(([], []), columns).write_parquet(files[0])
        whole = Path(folder) / "whole"
        pl.scan_parquet(files, low_memory=True, glob=False).sink_parquet(whole, compression="zstd")
        whole.replace(out)


def read_parquet(path: Path) -> Iterator[Prediction]:
    """The predictions of a file of `write_parquet`; counts that an extractor kept beside its relations are not in it.

    Raises:
        InputError: the file is damaged.
        MissingDependencyError: polars is not installed.
    """
    prediction: Prediction | None = None
    columns: Columns | None = None
    for row in parquet_records(path, str(path)):
        columns = columns or columns_in(list(row))
        if prediction is None or row["document"] != prediction.id:
            if prediction is not None:
                yield prediction
            prediction = Prediction(row["document"])
        _add(prediction, row, columns)
    if prediction is not None:
        yield prediction


def parquet_records(path: Path, name: str) -> Iterator[dict[str, Any]]:
    """The rows of any Parquet file, some thousands at a time.

    Raises:
        InputError: the file is damaged.
        MissingDependencyError: polars is not installed.
    """
    pl = _polars()
    try:
        frame = pl.scan_parquet(path, glob=False, low_memory=True)
        count = frame.select(pl.len()).collect().item()
        for start in range(0, count, _SLICE):
            yield from frame.slice(start, _SLICE).collect().iter_rows(named=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InputError(f"{name}: a damaged Parquet file ({str(error)[:200]})") from None


def _add(prediction: Prediction, row: dict[str, Any], columns: Columns) -> None:
    status, head, tail = row["status"], columns.head, columns.tail
    if row[head] is None:
        if status is not None and status.startswith(FAILED):
            prediction.error = status.removeprefix(FAILED)
        return
    evidence = [Evidence(**span) for span in row.get(EVIDENCE) or []]
    known = (row["score"], row[f"{head}_id"], row[f"{tail}_id"], evidence, status)
    relation = Relation(row[head], row[tail], *known)
    if columns.typed:
        relation.type = row["type"]
        relation.head_type, relation.tail_type = row["head_type"] or "", row["tail_type"] or ""
    prediction.relations.append(relation)


def _frame(part: Part, layout: Columns) -> polars.DataFrame:
    pl = _polars()
    documents, predictions = part
    evidence: list[list[dict[str, Any]]] = []
    for prediction in predictions:
        evidence += [[asdict(span) for span in relation.evidence] for relation in prediction.relations] or [[]]
    rows = table_rows(documents, predictions, layout, all_documents=True)
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in layout.names} | {EVIDENCE: evidence}
    span = pl.Struct({"start": pl.Int64, "end": pl.Int64, "text": pl.String, "role": pl.String, "rule": pl.String})
    kinds: dict[str, Any] = {name: pl.Float64 if name == "score" else pl.String for name in layout.names}
    frame: polars.DataFrame = pl.DataFrame(columns, schema=kinds | {EVIDENCE: pl.List(span)})
    return frame


def _polars() -> Any:
    try:
        import polars
    except ImportError:
        raise MissingDependencyError("polars", "sample", "a Parquet file") from None
    return polars
