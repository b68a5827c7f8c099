"""The types every stage shares: documents with gold relations, and predictions.

They hold and convert data; reading and writing files is `abroad.core.io`'s job.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from abroad.core.errors import InputError

LabelPair = tuple[str, str]
"""An (organism label, chemical label) pair: one relation as text."""


@dataclass(frozen=True, slots=True)
class Entity:
    """An organism or a chemical.

    Attributes:
        id: identifier, unique among the entities of its document (Wikidata QID or local).
        label: the name that relations are scored by.
        extra: other fields of the record (`type`, `pubchem_id`, `class`), kept as read.
    """

    id: str
    label: str
    extra: dict[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def from_dict(cls, record: Any) -> Entity:
        """Check and convert one record.

        Raises:
            InputError: It is not an entity; the message says what was expected.
        """
        if not isinstance(record, dict) or not isinstance(record.get("label"), str) or not record["label"].strip():
            raise InputError(f"expected an entity with 'id' and a non-empty 'label', found {_short(record)}")
        if not isinstance(record.get("id"), str | int):
            raise InputError(f"expected an entity with an 'id', found {_short(record)}")
        extra = {key: value for key, value in record.items() if key not in ("id", "label")}
        return cls(str(record["id"]), record["label"], extra)

    def to_dict(self) -> dict[str, Any]:
        """The record that `from_dict` reads."""
        return {"id": self.id, "label": self.label, **self.extra}

    @property
    def is_class(self) -> bool:
        """Whether the entity is a chemical class ("flavonoids") and not a compound."""
        return self.extra.get("type") == "class"


_DOCUMENT_FIELDS = ("id", "PMID", "ArticleTitle", "AbstractText", "doi", "organisms", "chemicals", "relations")


@dataclass(slots=True)
class Document:
    """A title and abstract, or one of the two, with the relations it states.

    Attributes:
        id: unique in its file; the key of the JSON object format.
        title: may be empty where there is an abstract.
        abstract: may be empty where there is a title.
        pmid: PubMed identifier, digits.
        doi: without "https://doi.org/".
        organisms: those that the relations name.
        chemicals: those that the relations name.
        relations: (organism id, chemical id) pairs; ids refer to `organisms` and `chemicals`.
        extra: other fields of the record, kept as read.
    """

    id: str
    title: str
    abstract: str
    pmid: str | None = None
    doi: str | None = None
    organisms: list[Entity] = field(default_factory=list)
    chemicals: list[Entity] = field(default_factory=list)
    relations: list[tuple[str, str]] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """Title, one space, abstract: the string that all offsets count code points in."""
        return f"{self.title} {self.abstract}"

    def related_entities(self) -> Iterator[tuple[Entity, Entity]]:
        """Yield the (organism, chemical) entities of each relation, in order."""
        organisms = {entity.id: entity for entity in self.organisms}
        chemicals = {entity.id: entity for entity in self.chemicals}
        for organism_id, chemical_id in self.relations:
            yield organisms[organism_id], chemicals[chemical_id]

    def label_pairs(self) -> list[LabelPair]:
        """The relations as (organism label, chemical label), in order."""
        return [(organism.label, chemical.label) for organism, chemical in self.related_entities()]

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
                raise InputError(f"expected a text as {name}, found {_short(value)}")
        if id is not None and (not isinstance(id, str | int) or str(id) == ""):
            raise InputError(f"expected a text or a number as id, found {_short(id)}")
        if not title.strip() and not abstract.strip():
            raise InputError("no abstract and no title: expected text in one of them, or in both")
        digest = sha256(f"{title}\n{abstract}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return cls(digest if id is None else str(id), title, abstract)

    @classmethod
    def from_dict(cls, record: Any, id: str | None = None) -> Document:
        """Check and convert one record.

        Args:
            id: the key of the JSON object format; without it the record's own `id` is used.
        Raises:
            InputError: names the field that is wrong and what was expected.
        """
        if not isinstance(record, dict):
            raise InputError(f"expected an object with ArticleTitle and AbstractText, found {_short(record)}")
        own_id = record.get("id")
        key = id if id is not None else own_id
        if not isinstance(key, str | int) or str(key) == "":
            raise InputError("expected a field 'id'")
        title, abstract = record.get("ArticleTitle"), record.get("AbstractText")
        if title is not None and not isinstance(title, str):
            raise InputError(f"expected a string in ArticleTitle, found {_short(title)}")
        if abstract is not None and not isinstance(abstract, str):
            raise InputError(f"expected a string in AbstractText, found {_short(abstract)}")
        if not (title or "").strip() and not (abstract or "").strip():
            raise InputError("no abstract and no title: expected text in AbstractText, in ArticleTitle, or in both")
        organisms = _entities(record, "organisms")
        chemicals = _entities(record, "chemicals")
        relations = _relations(record, {e.id for e in organisms}, {e.id for e in chemicals})
        extra = {name: value for name, value in record.items() if name not in _DOCUMENT_FIELDS}
        if id is not None and own_id is not None and str(own_id) != id:
            extra.setdefault("reference_wikidata", own_id)
        pmid, doi = record.get("PMID"), _text_or_none(record, "doi")
        if pmid is not None and not isinstance(pmid, str | int):
            raise InputError(f"expected a PMID (digits) in PMID, found {_short(pmid)}")
        return cls(
            id=str(key),
            title=title or "",
            abstract=abstract or "",
            pmid=None if pmid is None else str(pmid),
            doi=doi,
            organisms=organisms,
            chemicals=chemicals,
            relations=relations,
            extra=extra,
        )

    def to_dict(self) -> dict[str, Any]:
        """The record that `from_dict` reads."""
        return {
            "id": self.id,
            "PMID": self.pmid,
            "ArticleTitle": self.title,
            "AbstractText": self.abstract,
            "doi": self.doi,
            "organisms": [entity.to_dict() for entity in self.organisms],
            "chemicals": [entity.to_dict() for entity in self.chemicals],
            "relations": [list(pair) for pair in self.relations],
            **self.extra,
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the document's text that supports one side of a relation.

    Attributes:
        start: offset in `Document.text`, in Unicode code points.
        end: offset after the span.
        text: the span itself.
        role: "organism" or "chemical".
        rule: how the label follows from the span (verbatim, genus, list, range, model).
    """

    start: int
    end: int
    text: str
    role: str
    rule: str

    @classmethod
    def from_dict(cls, record: Any) -> Evidence:
        """Check and convert one record.

        Raises:
            InputError: It is no evidence.
        """
        types = {"start": int, "end": int, "text": str, "role": str, "rule": str}
        if (
            not isinstance(record, dict)
            or set(record) != set(types)
            or not all(isinstance(record[name], type) for name, type in types.items())
        ):
            raise InputError("expected evidence with numbers start and end, and strings text, role and rule")
        return cls(**record)


@dataclass(slots=True)
class Relation:
    """A predicted "organism produces chemical"; the two labels are what is scored.

    Attributes:
        organism: label of the organism.
        chemical: label of the chemical.
        score: calibrated probability, 0 to 1; None from extractors that have none.
        organism_id: identifier as a CURIE ("NCBITaxon:180171", "wikidata:Q1"); None where it is not known.
        chemical_id: identifier likewise.
        evidence: the spans of the text that support it.
        status: "known", "new", "disputed" or "not linked" beside LOTUS; None where no index was given.
    """

    organism: str
    chemical: str
    score: float | None = None
    organism_id: str | None = None
    chemical_id: str | None = None
    evidence: list[Evidence] = field(default_factory=list)
    status: str | None = None

    @classmethod
    def from_dict(cls, record: Any) -> Relation:
        """Check and convert one record.

        Raises:
            InputError: It is not a relation; the message says what was expected.
        """
        if (
            not isinstance(record, dict)
            or not isinstance(record.get("organism"), str)
            or not isinstance(record.get("chemical"), str)
        ):
            raise InputError(f"expected a relation with strings 'organism' and 'chemical', found {_short(record)}")
        evidence = record.get("evidence") or []
        if not isinstance(evidence, list):
            raise InputError(f"expected a list in evidence, found {_short(evidence)}")
        return cls(
            record["organism"],
            record["chemical"],
            _score(record.get("score")),
            _text_or_none(record, "organism_id"),
            _text_or_none(record, "chemical_id"),
            [Evidence.from_dict(item) for item in evidence],
            _text_or_none(record, "status"),
        )

    def to_dict(self) -> dict[str, Any]:
        """The record that `from_dict` reads."""
        return {
            "organism": self.organism,
            "chemical": self.chemical,
            "score": self.score,
            "organism_id": self.organism_id,
            "chemical_id": self.chemical_id,
            **({"status": self.status} if self.status is not None else {}),
            "evidence": [
                {"start": e.start, "end": e.end, "text": e.text, "role": e.role, "rule": e.rule} for e in self.evidence
            ],
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
        if not isinstance(record, dict) or not isinstance(record.get("id"), str | int):
            raise InputError("expected a prediction with 'id' and 'relations'")
        relations = record.get("relations")
        if not isinstance(relations, list):
            raise InputError(f"expected a list in 'relations', found {_short(relations)}")
        extra = {key: value for key, value in record.items() if key not in ("id", "relations", "error")}
        return cls(
            str(record["id"]), [Relation.from_dict(item) for item in relations], _text_or_none(record, "error"), extra
        )

    def to_dict(self) -> dict[str, Any]:
        """The record that `from_dict` reads."""
        return {
            "id": self.id,
            "relations": [relation.to_dict() for relation in self.relations],
            "error": self.error,
            **self.extra,
        }


def _entities(record: dict[str, Any], name: str) -> list[Entity]:
    """Read one entity list; an id that repeats with another label becomes `id#2`, `id#3`, ...

    The curated data name a few compounds twice under one identifier, each with
    a relation of its own; dropping the second would lose a gold label.
    """
    items = record.get(name) or []
    if not isinstance(items, list):
        raise InputError(f"expected a list in {name}, found {_short(items)}")
    labels_of: dict[str, list[str]] = {}
    entities = []
    for entity in map(Entity.from_dict, items):
        labels = labels_of.setdefault(entity.id, [])
        if entity.label in labels:
            continue
        labels.append(entity.label)
        entities.append(
            entity if len(labels) == 1 else Entity(f"{entity.id}#{len(labels)}", entity.label, entity.extra)
        )
    return entities


def _relations(record: dict[str, Any], organism_ids: set[str], chemical_ids: set[str]) -> list[tuple[str, str]]:
    """Read the pairs; the k-th repetition of a pair refers to the k-th label of its chemical id."""
    items = record.get("relations") or []
    if not isinstance(items, list):
        raise InputError(f"expected a list of [organism id, chemical id] in relations, found {_short(items)}")
    pairs: dict[tuple[str, str], None] = {}
    repetitions: dict[tuple[str, str], int] = {}
    for item in items:
        if not isinstance(item, list | tuple) or len(item) != 2:
            raise InputError(f"expected a pair [organism id, chemical id] in relations, found {_short(item)}")
        organism_id, chemical_id = str(item[0]), str(item[1])
        if organism_id not in organism_ids:
            raise InputError(f"relations name the unknown organism id {organism_id!r}")
        if chemical_id not in chemical_ids:
            raise InputError(f"relations name the unknown chemical id {chemical_id!r}")
        count = repetitions[organism_id, chemical_id] = repetitions.get((organism_id, chemical_id), 0) + 1
        synonym = f"{chemical_id}#{count}"
        pairs[organism_id, synonym if count > 1 and synonym in chemical_ids else chemical_id] = None
    return list(pairs)


def _text_or_none(record: dict[str, Any], name: str) -> str | None:
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"expected a string in {name}, found {_short(value)}")
    return value


def _score(value: Any) -> float | None:
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value)):
        raise InputError(f"expected a number in score, found {_short(value)}")
    return value


def _short(value: Any, length: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= length else f"{text[: length - 3]}..."
