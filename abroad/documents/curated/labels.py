"""Labels without their text: one abstract's entities and relations, and hashes that its text is known by.

The format of `data/curated/*.jsonl`; `abroad.documents.curated.join` makes documents of it. No text is kept here,
and none can be made from the hashes.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_records
from abroad.core.schema import Document, Entity

Span = tuple[int, int]
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DOI_PREFIX = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)", re.IGNORECASE)
_LABELS = "labels (JSONL, as data/curated/README.md describes them)"


def normal(text: str) -> str:
    """The form of a title or an abstract that is hashed and that offsets count in.

    Unicode NFC; every run of white space (`str.split`) is one space; none at either end.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def text_sha256(title: str, abstract: str) -> str:
    """SHA-256 of the UTF-8 of the normal title, one space, the normal abstract; the space stays if the title is empty.

    Equal hashes mean equal texts, so that offsets hold.
    """
    return hashlib.sha256(f"{normal(title)} {normal(abstract)}".encode()).hexdigest()


def words_sha256(text: str) -> str | None:
    """SHA-256 of the letters and digits alone (NFKC, case folded); None if there are none.

    Equal hashes mean the same words, whatever the punctuation, spaces and case; offsets may differ.
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(character for character in folded if character.isalnum())
    return hashlib.sha256(letters.encode()).hexdigest() if letters else None


def plain_doi(doi: str | None) -> str | None:
    """A DOI in lower case without the address before it; None for an empty one."""
    return _DOI_PREFIX.sub("", (doi or "").strip()).lower() or None


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of one abstract without its text.

    Attributes:
        source: the collection that the text was taken from.
        text_sha256: see `text_sha256`.
        title_sha256: see `words_sha256`; None where the abstract was read without its title.
        abstract_sha256: see `words_sha256`.
        organisms: entities; `extra["spans"]` are [start, end] offsets into the normal text.
        chemicals: entities, with `extra["type"]` "chemical" or "class", and spans as well.
        relations: (organism id, chemical id) pairs.
    """

    id: str
    pmid: str | None
    doi: str | None
    source: str
    text_sha256: str
    title_sha256: str | None
    abstract_sha256: str | None
    organisms: list[Entity] = field(default_factory=list, hash=False)
    chemicals: list[Entity] = field(default_factory=list, hash=False)
    relations: list[tuple[str, str]] = field(default_factory=list, hash=False)

    @classmethod
    def from_dict(cls, record: Any) -> Labels:
        """Check and convert one record.

        Raises:
            InputError: names the field that is wrong and what was expected.
        """
        if not isinstance(record, dict):
            raise InputError("expected an object with id, text_sha256, organisms, chemicals and relations")
        for name in ("text_sha256", "title_sha256", "abstract_sha256"):
            value = record.get(name)
            if (value is None and name != "text_sha256") or (isinstance(value, str) and _SHA256.fullmatch(value)):
                continue
            raise InputError(f"expected 64 hexadecimal digits in {name}")
        # Entities and relations are those of a document; an abstract is lent for the check alone.
        document = Document.from_dict({**record, "AbstractText": "-"})
        for entity in (*document.organisms, *document.chemicals):
            _check_spans(entity)
        return cls(
            document.id,
            document.pmid or None,
            plain_doi(document.doi),
            str(record.get("source") or ""),
            record["text_sha256"],
            record.get("title_sha256"),
            record.get("abstract_sha256"),
            document.organisms,
            document.chemicals,
            document.pairs,
        )

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "PMID": self.pmid,
            "doi": self.doi,
            "source": self.source,
            "text_sha256": self.text_sha256,
            "title_sha256": self.title_sha256,
            "abstract_sha256": self.abstract_sha256,
            "organisms": [entity.to_dict() for entity in self.organisms],
            "chemicals": [entity.to_dict() for entity in self.chemicals],
            "relations": [list(pair) for pair in self.relations],
        }


def read_labels(path: str | Path, context: Context) -> list[Labels]:
    """The labels of a file; records that are none, and ids that stand twice, are set aside.

    Raises:
        InputError: the file cannot be read at all, or holds no labels.
    """
    found: dict[str, Labels] = {}
    for where, _, record in read_records(path, context):
        try:
            labels = Labels.from_dict(record)
        except InputError as error:
            context.rejects.add(where, str(error))
            continue
        if labels.id in found:
            context.rejects.add(where, f"the id {labels.id!r} stands twice; the first is kept")
        found.setdefault(labels.id, labels)
    if not found:
        raise InputError(f"{path}: no record of it can be used; expected {_LABELS}")
    return list(found.values())


def _check_spans(entity: Entity) -> None:
    spans = entity.extra.get("spans", [])
    if not isinstance(spans, list) or not all(
        isinstance(span, list)
        and len(span) == 2
        and all(type(place) is int for place in span)
        and 0 <= span[0] < span[1]
        for span in spans
    ):
        raise InputError(f"expected [start, end] pairs of numbers in the spans of {entity.label!r}")
