"""Documents of a field as annotated texts: mentions where the spans of entities say so, or where their labels stand."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

from abroad.core.field import Field
from abroad.core.field_names import table_lines
from abroad.core.schema import Document
from abroad.extraction.joint.linking import Name
from abroad.extraction.joint.ranges import annotated_members
from abroad.extraction.joint.texts import Annotated, Mention, RelationType, Schema, Text


def annotated(document: Document, ranges: Sequence[str] = ()) -> Annotated:
    """A document, which the field has checked.

    Args:
        ranges: types of which a list or range stands for each of its members.
    """
    text = Text(document.id, document.text, len(document.title))
    members = annotated_members(text, document.entities, ranges)
    mentions: dict[tuple[int, int, str], list[str]] = {}
    for entity in document.entities:
        for start, end in entity.spans or _verbatim(document.text, entity.label):
            if not any(m.start < end and start < m.end and entity.id in m.identifiers for m in members):
                mentions.setdefault((start, end, entity.type), []).append(entity.id)
    return Annotated(
        text,
        [*(Mention(*place, tuple(ids)) for place, ids in mentions.items()), *members],
        frozenset((triple.type, triple.head, triple.tail) for triple in document.relations),
    )


def names_of(field: Field, folder: Path) -> Iterator[Name]:
    """Names with identifiers that the tables of a field give: name, tab, identifier a line; others tell no identifier.

    Args:
        folder: of the field's file, from which its tables are named.
    """
    for type, entity in field.entities.items():
        for name, identifier in table_lines(entity, folder):
            if identifier:
                yield type, name, identifier


def _verbatim(text: str, label: str) -> Sequence[tuple[int, int]]:
    """Where a label stands in the text as a name of its own, whatever its capitals."""
    pattern = rf"(?<!\w){re.escape(label)}(?!\w)"
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


def schema_of(field: Field) -> Schema:
    """The types of a field, and each pair of types that a relation of it may be between."""
    relations: dict[tuple[str, frozenset[str] | tuple[str, str]], RelationType] = {}
    for name, relation in field.relations.items():
        for head, tail in product(relation.head, relation.tail):
            ends = (head, tail) if relation.directed else frozenset((head, tail))
            relations.setdefault((name, ends), RelationType(name, head, tail, relation.directed))
    strains = tuple(type for type, entity in field.entities.items() if entity.strains)
    ranges = tuple(type for type, entity in field.entities.items() if entity.ranges)
    taxa = tuple(type for type, entity in field.entities.items() if "taxonomy" in entity.linking)
    return Schema(tuple(field.entities), tuple(relations.values()), strains, ranges, taxa)
