"""Documents beside their predictions, from the two files of a run, a part at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from abroad.core.io import read_records
from abroad.core.schema import Document, Prediction

Part = tuple[list[Document], list[Prediction]]
_SIZE = 1_000


def parts_of(documents: Path, predictions: Path, size: int = _SIZE) -> Iterator[Part]:
    """Yield some predictions with their documents, until there are no more.

    Args:
        documents: JSONL, in the order of the predictions; there may be more.
        predictions: JSONL.
        size: predictions of a part.
    """
    texts = (Document.from_dict(record) for record in _records(documents))
    predicted = (Prediction.from_dict(record) for record in _records(predictions))
    while part := list(islice(predicted, size)):
        yield list(_until(part[-1].id, texts)), part


def _until(id: str, documents: Iterable[Document]) -> Iterator[Document]:
    for document in documents:
        yield document
        if document.id == id:
            return


def _records(path: Path) -> Iterator[Any]:
    return (record for _, _, record in read_records(path)) if path.exists() and path.stat().st_size else iter(())
