"""The documents nearest to a text, by BM25 (Robertson and Zaragoza 2009), from bm25s."""

from __future__ import annotations

from collections.abc import Sequence

from abroad.core.errors import InputError
from abroad.core.schema import Document


class Bm25Index:
    """An index over titles and abstracts.

    Args:
        documents: what to search; the order breaks ties.
    Raises:
        InputError: no documents.
    """

    def __init__(self, documents: Sequence[Document]) -> None:
        import bm25s

        if not documents:
            raise InputError("no documents to search; expected at least one")
        self._documents = list(documents)
        self._index = bm25s.BM25()
        self._index.index(_tokens([document.text for document in documents]), show_progress=False)

    def nearest(self, text: str, count: int, leave_out: str | None = None) -> list[Document]:
        """Up to `count` documents that share words with the text, best first.

        Args:
            leave_out: id of a document that is not to be found.
        """
        wanted = min(count + (leave_out is not None), len(self._documents))
        query = _tokens([text])
        if not query[0]:
            return []
        places, scores = self._index.retrieve(query, k=wanted, show_progress=False, sorted=True)
        found = [self._documents[place] for place, score in zip(places[0], scores[0], strict=True) if score > 0]
        return [document for document in found if document.id != leave_out][:count]


def _tokens(texts: list[str]) -> list[list[str]]:
    import bm25s

    return bm25s.tokenize(texts, stopwords="en", return_ids=False, show_progress=False)
