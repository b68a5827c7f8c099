"""Which document of the database one that is read now is: the same, a corrected text of it, or another of its id.

A document is told by its PMID, else its DOI. Where one side has neither, ids are compared, and since exports number
their records alike ("export-1"), the texts too: what shares most of the other's words is a corrected text, and
anything else another document, which is kept beside the first under an id of its own. Two texts of one publication that
differ, as an abstract and a full text do, are two documents of one publication, which counts once
(`abroad.knowledge.combine`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from abroad.core.record_fields import read_doi
from abroad.core.resume import digest
from abroad.core.schema import Document
from abroad.core.scratch import SeenIds
from abroad.knowledge.store import Store
from abroad.text.characters import normalise_upstream
from abroad.text.near_duplicates import shingles

_SHARED = 0.5
"""Share of runs of four words from which on two texts are versions of one; of texts on one topic it is some percent."""
_QUERY = "SELECT id, given, digest, text_key, pmid, doi, title FROM document WHERE"


@dataclass(frozen=True)
class Shelved:
    """A document of the database; `given` is the id that its file gives it."""

    id: str
    given: str
    digest: str
    text_key: str
    pmid: str | None
    doi: str | None
    title: str


@dataclass(frozen=True)
class Place:
    """Where a document goes.

    Attributes:
        id: in the database.
        before: what is there now; None for a new document.
        beside: whether another document has its id, so that it goes by one of its own.
        again: whether this build has another copy of its text already.
    """

    id: str
    before: Shelved | None = None
    beside: bool = False
    again: bool = False


@dataclass
class Shelf:
    """Finds places for the documents of one build, one after the other; use as a context manager."""

    store: Store
    _own: SeenIds = field(default_factory=SeenIds)
    """Ids in the database of what this build has put there or found unchanged."""
    _by_key: dict[tuple[str, str], list[Shelved]] = field(default_factory=dict)
    _texts: dict[str, str] = field(default_factory=dict)
    """Id -> text, of those that are not in the database yet."""

    def look(self, documents: Sequence[Document]) -> None:
        """Find out what the database has that may be one of these."""
        wanted = {
            "id": {document.id for document in documents},
            "given": {document.id for document in documents},
            "pmid": {document.pmid for document in documents if document.pmid},
            "doi": {doi for document in documents if (doi := doi_of(document))},
        }
        rows: dict[str, tuple[Any, ...]] = {}
        for column, values in wanted.items():
            if values:
                marks = ", ".join("?" * len(values))
                rows |= {row[0]: row for row in self.store.query(f"{_QUERY} {column} IN ({marks})", sorted(values))}
        self._by_key, self._texts = {}, {}
        for id in sorted(rows):
            self._add(Shelved(*rows[id]))

    def place(self, document: Document, own_digest: str) -> Place:
        """Where one of the documents that were looked for goes; it is taken to be there from now on."""
        near = self._near(document)
        before = next((one for one in near if self._is_same(document, one)), None)
        if before is not None and before.id in self._own and before.given != document.id:
            return Place(before.id, before, again=True)
        taken = before is None and any(document.id in (one.given, one.id) for one in near)
        id = before.id if before else f"{document.id}~{digest(document.text)[:8]}" if taken else document.id
        self._own.add(id)
        self._texts[id] = document.text
        placed = Shelved(
            id, document.id, own_digest, text_key(document), document.pmid, doi_of(document), document.title
        )
        self._add(placed)
        return Place(id, before, beside=taken)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._own.__exit__(*error)

    def _add(self, one: Shelved) -> None:
        for key in (("id", one.id), ("given", one.given), ("pmid", one.pmid), ("doi", one.doi)):
            if key[1]:
                others = self._by_key.setdefault((key[0], key[1]), [])
                others[:] = [other for other in others if other.id != one.id] + [one]

    def _near(self, document: Document) -> list[Shelved]:
        """What may be the document: of its id first, then of its publication."""
        keys = (("id", document.id), ("given", document.id), ("pmid", document.pmid), ("doi", doi_of(document)))
        found = {one.id: one for kind, value in keys if value for one in self._by_key.get((kind, value), ())}
        return sorted(found.values(), key=lambda one: (one.given != document.id, one.text_key != text_key(document)))

    def _is_same(self, document: Document, one: Shelved) -> bool:
        if document.id in (one.given, one.id):
            if one.text_key == text_key(document):
                return True
            same = _same_publication(document, one)
            return self._is_version(document, one) if same is None else same
        return one.text_key == text_key(document) or self._is_copy(document, one)

    def _is_version(self, document: Document, one: Shelved) -> bool:
        """Whether one text shares most of the shorter of the two; without a text to compare, whether titles agree."""
        text = self._text(one)
        if text is None:
            return normalise_upstream(one.title) == normalise_upstream(document.title)
        own, other = shingles(document.text), shingles(text)
        return len(own & other) >= _SHARED * min(len(own), len(other))

    def _is_copy(self, document: Document, one: Shelved) -> bool:
        """Whether two texts of one publication share most of all that they have."""
        text = self._text(one)
        if text is None:
            return False
        own, other = shingles(document.text), shingles(text)
        return len(own & other) >= _SHARED * len(own | other)

    def _text(self, one: Shelved) -> str | None:
        if one.id in self._texts:
            return self._texts[one.id]
        rows = self.store.query("SELECT title, abstract FROM document WHERE id = ?", (one.id,))
        return f"{rows[0][0]} {rows[0][1]}" if rows and rows[0][1] is not None else None


def _same_publication(document: Document, one: Shelved) -> bool | None:
    """Whether identifiers say that two are of one publication; None where they say nothing."""
    if document.pmid and one.pmid:
        return document.pmid == one.pmid
    doi = doi_of(document)
    return doi == one.doi if doi and one.doi else None


def doi_of(document: Document) -> str | None:
    """The DOI in lower case, without an address."""
    return (read_doi(document.doi) or document.doi or "").lower() or None


def text_key(document: Document) -> str:
    """Equal for texts that differ in case, spaces and signs alone."""
    return digest(normalise_upstream(document.text))
