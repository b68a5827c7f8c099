"""Documents of a field that `abroad teach` labelled, as texts to learn from, weighted by how much its passes agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from abroad.core.context import Context
from abroad.core.field import Field
from abroad.core.schema import Document, Entity
from abroad.extraction.builtin.fit import SYNTHETIC_WEIGHT
from abroad.extraction.builtin.silver import usable_silver
from abroad.extraction.joint.from_documents import annotated, schema_of
from abroad.extraction.joint.texts import Annotated, Triple

_DISPUTED = "disputed-"
"""What identifiers begin with of names that stand in disputed relations alone; without a colon nothing is linked."""


def silver_texts(
    documents: Iterable[Document],
    curated: Sequence[Document],
    field: Field,
    context: Context,
    weight: float = SYNTHETIC_WEIGHT,
) -> list[Annotated]:
    """A text of each document that is no publication of the curated ones; the others are set aside.

    Names of disputed relations are mentions as others are, and whether those relations hold is unknown. Of a document
    with an answer that was cut off only what it states is learnt. The tagger's learner takes no weights.

    Args:
        documents: with `agreement`, and what is not known of them, beside their relations.
        curated: documents that people have labelled, which is what counts.
        weight: of a document whose passes agree on everything.
    """
    ranges = schema_of(field).ranges
    usable = usable_silver(
        documents, curated, context, "[head, type, tail]", lambda names: len(names) == 3 and names[1] in field.relations
    )
    return [_text(document, field, ranges, weight) for document in usable]


def _text(document: Document, field: Field, ranges: Sequence[str], weight: float) -> Annotated:
    entities = list(document.entities)
    unknown = frozenset(_unknown(document, field, entities))
    text = annotated(replace(document, entities=entities), ranges)
    return replace(
        text,
        unknown=unknown,
        weight=weight * document.extra["agreement"],
        is_complete=not document.extra.get("cut_off"),
    )


def _unknown(document: Document, field: Field, entities: list[Entity]) -> Iterator[Triple]:
    """What is disputed or left out, by identifiers; names that have none yet are added to the entities."""
    for head, type, tail in (*(document.extra.get("disputed") or ()), *(document.extra.get("left_out") or ())):
        sides = field.relations[type]
        yield type, _identifier(head, sides.head, entities), _identifier(tail, sides.tail, entities)


def _identifier(label: str, types: Sequence[str], entities: list[Entity]) -> str:
    """A side that may be of several types counts as the first, as it does where a teacher's relations are written."""
    for entity in entities:
        if entity.label == label and entity.type in types:
            return entity.id
    entities.append(Entity(f"{_DISPUTED}{len(entities)}", label, type=types[0]))
    return entities[-1].id
