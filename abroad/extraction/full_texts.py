"""Documents of any length through an extractor: full texts part by part (`abroad.documents.parts`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from abroad.core.schema import Document, Prediction
from abroad.documents.parts import merged, parts
from abroad.extraction.base import Extractor, predictions_of


def extracted(extractor: Extractor, documents: Sequence[Document]) -> Iterator[Prediction]:
    """The predictions of documents, as they are ready; a full text is extracted part by part, and has one too."""
    read: list[Document] = []
    owners: dict[str, Document] = {}
    waiting: dict[str, tuple[int, list[Prediction]]] = {}
    for document in documents:
        some = parts(document)
        read += some
        if len(some) > 1:
            owners |= dict.fromkeys((part.id for part in some), document)
            waiting[document.id] = (len(some), [])
    for prediction in predictions_of(extractor, read):
        owner = owners.get(prediction.id)
        if owner is None:
            yield prediction
            continue
        count, found = waiting[owner.id]
        found.append(prediction)
        if len(found) == count:
            yield merged(owner, found)
