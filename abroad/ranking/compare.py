"""The orders of ranked predictions set beside each other and beside gold, and where the two players disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from abroad.core.errors import InputError
from abroad.core.schema import Document, Prediction
from abroad.evaluation.bootstrap import Interval, bootstrap_intervals, mean_interval
from abroad.evaluation.metrics import Scores, add_scores
from abroad.evaluation.protocols import PROTOCOLS, Protocol, either_way
from abroad.ranking.orders import ORDERS
from abroad.ranking.statements import relations_of, undirected_in

GIVEN = "as given"
"""The order the candidates came in: what ranking has to beat."""
_SHARES = tuple(share / 100 for share in range(5, 101, 5))


@dataclass(frozen=True)
class OrderScores:
    """How good one order is.

    Attributes:
        average_precision: percent, mean over the documents in which an order matters (they have right and wrong
            candidates).
        first: percent of these documents in which the first candidate is right.
        f1: at the fixed share of each document's candidates.
        best_f1: at the share best_share that gave most, chosen on these very documents, so too high.
        intervals: "average_precision", "first", "f1", "best_f1" -> 95% bootstrap interval over documents.
    """

    name: str
    average_precision: float
    first: float
    f1: float
    best_f1: float
    best_share: float
    intervals: dict[str, Interval]


@dataclass(frozen=True)
class Disagreement:
    """Percent, before the game and after it.

    Attributes:
        verdicts: of candidates: one player holds it correct and the other does not.
        firsts: of documents with two candidates or more: their first candidates differ.
    """

    verdicts: float
    firsts: float


@dataclass(frozen=True)
class RankingComparison:
    """All orders of the same candidates beside gold.

    Attributes:
        documents: with gold and a ranking.
        mattering: those in which an order matters.
        candidates: how many there are.
        correct: how many of them are right.
        chance: average precision that a random order is expected to have, in percent.
        ceiling: F1 if exactly the right candidates were kept.
        share: the fixed one.
        steps: median of the games'.
    """

    whole: bool
    protocol: str
    documents: int
    mattering: int
    candidates: int
    correct: int
    chance: float
    ceiling: float
    share: float
    orders: list[OrderScores]
    before: Disagreement
    after: Disagreement
    steps: int
    failed: int

    def to_dict(self) -> dict[str, Any]:
        from dataclasses import asdict

        return asdict(self)


@dataclass(frozen=True)
class _Ranked:
    """One document's candidates in the order they were given.

    Attributes:
        keys: what the protocol makes of each.
        gold: of the document.
        details: of each, as `CandidateRanking.details` gives them.
    """

    keys: list[frozenset[Any]]
    gold: frozenset[Any]
    details: list[dict[str, Any]]
    steps: int

    def order(self, by: str) -> list[int]:
        if by == GIVEN:
            return list(range(len(self.details)))
        return sorted(range(len(self.details)), key=lambda n: -self.details[n][by])

    def scores(self, kept: Sequence[int]) -> Scores:
        found = frozenset().union(*(self.keys[n] for n in kept))
        return Scores(len(found & self.gold), len(found), len(self.gold))

    @property
    def matters(self) -> bool:
        right = [bool(keys & self.gold) for keys in self.keys]
        return any(right) and not all(right)


def compare_orders(
    documents: Sequence[Document],
    predictions: Sequence[Prediction],
    share: float = 0.5,
    protocol: str = "upstream",
    seed: int = 0,
) -> RankingComparison:
    """Set the orders of ranked predictions beside each other.

    Args:
        predictions: as `rank_relations` or `rank_outputs` gives them.
        share: of each document's candidates, at least one, that is kept to score F1; for whole outputs the first.
    Raises:
        InputError: no prediction holds a ranking, or no document has relations.
    """
    rules = PROTOCOLS.get(protocol)
    by_id = {document.id: document for document in documents}
    usable = [p for p in predictions if p.id in by_id and "ranking" in p.extra]
    if not usable:
        raise InputError("no prediction with a field 'ranking'; `abroad rank` writes it")
    if not any(by_id[p.id].relations for p in usable):
        raise InputError("none of the documents has gold relations to compare the orders by")
    whole = any("relations" in row for p in usable for row in p.extra["ranking"])
    ranked = [_read(by_id[p.id], p, rules) for p in usable]
    mattering = [item for item in ranked if item.matters and not whole] or ranked
    orders = [_order_scores(name, ranked, mattering, share, whole, seed) for name in (GIVEN, *_orders_of(ranked))]
    steps = sorted(item.steps for item in ranked)
    flat = [keys & item.gold for item in ranked for keys in item.keys]
    return RankingComparison(
        whole=whole,
        protocol=protocol,
        documents=len(ranked),
        mattering=sum(item.matters for item in ranked),
        candidates=len(flat),
        correct=sum(map(bool, flat)),
        chance=100 * _mean([_expected_precision(item) for item in mattering]),
        ceiling=add_scores([item.scores(_best(item, whole)) for item in ranked]).f1,
        share=share,
        orders=orders,
        before=_disagreement(ranked, "first", ("first_generator", "first_discriminator")),
        after=_disagreement(ranked, "final", ("er-g", "er-d")),
        steps=steps[len(steps) // 2],
        failed=sum(p.error is not None for p in predictions),
    )


def _orders_of(ranked: Sequence[_Ranked]) -> list[str]:
    """The orders that all candidates were ranked by; what was ranked earlier lacks those that came later."""
    return [name for name in ORDERS.names() if all(name in row for item in ranked for row in item.details)]


def _read(document: Document, prediction: Prediction, rules: Protocol) -> _Ranked:
    rows = sorted(prediction.extra["ranking"], key=lambda row: row["place"])
    undirected = set().union(*map(undirected_in, rows))
    keys = [frozenset(either_way(rules.predicted(relations_of(row), document), undirected)) for row in rows]
    gold = frozenset(either_way(rules.gold(document), undirected))
    return _Ranked(keys, gold, rows, int(prediction.extra.get("game_steps", 0)))


def _best(item: _Ranked, whole: bool) -> list[int]:
    if not whole:
        return [n for n, keys in enumerate(item.keys) if keys & item.gold]
    return sorted(range(len(item.keys)), key=lambda n: -item.scores([n]).f1)[:1]


def _order_scores(
    name: str, ranked: list[_Ranked], mattering: list[_Ranked], share: float, whole: bool, seed: int
) -> OrderScores:
    precision = [_average_precision(item, item.order(name)) for item in mattering]
    first = [float(bool(item.keys[order[0]] & item.gold)) if (order := item.order(name)) else 0.0 for item in mattering]

    def cut(part: float) -> list[Scores]:
        return [item.scores(item.order(name)[: _count(len(item.keys), part, whole)]) for item in ranked]

    best = max(_SHARES if not whole else (1.0,), key=lambda part: add_scores(cut(part)).f1)
    fixed, chosen = cut(share), cut(best)
    return OrderScores(
        name,
        100 * _mean(precision),
        100 * _mean(first),
        add_scores(fixed).f1,
        add_scores(chosen).f1,
        best,
        {
            "average_precision": _percent_interval(precision, seed),
            "first": _percent_interval(first, seed),
            "f1": bootstrap_intervals(fixed, seed=seed)["f1"],
            "best_f1": bootstrap_intervals(chosen, seed=seed)["f1"],
        },
    )


def _count(candidates: int, share: float, whole: bool) -> int:
    return min(candidates, 1 if whole else max(1, round(share * candidates)))


def _average_precision(item: _Ranked, order: Sequence[int]) -> float:
    """Mean of the precision at each right candidate: what the candidates lack is not this order's fault."""
    hits, total = 0, 0.0
    for place, n in enumerate(order, 1):
        if item.keys[n] & item.gold:
            hits += 1
            total += hits / place
    return total / hits if hits else 0.0


def _expected_precision(item: _Ranked) -> float:
    """Mean of the average precision over all orders of n candidates, k of them right.

    The candidate at place i is right with k/n; then each of the i - 1 before it is with (k - 1) / (n - 1).
    """
    n, k = len(item.keys), sum(bool(keys & item.gold) for keys in item.keys)
    if not k:
        return 0.0
    before = (k - 1) / (n - 1) if n > 1 else 0.0
    return sum((1 + (place - 1) * before) / place for place in range(1, n + 1)) / n


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _percent_interval(values: Sequence[float], seed: int) -> Interval:
    return mean_interval([100 * value for value in values], seed=seed)


def _disagreement(ranked: Sequence[_Ranked], when: str, names: tuple[str, str]) -> Disagreement:
    rows = [row for item in ranked for row in item.details]
    differing = [row[f"{when}_generator_correct"] != row[f"{when}_discriminator_correct"] for row in rows]
    several = [item.details for item in ranked if len(item.details) > 1]

    def first(details: list[dict[str, Any]], name: str) -> int:
        return max(range(len(details)), key=lambda n: details[n][name])

    firsts = [first(details, names[0]) != first(details, names[1]) for details in several]
    return Disagreement(100 * _mean(differing), 100 * _mean(firsts))
