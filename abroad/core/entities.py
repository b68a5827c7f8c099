"""What a document says of its field: entities with types, and triples of (head, type, tail).

The records of the built-in field, natural products, have `organisms`, `chemicals` and pairs of ids, as the published
data do; those of every other field have `entities` and `relations` that name head, type and tail. This module checks
and converts both; in memory there is one form.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from abroad.core.errors import InputError, short
from abroad.core.ids import is_id, read_id

ORGANISM, CHEMICAL, PRODUCES = "organism", "chemical", "produces"
"""The built-in field: the types of head and tail, and the relation between them."""
_TRIPLE = '{"head": id, "type": ..., "tail": id}'


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing that relations are between: in the built-in field, an organism or a chemical.

    Attributes:
        id: identifier, unique among the entities of its document (Wikidata QID or local).
        label: the name that relations are scored by.
        extra: other fields of the record (`pubchem_id`, `class`, `spans`), kept as read. The `type` in it is the
            record's own, "class" for a class of chemicals; it stands as `subtype` in records of other fields.
        type: what kind of thing it is, by the name its field gives it: "organism", "gene".
    """

    id: str
    label: str
    extra: dict[str, Any] = field(default_factory=dict, hash=False)
    type: str = field(default="", kw_only=True)

    @classmethod
    def from_dict(cls, record: Any, type: str | None = None) -> Entity:
        """Check and convert one record.

        Args:
            type: of the entity, where the list that it stands in tells it; without it the record's `type` does.
        Raises:
            InputError: It is not an entity; the message says what was expected.
        """
        if not isinstance(record, dict) or not isinstance(record.get("label"), str) or not record["label"].strip():
            raise InputError(f"expected an entity with 'id' and a non-empty 'label', found {short(record)}")
        id, label = read_id(record.get("id"), f"the id of the entity {short(record['label'])}"), record["label"]
        extra = {key: value for key, value in record.items() if key not in ("id", "label")}
        if type is not None:
            return cls(id, label, extra, type=type)
        own = extra.pop("type", None)
        if not isinstance(own, str) or not own.strip():
            raise InputError(f"expected a 'type' of the entity {label!r}, as its field names it, found {short(own)}")
        return cls(id, label, {"type" if key == "subtype" else key: value for key, value in extra.items()}, type=own)

    def to_dict(self, typed: bool = False) -> dict[str, Any]:
        """The record that `from_dict` reads; with its type where the list that it stands in does not tell it."""
        if not typed:
            return {"id": self.id, "label": self.label, **self.extra}
        own = {"subtype" if key == "type" else key: value for key, value in self.extra.items()}
        return {"id": self.id, "label": self.label, "type": self.type, **own}

    @property
    def is_class(self) -> bool:
        """Whether the entity is a chemical class ("flavonoids") and not a compound."""
        return self.extra.get("type") == "class"

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where the text names it, as (start, end) in `Document.text`; empty where the record does not tell."""
        return [(start, end) for start, end in self.extra.get("spans") or ()]


@dataclass(frozen=True, slots=True)
class Triple:
    """A relation that a document states.

    Attributes:
        head: id of an entity of the document.
        type: of the relation, by the name its field gives it: "produces".
        tail: id of an entity of the document.
        extra: other fields of the record, kept as read.
    """

    head: str
    type: str
    tail: str
    extra: dict[str, Any] = field(default_factory=dict, hash=False)

    def to_dict(self) -> dict[str, Any]:
        """The record of a field that is not the built-in one."""
        return {"head": self.head, "type": self.type, "tail": self.tail, **self.extra}


def has_entities(record: dict[str, Any]) -> bool:
    """Whether a document's record has entities of ours; other people's formats have other things of that name."""
    items = record.get("entities")
    return isinstance(items, list) and any(isinstance(item, dict) and "label" in item for item in items)


def read_entities(record: dict[str, Any], length: int) -> list[Entity]:
    """The entities of a document's record, of either form: organisms before chemicals, or in their order.

    Args:
        record: of the document.
        length: of its text, which spans must lie in.
    Raises:
        InputError: a list or an entity that is none, both forms at once, an id that two entities have.
    """
    if not has_entities(record):
        return [*_read_list(record, "organisms", ORGANISM), *_read_list(record, "chemicals", CHEMICAL)]
    if both := [name for name in ("organisms", "chemicals") if record.get(name)]:
        raise InputError(f"expected entities, or organisms and chemicals, found entities and {' and '.join(both)}")
    entities = [_checked(Entity.from_dict(item), length) for item in as_list(record, "entities")]
    known: dict[str, Entity] = {}
    for entity in entities:
        if entity.id in known:
            labels = f"{known[entity.id].label!r} and {entity.label!r}"
            raise InputError(f"entities {labels} have the same id {entity.id!r}; expected one for each")
        known[entity.id] = entity
    return entities


def read_triples(record: dict[str, Any], entities: Sequence[Entity]) -> list[Triple]:
    """The relations of a document's record, of either form.

    Raises:
        InputError: one that is none, or names an entity that the document lacks.
    """
    items = record.get("relations") or []
    if not has_entities(record) and not _any_object(items):
        ids = {type: {e.id for e in entities if e.type == type} for type in (ORGANISM, CHEMICAL)}
        return [Triple(o, PRODUCES, c) for o, c in _read_pairs(items, ids[ORGANISM], ids[CHEMICAL])]
    all_ids = {entity.id for entity in entities}
    triples: dict[tuple[str, str, str], Triple] = {}
    for triple in (_read_triple(item, all_ids) for item in _list(items)):
        triples.setdefault((triple.head, triple.type, triple.tail), triple)
    return list(triples.values())


def as_list(record: dict[str, Any], name: str) -> list[Any]:
    """A list of a record, empty where it is missing."""
    items = record.get(name) or []
    if not isinstance(items, list):
        raise InputError(f"expected a list in {name}, found {short(items)}")
    return items


def text_or_none(record: dict[str, Any], name: str) -> str | None:
    """A text of a record, None where it is missing."""
    value = record.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"expected a string in {name}, found {short(value)}")
    return value


def number_or_none(record: dict[str, Any], name: str) -> float | None:
    """A number of a record, None where it is missing."""
    value = record.get(name)
    if value is not None and (not isinstance(value, int | float) or isinstance(value, bool) or not isfinite(value)):
        raise InputError(f"expected a number in {name}, found {short(value)}")
    return value


def _read_list(record: dict[str, Any], name: str, type: str) -> list[Entity]:
    """Read organisms or chemicals; an id that repeats with another label becomes `id#2`, `id#3`, ...

    The curated data name a few compounds twice under one identifier, each with
    a relation of its own; dropping the second would lose a gold label.
    """
    labels_of: dict[str, list[str]] = {}
    entities = []
    for entity in (Entity.from_dict(item, type) for item in as_list(record, name)):
        labels = labels_of.setdefault(entity.id, [])
        if entity.label in labels:
            continue
        labels.append(entity.label)
        id = entity.id if len(labels) == 1 else f"{entity.id}#{len(labels)}"
        entities.append(Entity(id, entity.label, entity.extra, type=type))
    return entities


def _read_pairs(items: Any, organism_ids: set[str], chemical_ids: set[str]) -> Iterable[tuple[str, str]]:
    """Read the pairs; the k-th repetition of a pair refers to the k-th label of its chemical id."""
    if not isinstance(items, list):
        raise InputError(f"expected a list of [organism id, chemical id] in relations, found {short(items)}")
    pairs: dict[tuple[str, str], None] = {}
    repetitions: dict[tuple[str, str], int] = {}
    for item in items:
        if not isinstance(item, list | tuple) or len(item) != 2:
            raise InputError(f"expected a pair [organism id, chemical id] in relations, found {short(item)}")
        organism_id, chemical_id = (read_id(id, "an id in relations") for id in item)
        if organism_id not in organism_ids:
            raise InputError(f"relations name the unknown organism id {organism_id!r}")
        if chemical_id not in chemical_ids:
            raise InputError(f"relations name the unknown chemical id {chemical_id!r}")
        count = repetitions[organism_id, chemical_id] = repetitions.get((organism_id, chemical_id), 0) + 1
        synonym = f"{chemical_id}#{count}"
        pairs[organism_id, synonym if count > 1 and synonym in chemical_ids else chemical_id] = None
    return pairs


def _any_object(items: Any) -> bool:
    return isinstance(items, list) and any(isinstance(item, dict) for item in items)


def _list(items: Any) -> list[Any]:
    if not isinstance(items, list):
        raise InputError(f"expected a list of {_TRIPLE} in relations, found {short(items)}")
    return items


def _read_triple(item: Any, ids: set[str]) -> Triple:
    if not isinstance(item, dict):
        raise InputError(f"expected {_TRIPLE} in relations beside entities, found {short(item)}")
    head, type, tail = (item.get(name) for name in ("head", "type", "tail"))
    missing = [name for name, id in (("head", head), ("tail", tail)) if not is_id(id)]
    if not isinstance(type, str) or not type.strip():
        missing.append("type")
    if missing:
        raise InputError(f"expected {_TRIPLE} in relations, found no {' and no '.join(missing)} in {short(item)}")
    for side, id in (("head", read_id(head)), ("tail", read_id(tail))):
        if id not in ids:
            raise InputError(f"relations name the unknown entity id {id!r} as {side}")
    extra = {key: value for key, value in item.items() if key not in ("head", "type", "tail")}
    return Triple(read_id(head), str(type), read_id(tail), extra)


def _checked(entity: Entity, length: int) -> Entity:
    """The entity, if its spans are some; those of the built-in field are kept as they are read."""
    spans = entity.extra.get("spans") or []
    if not isinstance(spans, list) or not all(_is_span(span, length) for span in spans):
        raise InputError(f"expected [start, end] pairs of numbers within the text in the spans of {entity.label!r}")
    return entity


def _is_span(span: Any, length: int) -> bool:
    return (
        isinstance(span, list | tuple)
        and len(span) == 2
        and all(type(place) is int for place in span)
        and 0 <= span[0] < span[1] <= length
    )
