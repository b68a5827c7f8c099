"""Predictions in JSON that hold the text which their offsets count in, for whoever has no file beside the output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from abroad.core.io import atomic_write, write_jsonl
from abroad.core.schema import Document, Prediction
from abroad.documents.formats import array_lines
from abroad.pipeline.extract import records_with_documents


def with_texts(documents: Sequence[Document], predictions: Sequence[Prediction]) -> Iterator[dict[str, Any]]:
    """The record of each prediction, with the text of its document."""
    texts = {document.id: document.text for document in documents}
    return ({**prediction.to_dict(), "text": texts[prediction.id]} for prediction in predictions)


def add_texts(out: Path, kind: str) -> None:
    """Write the texts into predictions that were written; nothing where they are no JSON."""
    records = (record for part in records_with_documents(out, kind) for record in with_texts(*part))
    if kind == "jsonl":
        write_jsonl(out, records)
    elif kind == "json":
        with atomic_write(out) as stream:
            stream.writelines(array_lines(records))
