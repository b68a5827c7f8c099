"""Is the selector right? It should take curated abstracts as they are, and refuse them with wrong relations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from abroad.core.errors import InputError
from abroad.core.schema import Document, Entity, Triple
from abroad.synthesis.selection.select import MISSING, MORE, SelectSettings, select


@dataclass(frozen=True)
class SelectorScore:
    """What became of one kind of documents.

    Attributes:
        kind: "as curated", "a relation too many" (the text lacks a label), "two thirds of the chemicals withheld" (in
            another field, of the tails) or "another document's relations".
        right: how many were judged rightly: taken as curated, refused otherwise.
    """

    kind: str
    documents: int
    right: int


def validate(curated: Sequence[Document], settings: SelectSettings | None = None, seed: int = 0) -> list[SelectorScore]:
    """Score the selector on curated documents with two chemicals (tails) or more, and on three corruptions of each.

    Only faithfulness is judged; how abstracts are written is not.

    Raises:
        InputError: no such document.
    """
    settings = (settings or SelectSettings()).replace(best=len(curated) or 1)
    usable = [document for document in curated if document.relations and len(_tails(document)) > 1]
    if not usable:
        raise InputError("no document with relations of two tails (chemicals) or more to judge the selector by")
    tails = "chemicals" if all(document.is_built_in for document in usable) else "tails"
    draw = Random(seed)
    others = usable[1:] + usable[:1]
    kinds = {
        "as curated": (usable, True),
        "a relation too many": ([_with_one_more(d, o, draw) for d, o in zip(usable, others, strict=True)], False),
        f"two thirds of the {tails} withheld": ([_with_third(document, draw) for document in usable], False),
        "another document's relations": ([_with_all(d, o) for d, o in zip(usable, others, strict=True)], False),
    }
    result = []
    for kind, (documents, wanted) in kinds.items():
        verdicts = select(documents, settings, usable).verdicts
        taken = [not {MISSING, MORE} & set(verdict.reasons) for verdict in verdicts]
        result.append(SelectorScore(kind, len(documents), sum(value == wanted for value in taken)))
    return result


def _tails(document: Document) -> list[Entity]:
    """What may be withheld: the chemicals, or in another field the entities that relations lead to."""
    if document.is_built_in:
        return document.chemicals
    return list({tail.id: tail for _, tail in document.related_entities()}.values())


def _with_one_more(document: Document, other: Document, draw: Random) -> Document:
    """The first head also has as many tails of another document as it takes to make a fifth of all relations."""
    first, tails = document.relations[0], _tails(other)
    count = max(1, len(document.relations) // 5 + 1)
    chosen = draw.sample(tails, min(count, len(tails)))
    added = [replace(tail, id=f"other {tail.id}") for tail in chosen]
    relations = [*document.relations, *(Triple(first.head, first.type, tail.id) for tail in added)]
    return replace(document, entities=[*document.entities, *added], relations=relations)


def _with_third(document: Document, draw: Random) -> Document:
    """A third of the tails, with their relations, and what these do not need is gone."""
    tails = _tails(document)
    kept = draw.sample(tails, max(1, len(tails) // 3))
    ids = {tail.id for tail in kept}
    gone = {tail.id for tail in tails} - ids
    if document.is_built_in:
        pairs = [pair for pair in document.pairs if pair[1] in ids]
        return document.with_products(chemicals=kept, pairs=pairs)
    relations = [triple for triple in document.relations if not {triple.head, triple.tail} & gone]
    entities = [entity for entity in document.entities if entity.id not in gone]
    return replace(document, entities=entities, relations=relations)


def _with_all(document: Document, other: Document) -> Document:
    return replace(document, entities=other.entities, relations=other.relations)
