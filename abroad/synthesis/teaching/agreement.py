"""What passes over one document agree on, and how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from abroad.core.schema import Prediction, Relation
from abroad.text.characters import normalise_strict

Said = tuple[str, ...]
"""A relation by its labels: (organism, chemical) of natural products, (head, type, tail) of another field."""

_CUT_OFF = 0.5
"""What an answer that was cut off counts of a whole one: how much of it is missing, nobody knows."""


def said(relation: Relation) -> Said:
    """What a relation says."""
    return (relation.head, *(() if relation.is_built_in else (relation.type,)), relation.tail)


@dataclass(frozen=True)
class Judgement:
    """What the passes say of a document.

    Attributes:
        shares: each relation that a pass named, in order -> share of all passes that did.
        agreement: mean F1 of one pass to another, times the share of the passes that could be read; 1 where none names
            a relation. What an answer that was cut off does not name counts neither for nor against a relation, and
            the answer is half of one. A relation with a name that the text has not is shared with no other pass.
        confidence: of a fine-tuned model's own decoding, from 0 to 1; None of other passes.
        read: passes that could be read.
        passes: all of them.
        cut_off: passes whose answer was cut off.
        left_out: relations that a pass named, with a name that the text has not.
    """

    shares: dict[Said, float]
    agreement: float
    confidence: float | None = None
    read: int = 1
    passes: int = 1
    cut_off: int = 0
    left_out: tuple[Said, ...] = ()

    @property
    def agreed(self) -> list[Said]:
        """Relations that more than half of all passes name: of two, both."""
        return [pair for pair, share in self.shares.items() if share > 0.5]

    @property
    def disputed(self) -> list[Said]:
        """The others."""
        return [pair for pair, share in self.shares.items() if share <= 0.5]

    @property
    def is_read_by_most(self) -> bool:
        """Whether more than half of the passes could be read."""
        return 2 * self.read > self.passes


@dataclass(frozen=True)
class _Named:
    """What one pass names: keys of relations, how many more with names that the text has not, and if all of it."""

    keys: frozenset[Said]
    others: int
    is_whole: bool


def judge(predictions: Sequence[Prediction], passes: int | None = None) -> Judgement:
    """Compare passes, each with its prediction of the same document; of a name's spellings the first one stays.

    Args:
        predictions: of the passes that could be read, one at least.
        passes: all of them, also those that could not be read; by default there are no more.
    """
    passes = passes or len(predictions)
    spelt: dict[Said, Said] = {}
    named = [
        _Named(
            frozenset(_key(said(relation), spelt) for relation in prediction.relations),
            len(prediction.extra.get("left_out") or ()),
            not prediction.extra.get("cut_off"),
        )
        for prediction in predictions
    ]
    shares = {spelling: sum(key in each.keys for each in named) / passes for key, spelling in spelt.items()}
    told = (prediction.extra.get("confidence") for prediction in predictions)
    triples = [triple for prediction in predictions for triple in prediction.extra.get("left_out") or ()]
    left_out = [said(Relation(head, tail, type=type)) for head, type, tail in triples]
    return Judgement(
        shares,
        _agreement(named, passes),
        next((each for each in told if each is not None), None),
        read=len(named),
        passes=passes,
        cut_off=sum(not each.is_whole for each in named),
        left_out=tuple(dict.fromkeys(left_out)),
    )


def _key(labels: Said, spelt: dict[Said, Said]) -> Said:
    key = (normalise_strict(labels[0]), *labels[1:-1], normalise_strict(labels[-1]))
    spelt.setdefault(key, labels)
    return key


def _agreement(named: Sequence[_Named], passes: int) -> float:
    known = sum(1.0 if each.is_whole else _CUT_OFF for each in named) / passes
    pairs = list(combinations(named, 2))
    if not pairs:  # of one pass alone, there is nobody to disagree
        return known if passes == 1 else 0.0
    return known * sum(_f1(a, b) for a, b in pairs) / len(pairs)


def _f1(a: _Named, b: _Named) -> float:
    shared = len(a.keys & b.keys)
    against = len(a.keys - b.keys) * b.is_whole + len(b.keys - a.keys) * a.is_whole + a.others + b.others
    if shared + against:
        return 2 * shared / (2 * shared + against)
    return float(not a.keys | b.keys)  # two answers that were cut off in different places say nothing of one another
