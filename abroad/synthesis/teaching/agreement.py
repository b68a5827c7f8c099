"""What passes over one document agree on, and how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from abroad.core.schema import Prediction, Relation
from abroad.text.characters import normalise_strict

Said = tuple[str, ...]
"""A relation by its labels: (organism, chemical) of natural products, (head, type, tail) of another field."""


def said(relation: Relation) -> Said:
    """What a relation says."""
    return (relation.head, *(() if relation.is_built_in else (relation.type,)), relation.tail)


@dataclass(frozen=True)
class Judgement:
    """What the passes say of a document.

    Attributes:
        shares: each relation that a pass named, in order -> share of the passes that did.
        agreement: mean F1 of one pass to another; 1 where none names a relation.
        confidence: of a fine-tuned model's own decoding, from 0 to 1; None of other passes.
    """

    shares: dict[Said, float]
    agreement: float
    confidence: float | None = None

    @property
    def agreed(self) -> list[Said]:
        """Relations that more than half of the passes name: of two, both."""
        return [pair for pair, share in self.shares.items() if share > 0.5]

    @property
    def disputed(self) -> list[Said]:
        """The others."""
        return [pair for pair, share in self.shares.items() if share <= 0.5]


def judge(predictions: Sequence[Prediction]) -> Judgement:
    """Compare passes, each with its prediction of the same document; of a name's spellings the first one stays."""
    spelt: dict[Said, Said] = {}
    named: list[set[Said]] = []
    for prediction in predictions:
        keys = set()
        for relation in prediction.relations:
            labels = said(relation)
            key = (normalise_strict(labels[0]), *labels[1:-1], normalise_strict(labels[-1]))
            spelt.setdefault(key, labels)
            keys.add(key)
        named.append(keys)
    shares = {spelling: sum(key in keys for keys in named) / len(named) for key, spelling in spelt.items()}
    pairs = list(combinations(named, 2))
    agreement = sum(_f1(a, b) for a, b in pairs) / len(pairs) if pairs else 1.0
    told = (prediction.extra.get("confidence") for prediction in predictions)
    return Judgement(shares, agreement, next((each for each in told if each is not None), None))


def _f1(a: set[Said], b: set[Said]) -> float:
    return 2 * len(a & b) / (len(a) + len(b)) if a or b else 1.0
