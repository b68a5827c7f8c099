"""Answers of curators in any field but natural products: lines read as head, relation and tail, and made documents."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any

from abroad.core.errors import nearest
from abroad.core.field import Field
from abroad.core.schema import Document, Entity, Triple
from abroad.text.characters import normalise_upstream
from abroad.text.expand import expand_phrase
from annotation.words import RelationText, canonical, end_types

_ARROWS = (r"\s*\|\s*", r"\t+", r"\s*(?:-+>|=+>|→|⟶)\s*")
_LONGEST = 300  # characters of a name


def read_line(line: str, field: Field) -> list[RelationText] | str:
    """The relations of a line, several where a name is a list of a type that is expanded, or why there are none."""
    parts = next((p for sign in _ARROWS if len(p := [x.strip(" ;") for x in re.split(sign, line)]) > 1), None)
    parts = parts if parts is not None else _by_template(line, field)
    if parts is None or len(parts) > 3 or not all(part and len(part) <= _LONGEST for part in parts):
        return ""
    if len(parts) == 2:
        if len(field.relations) > 1:
            return f"which relation? Expected HEAD | RELATION | TAIL, of: {', '.join(field.relations)}"
        parts.insert(1, next(iter(field.relations)))
    head, said, tail = parts
    type = _named(said, field)
    if type is None:
        near = nearest(said, list(field.relations))
        return f"no relation is called {said!r}; expected {near or ', '.join(field.relations)}"
    kind = field.relations[type]
    heads, tails = (_names(label, side, field) for label, side in ((head, kind.head), (tail, kind.tail)))
    return [canonical((h, type, t), field) for h, t in itertools.product(heads, tails)]


def typed_document(
    document: Document, relations: Sequence[RelationText], known: Sequence[tuple[str, str]], field: Field
) -> tuple[list[Entity], list[Triple]]:
    """The entities and relations of a curated document.

    Entities of the document stay, with their ids and what is said of them; others are made, with ids of the first
    letter of their type and a number.

    Args:
        known: (label, type) of what was marked and suggested, for the types of names that the document lacks.
    """
    entities, triples = list(document.entities), dict[tuple[str, str, str], Triple]()
    own = [(entity.label, entity.type) for entity in entities]
    for relation in relations:
        head_type, tail_type = end_types(relation, [*own, *known], field)
        head = _entity(relation[0], head_type, entities)
        tail = _entity(relation[2], tail_type, entities)
        triples.setdefault((head, relation[1], tail), Triple(head, relation[1], tail))
    return entities, list(triples.values())


def marked(document: Document, mentions: Sequence[Any]) -> list[tuple[str, str]]:
    """(words, type) of marks in a document."""
    return [(" ".join(document.text[m.start : m.end].split()), m.role) for m in mentions]


def _by_template(line: str, field: Field) -> list[str] | None:
    for name, relation in field.relations.items():
        parts = re.split(rf"\s+{re.escape(relation.verb.strip())}\s+", line, maxsplit=1)
        if len(parts) == 2:
            return [parts[0].strip(" ;"), name, parts[1].strip(" ;.")]
    return None


def _named(said: str, field: Field) -> str | None:
    wanted = said.casefold()
    return next((n for n, r in field.relations.items() if wanted in (n.casefold(), r.verb.strip().casefold())), None)


def _names(label: str, types: Sequence[str], field: Field) -> list[str]:
    return expand_phrase(label) if any(field.entities[type].ranges for type in types) else [label]


def _entity(label: str, type: str, entities: list[Entity]) -> str:
    """The id of an entity, which is made if there is none of this name and type."""
    name = normalise_upstream(label)
    same = next((e for e in entities if e.type == type and normalise_upstream(e.label) == name), None)
    if same is not None:
        return same.id
    taken = {entity.id for entity in entities}
    id = next(new for n in itertools.count(1) if (new := f"{type[0].upper()}{n}") not in taken)
    entities.append(Entity(id, label, type=type))
    return id
