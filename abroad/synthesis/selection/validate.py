"""Is the selector right? It should take curated abstracts as they are, and refuse them with wrong relations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from abroad.core.schema import Document
from abroad.synthesis.selection.select import MISSING, MORE, SelectSettings, select


@dataclass(frozen=True)
class SelectorScore:
    """What became of one kind of documents.

    Attributes:
        kind: "as curated", "a relation too many" (the text lacks a label), "two thirds of the chemicals withheld" or
            "another document's relations".
        right: how many were judged rightly: taken as curated, refused otherwise.
    """

    kind: str
    documents: int
    right: int


def validate(curated: Sequence[Document], settings: SelectSettings | None = None, seed: int = 0) -> list[SelectorScore]:
    """Score the selector on curated documents with two chemicals or more, and on three corruptions of each.

    Only faithfulness is judged; how abstracts are written is not.
    """
    settings = (settings or SelectSettings()).replace(best=len(curated) or 1)
    usable = [document for document in curated if len(document.chemicals) > 1 and document.relations]
    draw = Random(seed)
    others = usable[1:] + usable[:1]
    kinds = {
        "as curated": (usable, True),
        "a relation too many": ([_with_one_more(d, o, draw) for d, o in zip(usable, others, strict=True)], False),
        "two thirds of the chemicals withheld": ([_with_third(document, draw) for document in usable], False),
        "another document's relations": ([_with_all(d, o) for d, o in zip(usable, others, strict=True)], False),
    }
    result = []
    for kind, (documents, wanted) in kinds.items():
        verdicts = select(documents, settings).verdicts
        taken = [not {MISSING, MORE} & set(verdict.reasons) for verdict in verdicts]
        result.append(SelectorScore(kind, len(documents), sum(value == wanted for value in taken)))
    return result


def _with_one_more(document: Document, other: Document, draw: Random) -> Document:
    """Every organism also has as many chemicals of another document as it takes to make a fifth of all relations."""
    organism = document.relations[0].head
    count = max(1, len(document.relations) // 5 + 1)
    chosen = draw.sample(other.chemicals, min(count, len(other.chemicals)))
    added = [replace(chemical, id=f"other {chemical.id}") for chemical in chosen]
    pairs = [*document.pairs, *((organism, chemical.id) for chemical in added)]
    return document.with_products(chemicals=[*document.chemicals, *added], pairs=pairs)


def _with_third(document: Document, draw: Random) -> Document:
    kept = draw.sample(document.chemicals, max(1, len(document.chemicals) // 3))
    ids = {chemical.id for chemical in kept}
    return document.with_products(chemicals=kept, pairs=[pair for pair in document.pairs if pair[1] in ids])


def _with_all(document: Document, other: Document) -> Document:
    return replace(document, entities=other.entities, relations=other.relations)
