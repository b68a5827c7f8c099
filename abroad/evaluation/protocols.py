"""What it means for a predicted relation to equal a gold one: one protocol each, in a registry.

A protocol turns a document into its set of gold keys and a prediction into its
set of predicted keys; scores count keys that are in both. Gold that repeats
after normalisation counts once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from abroad.core.entities import CHEMICAL, ORGANISM
from abroad.core.registry import Capability, Member, Registry
from abroad.core.schema import Document, Entity, Relation
from abroad.text.characters import normalise_strict, normalise_upstream

_QID = re.compile(r"Q[1-9]\d*")


@dataclass(frozen=True)
class Protocol(Member):
    """How relations become comparable keys.

    Attributes:
        gold: the distinct keys of a document, each with the relation it stands for.
        predicted: the distinct keys of relations likewise; relations it cannot compare are left out.
        capabilities: IDENTIFIERS where relations must be linked to be compared.
    """

    gold: Callable[[Document], dict[Hashable, tuple[Entity, Entity]]]
    predicted: Callable[[Iterable[Relation], Document], dict[Hashable, Relation]]


def by_label(normalise: Callable[[str], str]) -> Protocol:
    """A protocol by which pairs of labels are equal that are so after normalisation."""

    def gold(document: Document) -> dict[Hashable, tuple[Entity, Entity]]:
        keys: dict[Hashable, tuple[Entity, Entity]] = {}
        for type, (head, tail) in zip(_types(document), document.related_entities(), strict=True):
            keys.setdefault(_key(normalise(head.label), type, normalise(tail.label)), (head, tail))
        return keys

    def predicted(relations: Iterable[Relation], document: Document) -> dict[Hashable, Relation]:
        keys: dict[Hashable, Relation] = {}
        for relation in relations:
            type = None if relation.is_built_in else relation.type
            keys.setdefault(_key(normalise(relation.head), type, normalise(relation.tail)), relation)
        return keys

    return Protocol(gold, predicted)


def type_of(key: Hashable) -> str | None:
    """The type of the relation that a key stands for; None of the built-in field, which has but one."""
    return str(key[1]) if isinstance(key, tuple) and len(key) == 3 else None


AnyValue = TypeVar("AnyValue")


def either_way(keys: Mapping[Hashable, AnyValue], undirected: Container[str]) -> dict[Hashable, AnyValue]:
    """Keys of which those of undirected relations are the same in both directions."""
    found: dict[Hashable, AnyValue] = {}
    for key, value in keys.items():
        if type_of(key) in undirected and isinstance(key, tuple):
            first, second = sorted((key[0], key[2]))
            key = (first, key[1], second)
        found.setdefault(key, value)
    return found


def _types(document: Document) -> list[str | None]:
    """The types of a document's relations, None in the built-in field."""
    built_in = document.is_built_in
    return [None if built_in else triple.type for triple in document.relations]


def _key(head: str, type: str | None, tail: str) -> Hashable:
    return (head, tail) if type is None else (head, type, tail)


def entity_identifiers(entity: Entity) -> set[str]:
    """Identifiers of a gold entity as CURIEs; empty if it has none from a public database."""
    found = set()
    if _QID.fullmatch(base := entity.id.partition("#")[0]):
        found.add(f"wikidata:{base}")
    for key, prefix in (("pubchem_id", "pubchem.compound"), ("ncbi_taxon", "ncbitaxon"), ("inchikey", "inchikey")):
        if value := str(entity.extra.get(key) or "").strip():
            found.add(f"{prefix}:{value.partition(':')[2] or value}".lower())
    return found


def normalise_identifier(identifier: str) -> str:
    """A predicted identifier as the same kind of CURIE: `Q123`, `NCBITaxon:9`, `PubChem:5` and URLs are known."""
    value = identifier.strip().rstrip("/").rpartition("/")[2] if "://" in identifier else identifier.strip()
    if _QID.fullmatch(value):
        return f"wikidata:{value}"
    prefix, colon, local = value.partition(":")
    names = {"pubchem": "pubchem.compound", "cid": "pubchem.compound", "wd": "wikidata", "taxonomy": "ncbitaxon"}
    prefix = names.get(prefix.lower(), prefix.lower())
    if not colon:
        return value.lower()
    return f"{prefix}:{local}" if prefix == "wikidata" else f"{prefix}:{local}".lower()


def _grounded_gold(document: Document) -> dict[Hashable, tuple[Entity, Entity]]:
    """Pairs of entities that both have an identifier, keyed by the entities' own ids."""
    return {
        _key(head.id.partition("#")[0], type, tail.id.partition("#")[0]): (head, tail)
        for type, (head, tail) in zip(_types(document), document.related_entities(), strict=True)
        if _identified(head, type) and _identified(tail, type)
    }


def _identified(entity: Entity, type: str | None) -> set[str]:
    """Identifiers of a gold entity; in other fields than the built-in one, its id is one if it is a CURIE."""
    found = entity_identifiers(entity)
    return found if type is None or ":" not in entity.id else {*found, normalise_identifier(entity.id)}


def _grounded_predicted(relations: Iterable[Relation], document: Document) -> dict[Hashable, Relation]:
    """Pairs of identifiers, each replaced by the id of the document's entity that bears it."""
    known: list[dict[str, str]] = []
    for type in (ORGANISM, CHEMICAL):
        entities = [entity for entity in document.entities if entity.type == type]
        known.append({i: e.id.partition("#")[0] for e in entities for i in entity_identifiers(e)})
    others = {i: e.id.partition("#")[0] for e in document.entities for i in _identified(e, "")}
    keys: dict[Hashable, Relation] = {}
    for relation in relations:
        if relation.head_id and relation.tail_id:
            sides = (normalise_identifier(relation.head_id), normalise_identifier(relation.tail_id))
            if relation.is_built_in:
                key = _key(known[0].get(sides[0], sides[0]), None, known[1].get(sides[1], sides[1]))
            else:
                key = _key(others.get(sides[0], sides[0]), relation.type, others.get(sides[1], sides[1]))
            keys.setdefault(key, relation)
    return keys


PROTOCOLS: Registry[Protocol] = Registry(
    "protocol",
    "abroad.protocols",
    {
        "upstream": "abroad.evaluation.protocols:UPSTREAM",
        "strict": "abroad.evaluation.protocols:STRICT",
        "grounded": "abroad.evaluation.protocols:GROUNDED",
    },
)
"""What it means that two relations are equal; the first is the protocol of the published scores."""

UPSTREAM = by_label(normalise_upstream)
STRICT = by_label(normalise_strict)
GROUNDED = Protocol(_grounded_gold, _grounded_predicted, capabilities=Capability.IDENTIFIERS)
