"""The types every stage shares: documents with gold relations, and predictions.

They hold and convert data; reading and writing files is `abroad.core.io`'s job. In memory every field has one form:
entities with types, relations with head, type and tail. Natural products, the built-in field, are read and written
with organisms and chemicals, and may be asked for by these names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from abroad.core.entities import (
    CHEMICAL,
    ORGANISM,
    PRODUCES,
    Entity,
    Triple,
    has_entities,
    read_entities,
    read_triples,
    text_or_none,
)
from abroad.core.errors import InputError, short
from abroad.core.ids import read_id
from abroad.core.relations import Evidence, Relation

__all__ = ["Document", "Entity", "Evidence", "LabelPair", "Prediction", "Relation", "Triple"]

LabelPair = tuple[str, str]
"""A (head label, tail label) pair: one relation as text, of the built-in field (organism, chemical)."""


_STATED = ("entities", "organisms", "chemicals", "relations")
_DOCUMENT_FIELDS = ("id", "PMID", "ArticleTitle", "AbstractText", "doi", *_STATED)


@dataclass(slots=True)
class Document:
    """A title and abstract, or one of the two, with the relations it states.

    Attributes:
        id: unique in its file; the key of the JSON object format.
        title: may be empty where there is an abstract.
        abstract: may be empty where there is a title.
        pmid: PubMed identifier, digits.
        doi: without "https://doi.org/".
        entities: those that the relations name, organisms before chemicals.
        relations: what it states; ids refer to `entities`.
        extra: other fields of the record, kept as read.
    """

    id: str
    title: str
    abstract: str
    pmid: str | None = None
    doi: str | None = None
    entities: list[Entity] = field(default_factory=list)
    relations: list[Triple] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Title, one space, abstract: the string that all offsets count code points in."""
        return f"{self.title} {self.abstract}"

    @property
    def organisms(self) -> list[Entity]:
        """The entities that are organisms, of a document of the built-in field; a new list, see `with_products`.

        Raises:
            InputError: it is of another field, which is not to be taken for products of organisms.
        """
        return self._of_type(ORGANISM)

    @property
    def chemicals(self) -> list[Entity]:
        """The entities that are chemicals; raises as `organisms` does."""
        return self._of_type(CHEMICAL)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The relations as (head id, tail id), in order: of the built-in field, (organism id, chemical id)."""
        return [(triple.head, triple.tail) for triple in self.relations]

    @property
    def is_built_in(self) -> bool:
        """Whether all that it states is of the built-in field: organisms that produce chemicals."""
        if any(entity.type not in (ORGANISM, CHEMICAL) for entity in self.entities):
            return False
        if not self.relations:
            return True
        heads, tails = self._ends(ORGANISM), self._ends(CHEMICAL)
        return all(t.type == PRODUCES and t.head in heads and t.tail in tails and not t.extra for t in self.relations)

    def with_products(
        self,
        organisms: Iterable[Entity] | None = None,
        chemicals: Iterable[Entity] | None = None,
        pairs: Iterable[tuple[str, str]] | None = None,
    ) -> Document:
        """A copy that states products of organisms; what is not given stays.

        Args:
            organisms: entities of any type; they become organisms.
            chemicals: entities of any type; they become chemicals.
            pairs: (organism id, chemical id) of each relation.
        """
        made = [replace(entity, type=ORGANISM) for entity in (self.organisms if organisms is None else organisms)]
        made += [replace(entity, type=CHEMICAL) for entity in (self.chemicals if chemicals is None else chemicals)]
        triples = self.relations if pairs is None else [Triple(head, PRODUCES, tail) for head, tail in pairs]
        return replace(self, entities=made, relations=list(triples))

    def related_entities(self) -> Iterator[tuple[Entity, Entity]]:
        """Yield the (head, tail) entities of each relation, in order: of the built-in field, (organism, chemical)."""
        # An organism and a chemical of one document may have the same id; entities of other fields may not.
        heads, tails = (self._ends(ORGANISM), self._ends(CHEMICAL)) if self.is_built_in else (self._ends(),) * 2
        for triple in self.relations:
            yield heads[triple.head], tails[triple.tail]

    def label_pairs(self) -> list[LabelPair]:
        """The relations as (head label, tail label), in order: of the built-in field, (organism, chemical)."""
        return [(head.label, tail.label) for head, tail in self.related_entities()]

    def _of_type(self, type: str) -> list[Entity]:
        if not self.is_built_in:
            types = dict.fromkeys([*(e.type for e in self.entities), *(t.type for t in self.relations)])
            raise InputError(
                f"document {self.id!r}: expected natural products (organisms, chemicals), found "
                f"{short(', '.join(types))}: this step cannot read other fields"
            )
        return [entity for entity in self.entities if entity.type == type]

    def _ends(self, type: str | None = None) -> dict[str, Entity]:
        return {entity.id: entity for entity in self.entities if type in (None, entity.type)}

    @classmethod
    def from_text(cls, title: str, abstract: str = "", id: str | int | None = None) -> Document:
        """A document of a title, an abstract, or both.

        Args:
            title: The title; may be empty.
            abstract: The abstract; may be empty.
            id: Its id; without one a digest of the text, so that the same text has the same id.

        Returns:
            A document without relations; `document.text` is the title, one space and the abstract.

        Raises:
            InputError: Neither holds text, or one of the values is none.
        """
        from hashlib import sha256

        for name, value in (("title", title), ("abstract", abstract)):
            if not isinstance(value, str):
                raise InputError(f"expected a text as {name}, found {short(value)}")
        if not title.strip() and not abstract.strip():
            raise InputError("no abstract and no title: expected text in one of them, or in both")
        digest = sha256(f"{title}\n{abstract}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return cls(digest if id is None else read_id(id), title, abstract)

    @classmethod
    def from_dict(cls, record: Any, id: str | None = None) -> Document:
        """Check and convert one record.

        Args:
            id: the key of the JSON object format; without it the record's own `id` is used.
        Raises:
            InputError: names the field that is wrong and what was expected.
        """
        if not isinstance(record, dict):
            raise InputError(f"expected an object with ArticleTitle and AbstractText, found {short(record)}")
        own_id = record.get("id")
        key = read_id(id if id is not None else own_id, "'id'")
        title, abstract = record.get("ArticleTitle"), record.get("AbstractText")
        if title is not None and not isinstance(title, str):
            raise InputError(f"expected a string in ArticleTitle, found {short(title)}")
        if abstract is not None and not isinstance(abstract, str):
            raise InputError(f"expected a string in AbstractText, found {short(abstract)}")
        if not (title or "").strip() and not (abstract or "").strip():
            raise InputError("no abstract and no title: expected text in AbstractText, in ArticleTitle, or in both")
        entities = read_entities(record, len(title or "") + 1 + len(abstract or ""))
        relations = read_triples(record, entities)
        extra = {name: value for name, value in record.items() if name not in _DOCUMENT_FIELDS}
        if record.get("entities") and not has_entities(record):
            extra["entities"] = record["entities"]  # of somebody else's format
        if id is not None and own_id is not None and str(own_id) != key:
            extra.setdefault("reference_wikidata", own_id)
        pmid, doi = record.get("PMID"), text_or_none(record, "doi")
        if pmid is not None and (not isinstance(pmid, str | int) or isinstance(pmid, bool)):
            raise InputError(f"expected a PMID (digits) in PMID, found {short(pmid)}")
        return cls(
            id=key,
            title=title or "",
            abstract=abstract or "",
            pmid=None if pmid is None else str(pmid),
            doi=doi,
            entities=entities,
            relations=relations,
            extra=extra,
        )

    def to_dict(self) -> dict[str, Any]:
        """The record that `from_dict` reads."""
        stated: dict[str, Any] = {
            "entities": [entity.to_dict(typed=True) for entity in self.entities],
            "relations": [triple.to_dict() for triple in self.relations],
        }
        if self.is_built_in:
            stated = {
                "organisms": [entity.to_dict() for entity in self.organisms],
                "chemicals": [entity.to_dict() for entity in self.chemicals],
                "relations": [list(pair) for pair in self.pairs],
            }
        return {
            "id": self.id,
            "PMID": self.pmid,
            "ArticleTitle": self.title,
            "AbstractText": self.abstract,
            "doi": self.doi,
            **stated,
            **self.extra,
        }


@dataclass(slots=True)
class Prediction:
    """The relations predicted for one document, or the reason there are none.

    Attributes:
        id: of the document.
        relations: in the order of the text.
        error: why the document could not be processed; None when it was.
        extra: counts and timings a stage wants to keep (malformed parts, generated text).
    """

    id: str
    relations: list[Relation] = field(default_factory=list)
    error: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, record: Any) -> Prediction:
        """Check and convert one record.

        Raises:
            InputError: It is not a prediction; the message says what was expected.
        """
        if not isinstance(record, dict) or "id" not in record:
            raise InputError("expected a prediction with 'id' and 'relations'")
        id = read_id(record["id"], "'id'")
        relations = record.get("relations")
        if not isinstance(relations, list):
            raise InputError(f"expected a list in 'relations', found {short(relations)}")
        extra = {key: value for key, value in record.items() if key not in ("id", "relations", "error")}
        return cls(id, [Relation.from_dict(item) for item in relations], text_or_none(record, "error"), extra)

    def to_dict(self) -> dict[str, Any]:
        """The record that `from_dict` reads."""
        return {
            "id": self.id,
            "relations": [relation.to_dict() for relation in self.relations],
            "error": self.error,
            **self.extra,
        }


class OneField:
    """Sees that the records of a file are of one field: of natural products, or of another."""

    def __init__(self) -> None:
        self._first: dict[bool, str] = {}

    def see(self, item: Document | Prediction) -> None:
        """Compare a record with those before it.

        Raises:
            InputError: they are of another field.
        """
        if not item.relations and (not isinstance(item, Document) or item.is_built_in):
            return  # entities alone may be those of several fields
        relations = [item] if isinstance(item, Document) else item.relations
        for built_in in (each.is_built_in for each in relations):
            other = self._first.get(not built_in)
            if other is not None:
                here, there = ("natural products", "another field")[:: 1 if built_in else -1]
                raise InputError(
                    f"relations of {here} in {item.id!r}, of {there} in {other!r}; expected one field a file"
                )
            self._first.setdefault(built_in, item.id)
