"""Kinds of errors: what is wrong with a false relation, why a gold one was missed."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from abroad.core.schema import Entity, Relation
from abroad.evaluation.metrics import Comparison, Outcome
from abroad.text.characters import normalise_upstream
from abroad.text.evidence import abbreviated_genus_spans, verbatim_spans
from abroad.text.expand import expand_lists, expand_shared_heads

FALSE_KINDS = {
    "wrong organism": "the chemical is gold, for another organism of the document",
    "class for compound": "a class that gold does not name, where gold names compounds",
    "partial name": "part of a gold name, or a gold name with more",
    "spurious co-occurrence": "the chemical is in no gold relation of the document",
}
MISSED_KINDS = {
    "missed list member": "the text names the chemical inside a list or range",
    "wrong organism": "the chemical was predicted, for other organisms",
    "partial name": "part of the name was predicted, or the name with more",
    "missed class": "gold is a class of chemicals",
    "missed name": "both names stand in the text",
    "not in the text": "a name of gold is not in the text as it is spelt",
}
ANY_FALSE_KINDS = {
    "wrong type": "both sides are gold, with another type of relation",
    "wrong pair": "both sides are in gold relations of the document, with others",
    "partial name": "part of a gold name, or a gold name with more",
    "spurious co-occurrence": "a side is in no gold relation of the document",
}
"""The kinds of other fields than the built-in one, whose heads and tails are of any types."""
ANY_MISSED_KINDS = {
    "wrong type": "both sides were predicted, with another type of relation",
    "missed pair": "both sides were predicted, with others",
    "partial name": "part of a name was predicted, or the name with more",
    "missed name": "both names stand in the text",
    "not in the text": "a name of gold is not in the text as it is spelt",
}
_CLASS = re.compile(r"(?:s|alkaloid|terpene|terpenoid|sterol|steroid|peptide|polyketide|flavonoid|lactone|glycoside)$")
_SHORTEST_PART = 4  # characters


@dataclass(frozen=True)
class RelationError:
    """One relation that is wrong, or was missed.

    Attributes:
        side: "false" or "missed".
        kind: of `FALSE_KINDS` or `MISSED_KINDS`, of another field of `ANY_FALSE_KINDS` or `ANY_MISSED_KINDS`.
        document: its id.
        head: label: of the built-in field, the organism.
        tail: label: of the built-in field, the chemical.
    """

    side: str
    kind: str
    document: str
    head: str
    tail: str


def find_errors(comparison: Comparison) -> list[RelationError]:
    """Every false and missed relation with its kind, document by document."""
    built_in = comparison.is_built_in
    return [error for outcome in comparison.outcomes for error in errors_of(outcome, built_in)]


def errors_of(outcome: Outcome, built_in: bool = True) -> list[RelationError]:
    """The errors of one document: the false relations in order, then the missed."""
    return _errors_of_products(outcome) if built_in else _errors_of_any(outcome)


def _errors_of_any(outcome: Outcome) -> list[RelationError]:
    text, id = outcome.document.text, outcome.document.id
    gold = [_sides(head.label, tail.label) for head, tail in outcome.gold.values()]
    found = [_sides(r.head, r.tail) for r in (*outcome.correct.values(), *outcome.spurious.values())]
    errors = []
    for relation in outcome.spurious.values():
        kinds = ("wrong type", "wrong pair", "spurious co-occurrence")
        kind = _beside(_sides(relation.head, relation.tail), gold, kinds)
        errors.append(RelationError("false", kind, id, relation.head, relation.tail))
    for head, tail in outcome.missed.values():
        named = verbatim_spans(text, head.label) and verbatim_spans(text, tail.label)
        kinds = ("wrong type", "missed pair", "missed name" if named else "not in the text")
        kind = _beside(_sides(head.label, tail.label), found, kinds)
        errors.append(RelationError("missed", kind, id, head.label, tail.label))
    return errors


def _sides(head: str, tail: str) -> frozenset[str]:
    return frozenset(map(normalise_upstream, (head, tail)))


def _beside(sides: frozenset[str], others: Sequence[frozenset[str]], kinds: tuple[str, str, str]) -> str:
    """The kind of an error by the relations on the other side: the same pair, the same names, parts of names, none."""
    same, apart, none = kinds
    names = frozenset().union(*others)
    if sides in others:
        return same
    if sides <= names:
        return apart
    return "partial name" if all(side in names or _part_of_any(side, set(names)) for side in sides) else none


def _errors_of_products(outcome: Outcome) -> list[RelationError]:
    gold = {normalise_upstream(chemical.label) for _, chemical in outcome.gold.values()}
    predicted = [*outcome.correct.values(), *outcome.spurious.values()]
    found = {normalise_upstream(relation.chemical) for relation in predicted}
    listed = _listed(outcome.document.text) if outcome.missed else set()
    id = outcome.document.id
    return [
        *(RelationError("false", _false(r, gold), id, r.organism, r.chemical) for r in outcome.spurious.values()),
        *(
            RelationError("missed", _missed(o, c, outcome, found, listed), id, o.label, c.label)
            for o, c in outcome.missed.values()
        ),
    ]


def _false(relation: Relation, gold: set[str]) -> str:
    chemical = normalise_upstream(relation.chemical)
    if chemical in gold:
        return "wrong organism"
    if gold and _CLASS.search(chemical) and not re.search(r"\d", chemical):
        return "class for compound"
    return "partial name" if _part_of_any(chemical, gold) else "spurious co-occurrence"


def _missed(organism: Entity, chemical: Entity, outcome: Outcome, found: set[str], listed: set[str]) -> str:
    text, key = outcome.document.text, normalise_upstream(chemical.label)
    if key in found:
        return "wrong organism"
    if key in listed and not verbatim_spans(text, chemical.label):
        return "missed list member"
    if _part_of_any(key, found):
        return "partial name"
    if not verbatim_spans(text, chemical.label):
        return "not in the text"
    if chemical.is_class:
        return "missed class"
    there = verbatim_spans(text, organism.label) or abbreviated_genus_spans(text, organism.label)
    return "missed name" if there else "not in the text"


def _part_of_any(key: str, others: set[str]) -> bool:
    return any(key in other or (len(other) >= _SHORTEST_PART and other in key) for other in others)


def _listed(text: str) -> set[str]:
    expansions = (*expand_lists(text), *expand_shared_heads(text))
    return {normalise_upstream(label) for expansion in expansions for label in expansion.labels}


@dataclass(frozen=True)
class ErrorCount:
    """How often a kind of error occurs, with an example."""

    side: str
    kind: str
    meaning: str
    count: int
    documents: int
    example: RelationError


def count_errors(errors: Sequence[RelationError], built_in: bool = True) -> list[ErrorCount]:
    """The kinds that occur, most frequent first; their meaning in words of the built-in field, or of any."""
    groups: dict[tuple[str, str], list[RelationError]] = {}
    for error in errors:
        groups.setdefault((error.side, error.kind), []).append(error)
    false, missed = (FALSE_KINDS, MISSED_KINDS) if built_in else (ANY_FALSE_KINDS, ANY_MISSED_KINDS)
    meanings = {"false": false, "missed": missed}
    counts = [
        ErrorCount(side, kind, meanings[side][kind], len(group), len({e.document for e in group}), group[0])
        for (side, kind), group in groups.items()
    ]
    return sorted(counts, key=lambda count: -count.count)


@dataclass(frozen=True)
class CeilingRow:
    """How many gold relations a way of reading the text can reach."""

    name: str
    reachable: int
    gold: int

    @property
    def share(self) -> float:
        """In percent."""
        return 100 * self.reachable / self.gold if self.gold else 0.0


def ceiling(comparison: Comparison) -> list[CeilingRow]:
    """Gold relations whose labels the text gives: verbatim; with abbreviated genera resolved; with lists expanded."""
    counts = [0, 0, 0]
    gold = 0
    for outcome in comparison.outcomes:
        text = outcome.document.text
        listed = _listed(text)
        named: dict[Hashable, tuple[bool, bool]] = {}
        for organism, chemical in outcome.gold.values():
            if organism.label not in named:
                verbatim = bool(verbatim_spans(text, organism.label))
                named[organism.label] = verbatim, verbatim or bool(abbreviated_genus_spans(text, organism.label))
            here = bool(verbatim_spans(text, chemical.label))
            in_list = here or normalise_upstream(chemical.label) in listed
            verbatim, resolved = named[organism.label]
            gold += 1
            counts[0] += verbatim and here
            counts[1] += resolved and here
            counts[2] += resolved and in_list
    names = ("both labels verbatim", "and abbreviated genera resolved", "and lists and ranges expanded")
    return [CeilingRow(name, count, gold) for name, count in zip(names, counts, strict=True)]
