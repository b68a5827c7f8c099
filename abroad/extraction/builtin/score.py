"""Probability of each candidate relation: logistic regressions over organisms, chemicals and their pairs.

Three models: whether an organism produces anything here, whether a chemical is produced
by anything here, and, given both, whether the one produces the other. They are numbers in
JSON; scikit-learn fits them, numpy applies them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from abroad.extraction.builtin.candidates import (
    ChemicalCandidate,
    OrganismCandidate,
    chemical_candidates,
    organism_candidates,
)
from abroad.extraction.builtin.encoder import TextScores
from abroad.extraction.builtin.features import chemical_features, organism_features, pair_features
from abroad.extraction.builtin.reading import Reading

_SURE = 1e-4
_FREE = 10.0  # a column so large that its weight is hardly penalised
_NO_OTHER = -4.0  # log-odds that stand for "no other organism"
_OPINIONS = (
    "organism score",
    "chemical score",
    "lead over organisms",
    "best organism",
    "weaker side",
    "best chemicals",
    "pair: joined",
    "pair: joined mean",
    "pair: joined lead",
)


@dataclass(frozen=True)
class LinearModel:
    """Logistic regression over named, standardised features.

    Attributes:
        names: of the features, in the order of the arrays (all of shape (features,)).
    """

    names: tuple[str, ...]
    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    intercept: float

    def log_odds(self, values: np.ndarray) -> np.ndarray:
        """Of rows of shape (candidates, features); clipped to +-9.2."""
        limit = np.log((1 - _SURE) / _SURE)
        return np.clip((values - self.mean) / self.scale @ self.weights + self.intercept, -limit, limit)

    @classmethod
    def fit(
        cls, names: Sequence[str], values: np.ndarray, truth: np.ndarray, weight: np.ndarray, strength: float
    ) -> LinearModel:
        """L2-penalised; where all are true, or none, all get the same log-odds.

        Args:
            names: of the features.
            values: of the candidates, shape (candidates, features).
            truth: whether each holds, shape (candidates,).
            weight: of each, shape (candidates,).
            strength: scikit-learn's C.
        """
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler().fit(values)
        mean, scale = scaler.mean_, scaler.scale_
        if truth.all() or not truth.any():  # nothing to tell apart, as in a handful of documents
            odds = float(np.log((truth.sum() + 0.5) / ((~truth).sum() + 0.5)))
            return cls(tuple(names), mean, scale, np.zeros(len(names)), odds)
        model = LogisticRegression(C=strength, max_iter=3000).fit(scaler.transform(values), truth, sample_weight=weight)
        return cls(tuple(names), mean, scale, model.coef_[0], float(model.intercept_[0]))

    def refitted(self, values: np.ndarray, truth: np.ndarray, weight: np.ndarray, strength: float) -> LinearModel:
        """Fitted to other candidates too: what is penalised is how far its weights go from these, but for their scale.

        A few documents so correct a model that has seen many (the prior of Chelba and Acero, "Adaptation of Maximum
        Entropy Capitalizer: Little Data Can Help a Lot", 2006).

        Args:
            values: of the candidates, shape (candidates, features).
            truth: whether each holds, shape (candidates,).
            weight: of each, shape (candidates,).
            strength: scikit-learn's C.
        """
        from sklearn.linear_model import LogisticRegression

        if truth.all() or not truth.any():
            return self
        standard = (values - self.mean) / self.scale
        odds = standard @ self.weights + self.intercept
        rows = np.column_stack([standard, _FREE * odds])
        model = LogisticRegression(C=strength, max_iter=3000).fit(rows, truth, sample_weight=weight)
        *changes, scale = model.coef_[0]
        weights = _FREE * scale * self.weights + np.array(changes)
        return replace(self, weights=weights, intercept=float(_FREE * scale * self.intercept + model.intercept_[0]))

    def to_dict(self) -> dict[str, Any]:
        arrays = {"mean": self.mean, "scale": self.scale, "weights": self.weights}
        rounded = {name: [float(f"{value:.6g}") for value in array] for name, array in arrays.items()}
        return {"names": list(self.names), **rounded, "intercept": float(f"{self.intercept:.6g}")}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> LinearModel:
        mean, scale, weights = (np.array(record[name], dtype=float) for name in ("mean", "scale", "weights"))
        return cls(tuple(record["names"]), mean, scale, weights, float(record["intercept"]))


@dataclass(frozen=True)
class CandidateTable:
    """Candidates of a document with their features as arrays.

    Attributes:
        organism_values: shape (organisms, features).
        chemical_values: shape (chemicals, features).
        pair_values: shape (organisms * chemicals, features), organism by organism.
        names: of the features of each of the three.
    """

    organisms: Sequence[OrganismCandidate]
    chemicals: Sequence[ChemicalCandidate]
    organism_values: np.ndarray
    chemical_values: np.ndarray
    pair_values: np.ndarray
    names: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]

    @property
    def pairs(self) -> list[tuple[OrganismCandidate, ChemicalCandidate]]:
        return [(organism, chemical) for organism in self.organisms for chemical in self.chemicals]


def candidate_table(reading: Reading, scores: TextScores) -> CandidateTable | None:
    """The candidates of a text; None if it names no organism or no chemical."""
    organisms, chemicals = organism_candidates(reading, scores), chemical_candidates(reading, scores)
    if not organisms or not chemicals:
        return None
    of_organisms = organism_features(reading, organisms, scores)
    of_chemicals = chemical_features(reading, organisms, chemicals, scores)
    of_pairs = pair_features(reading, organisms, chemicals, scores)
    return CandidateTable(
        organisms,
        chemicals,
        _values(of_organisms),
        _values(of_chemicals),
        _values(of_pairs),
        (tuple(of_organisms[0]), tuple(of_chemicals[0]), tuple(of_pairs[0])),
    )


def _values(rows: Sequence[dict[str, float]]) -> np.ndarray:
    """Features as an array of shape (rows, features)."""
    return np.array([list(row.values()) for row in rows])


def stacked(table: CandidateTable, organisms: np.ndarray, chemicals: np.ndarray) -> tuple[list[str], np.ndarray]:
    """(names, rows of all features of each pair), with what the first two models say of its sides.

    A text of one sentence is a kind of its own, in which every feature has a second weight; and what an opinion is
    worth depends on whether the document reports any production.

    Args:
        organisms: log-odds of each, shape (organisms,).
        chemicals: log-odds of each, shape (chemicals,).
    Returns:
        names, and rows of shape (organisms * chemicals, features).
    """
    n, m = len(organisms), len(chemicals)
    others = np.array([np.delete(organisms, index).max(initial=_NO_OTHER) for index in range(n)])
    best_chemicals = np.sort(chemicals)[::-1][:5].mean()
    organism, chemical = np.repeat(organisms, m), np.tile(chemicals, n)
    rival = np.repeat(others, m)
    own = {
        "organism score": organism,
        "chemical score": chemical,
        "lead over organisms": organism - rival,
        "best organism": np.full(n * m, organisms.max()),
        "weaker side": np.minimum(organism, chemical),
        "another organism leads": ((organism < rival) & (n > 1)).astype(float),
        "best chemicals": np.full(n * m, best_chemicals),
        "chemical if organism": (organism > 0) * chemical,
    }
    names = [*own, *(f"pair: {x}" for x in table.names[2])]
    names += [*(f"organism: {x}" for x in table.names[0]), *(f"chemical: {x}" for x in table.names[1])]
    sides = (np.repeat(table.organism_values, m, axis=0), np.tile(table.chemical_values, (n, 1)))
    rows = np.column_stack([*own.values(), table.pair_values, *sides])
    alone, reports = (rows[:, [names.index(name)]] for name in ("pair: sentence alone", "organism: reports"))
    opinions = rows[:, [names.index(name) for name in _OPINIONS]]
    crossed = [*(f"alone: {name}" for name in names), *(f"reports: {name}" for name in _OPINIONS)]
    return [*names, *crossed], np.hstack([rows, alone * rows, reports * opinions])


@dataclass(frozen=True)
class RelationScorer:
    """The three models, applied in turn."""

    organism: LinearModel
    chemical: LinearModel
    pair: LinearModel

    def probabilities(self, table: CandidateTable) -> np.ndarray:
        """Of each pair, in the order of `table.pairs`, shape (pairs,); not calibrated."""
        organisms = self.organism.log_odds(table.organism_values)
        chemicals = self.chemical.log_odds(table.chemical_values)
        _, rows = stacked(table, organisms, chemicals)
        return 1 / (1 + np.exp(-self.pair.log_odds(rows)))

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name).to_dict() for name in ("organism", "chemical", "pair")}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> RelationScorer:
        return cls(*(LinearModel.from_dict(record[name]) for name in ("organism", "chemical", "pair")))


_Candidate = TypeVar("_Candidate", ChemicalCandidate, OrganismCandidate)


@dataclass(frozen=True)
class ScoredPair:
    """A candidate relation and its score, 0 to 1."""

    organism: OrganismCandidate
    chemical: ChemicalCandidate
    score: float


def ranked_pairs(table: CandidateTable, scores: np.ndarray) -> list[ScoredPair]:
    """The pairs of a table with their scores, best first, without those that overlap better ones; lists are whole.

    Args:
        scores: in the order of `table.pairs`, shape (pairs,).
    """
    pairs = [ScoredPair(*pair, float(score)) for pair, score in zip(table.pairs, scores, strict=True)]
    return sorted(_with_whole_lists(without_overlaps(pairs)), key=lambda pair: -pair.score)


def _with_whole_lists(pairs: Sequence[ScoredPair]) -> list[ScoredPair]:
    """The members of a list have the mean of their scores: they stand or fall together."""
    members: dict[tuple[str, int, int], list[int]] = defaultdict(list)
    for index, pair in enumerate(pairs):
        span = next((span for span in pair.chemical.spans if span.labels > 1), None)
        if span is not None:
            members[pair.organism.key, span.start, span.end].append(index)
    whole = list(pairs)
    for indices in members.values():
        mean = sum(pairs[index].score for index in indices) / len(indices)
        for index in indices:
            whole[index] = replace(pairs[index], score=mean)
    return whole


def without_overlaps(pairs: Sequence[ScoredPair]) -> list[ScoredPair]:
    """Of names that claim one stretch of text, only the one with the best relation stays; best first.

    "usnic" and "usnic acid" cannot both be the name that stands there, and neither can "Coptis" and "Coptis rhizoma";
    members of one list can.
    """
    chemicals: _Kept[ChemicalCandidate] = _Kept(_compete)
    organisms: _Kept[OrganismCandidate] = _Kept(_cover)
    ranked = sorted(pairs, key=lambda pair: -pair.score)
    return [pair for pair in ranked if chemicals.keeps(pair.chemical) and organisms.keeps(pair.organism)]


class _Kept(Generic[_Candidate]):
    """Candidates that were taken, each unless it competes with one that was taken before."""

    def __init__(self, compete: Callable[[_Candidate, _Candidate], bool]) -> None:
        self._compete: Callable[[_Candidate, _Candidate], bool] = compete
        self._kept: dict[str, _Candidate] = {}
        self._refused: set[str] = set()

    def keeps(self, candidate: _Candidate) -> bool:
        if candidate.key in self._kept:
            return True
        if candidate.key in self._refused or any(self._compete(candidate, other) for other in self._kept.values()):
            self._refused.add(candidate.key)
            return False
        self._kept[candidate.key] = candidate
        return True


def _cover(one: OrganismCandidate, other: OrganismCandidate) -> bool:
    """Whether every mention of one of two names lies in mentions of the other."""
    places = [(m.start, m.end) for m in one.mentions], [(m.start, m.end) for m in other.mentions]
    return any(
        all(any(start < e and s < end for s, e in theirs) for start, end in own)
        for own, theirs in (places, places[::-1])
    )


def _compete(one: ChemicalCandidate, other: ChemicalCandidate) -> bool:
    """Whether two names claim one stretch of text that cannot hold both."""
    if one.best.start >= other.best.end or one.best.end <= other.best.start:
        return False
    return not {(s.start, s.end) for s in one.spans}.intersection((s.start, s.end) for s in other.spans)
