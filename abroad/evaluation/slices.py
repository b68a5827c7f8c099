"""Scores of parts of the gold: where an extractor is good and where it fails.

Some slices divide documents (precision, recall and F1 of each part); others
divide gold relations, of which only recall can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from abroad.core.entities import PRODUCES
from abroad.core.schema import Document, Entity
from abroad.evaluation.metrics import Comparison, Outcome, Scores, add_scores
from abroad.evaluation.protocols import type_of
from abroad.text.evidence import abbreviated_genus_spans, verbatim_spans


@dataclass(frozen=True)
class SliceRow:
    """One part of a slice.

    Attributes:
        documents: how many it spans.
        scores: of whole documents, or of relations, then `predicted` counts the correct only.
    """

    name: str
    documents: int
    scores: Scores


@dataclass(frozen=True)
class Slice:
    """Scores of the parts of gold that differ in one thing.

    Attributes:
        title: what the parts differ in.
        rows: a row a part.
        whole_documents: precision and F1 mean something; else recall alone does.
    """

    title: str
    rows: list[SliceRow]
    whole_documents: bool


def make_slices(comparison: Comparison) -> list[Slice]:
    """All slices of a comparison; parts without a document or relation are left out."""
    outcomes = comparison.outcomes
    if not comparison.is_built_in:
        return [
            _of_documents("relations in the document", outcomes, _size),
            _of_types("type of the relation", outcomes),
            _of_relations("types of head and tail", outcomes, _ends),
            _of_relations("both labels verbatim in the text", outcomes, _verbatim_sides),
        ]
    return [
        _of_documents("relations in the document", outcomes, _size),
        _of_relations("chemicals the organism has in the document", outcomes, _list_length),
        _of_relations("both labels verbatim in the text", outcomes, _verbatim),
        _of_relations("organism in the text", outcomes, _organism_form),
        _of_relations("chemical or class", outcomes, _kind),
    ]


def _of_documents(title: str, outcomes: list[Outcome], part_of: Callable[[Outcome], str]) -> Slice:
    parts: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        parts.setdefault(part_of(outcome), []).append(outcome)
    rows = [
        SliceRow(name, len(part), add_scores([outcome.scores for outcome in part]))
        for name, part in sorted(parts.items())
    ]
    return Slice(title, [_plain(row) for row in rows], True)


def _of_relations(title: str, outcomes: list[Outcome], part_of: Callable[[Outcome, Entity, Entity], str]) -> Slice:
    gold: dict[str, int] = {}
    found: dict[str, int] = {}
    documents: dict[str, set[str]] = {}
    for outcome in outcomes:
        for key, (organism, chemical) in outcome.gold.items():
            part = part_of(outcome, organism, chemical)
            gold[part] = gold.get(part, 0) + 1
            found[part] = found.get(part, 0) + (key in outcome.correct)
            documents.setdefault(part, set()).add(outcome.document.id)
    rows = [SliceRow(part, len(documents[part]), Scores(found[part], found[part], gold[part])) for part in sorted(gold)]
    return Slice(title, [_plain(row) for row in rows], False)


def _of_types(title: str, outcomes: list[Outcome]) -> Slice:
    """Scores of each type of relations: both gold and predictions have one."""
    counts: dict[str, list[int]] = {}
    documents: dict[str, set[str]] = {}
    for outcome in outcomes:
        for index, keys in enumerate(([*outcome.correct], [*outcome.correct, *outcome.spurious], [*outcome.gold])):
            for key in keys:
                type = type_of(key) or PRODUCES
                counts.setdefault(type, [0, 0, 0])[index] += 1
                documents.setdefault(type, set()).add(outcome.document.id)
    return Slice(title, [SliceRow(t, len(documents[t]), Scores(*counts[t])) for t in sorted(counts)], True)


def _plain(row: SliceRow) -> SliceRow:
    """Without the digit before the name, which only put the parts in order."""
    return SliceRow(row.name[2:], row.documents, row.scores)


def _bin(number: int, edges: Iterable[tuple[int, str]]) -> str:
    """The first name whose edge is not exceeded, with its rank before it."""
    for rank, (edge, name) in enumerate(edges):
        if number <= edge:
            return f"{rank} {name}"
    raise AssertionError("the last edge is open")


_OPEN = 10**9


def _size(outcome: Outcome) -> str:
    edges = ((0, "none (empty document)"), (1, "1"), (5, "2 to 5"), (20, "6 to 20"), (_OPEN, "more than 20"))
    return _bin(len(outcome.gold), edges)


def _list_length(outcome: Outcome, organism: Entity, chemical: Entity) -> str:
    length = sum(other.id == organism.id for other, _ in outcome.gold.values())
    return _bin(length, ((1, "1"), (3, "2 or 3"), (10, "4 to 10"), (_OPEN, "more than 10")))


def _verbatim(outcome: Outcome, organism: Entity, chemical: Entity) -> str:
    text = outcome.document.text
    there = [bool(verbatim_spans(text, entity.label)) for entity in (organism, chemical)]
    if all(there):
        return "0 both"
    if any(there):
        return "1 organism only" if there[0] else "2 chemical only"
    return "3 neither"


def _verbatim_sides(outcome: Outcome, head: Entity, tail: Entity) -> str:
    return _verbatim(outcome, head, tail).replace("organism", "head").replace("chemical", "tail")


def _ends(outcome: Outcome, head: Entity, tail: Entity) -> str:
    return f"0 {head.type} and {tail.type}"


def _organism_form(outcome: Outcome, organism: Entity, chemical: Entity) -> str:
    return (
        f"{('verbatim', 'genus', 'other').index(form := organism_form(outcome.document, organism.label))} "
        + {
            "verbatim": "verbatim",
            "genus": "genus abbreviated only",
            "other": "otherwise or not at all",
        }[form]
    )


def organism_form(document: Document, label: str) -> str:
    """How a document names an organism: "verbatim", "genus" (abbreviated only) or "other"."""
    if verbatim_spans(document.text, label):
        return "verbatim"
    return "genus" if abbreviated_genus_spans(document.text, label) else "other"


def _kind(outcome: Outcome, organism: Entity, chemical: Entity) -> str:
    return "1 class" if chemical.extra.get("type") == "class" else "0 chemical"


@dataclass(frozen=True)
class EmptyDocuments:
    """Documents without a gold relation.

    Attributes:
        documents: how many there are.
        kept_empty: those of them with no prediction.
        spurious: relations predicted in the others.
    """

    documents: int
    kept_empty: int
    spurious: int


def empty_documents(comparison: Comparison) -> EmptyDocuments:
    """How the documents that state no relation fared."""
    empty = [outcome for outcome in comparison.outcomes if not outcome.gold]
    spurious: list[dict[Hashable, object]] = [dict(outcome.spurious) for outcome in empty]
    return EmptyDocuments(len(empty), sum(not found for found in spurious), sum(map(len, spurious)))
