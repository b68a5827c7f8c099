"""How far curators agree: F1 of each pair on relations, Cohen's and Fleiss' kappa on candidates, F1 of marked spans.

Submitted decisions count, and of a curator's decisions on a document the latest; adjudication does not, since
whoever adjudicates sees the others' answers. Relations are compared as the protocol `upstream` compares them.

Kappa needs negatives, and relations have none by nature: a candidate is a relation that a curator of the document
or the model named, and who did not name it said no. What nobody named is no candidate, so kappa is lower than it
would be over all pairs of names, and it depends on whether the model's relations are given. F1 has no such trouble
(Hripcsak and Rothschild 2005, https://doi.org/10.1197/jamia.M1733).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.core.schema import Prediction, Relation
from abroad.evaluation.bootstrap import Interval, bootstrap_intervals, resampled_sums
from abroad.evaluation.metrics import Scores, add_scores
from annotation.decisions.kappa import cohen_of_sums, fleiss_kappa, fleiss_of_sums, fleiss_terms
from annotation.decisions.merge import pair_key
from annotation.decisions.records import ADJUDICATION, Decision, counted
from annotation.words import RelationText


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95% bootstrap interval over documents; None where it is not defined."""

    value: float | None
    interval: Interval | None = None


_NONE = Estimate(None)


@dataclass(frozen=True)
class PairAgreement:
    """Two curators on the documents that both decided.

    Attributes:
        candidates: relations that one of them or the model named.
        f1: of relations, in percent.
        spans: of marked spans (same start, end and role), in percent.
        kappa: Cohen's, on the candidates.
    """

    first: str
    second: str
    documents: int
    candidates: int
    f1: Estimate
    kappa: Estimate
    spans: Estimate


@dataclass(frozen=True)
class PartAgreement:
    """Agreement within a part: one curator beside all others, or one batch over all its pairs.

    Attributes:
        documents: decided by two curators or more (and by this one).
        alone: relations that this curator named and another curator of the document did not; of a batch, in total.
        fleiss: Fleiss' kappa on the candidates of the part; None for a curator.
    """

    name: str
    documents: int
    f1: Estimate
    spans: Estimate
    alone: int
    fleiss: Estimate = _NONE


@dataclass(frozen=True)
class Agreement:
    """How far curators agree.

    Attributes:
        documents: decided by two curators or more.
        decisions: submitted, on whatever document.
        fleiss: Fleiss' kappa over all candidates.
    """

    documents: int
    decisions: int
    fleiss: Estimate
    pairs: list[PairAgreement]
    curators: list[PartAgreement]
    batches: list[PartAgreement]
    settings: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return _rounded(asdict(self))


@dataclass(frozen=True)
class _Answer:
    relations: frozenset[Hashable]
    spans: frozenset[Hashable]


@dataclass(frozen=True)
class _Case:
    """A document with the answers of its curators, by name, and its candidates."""

    batch: str
    answers: dict[str, _Answer]
    candidates: frozenset[Hashable]


def measure_agreement(
    decisions: Sequence[Decision],
    predictions: Sequence[Prediction] = (),
    batch: str | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> Agreement:
    """Agreement of all curators who share documents.

    Args:
        predictions: the model's relations, further candidates for kappa.
        batch: only decisions of this batch.
    Raises:
        InputError: no submitted decision, one curator only, or no document that two curators decided.
    """
    chosen = _countable(decisions, batch)
    cases = _shared_cases(chosen, predictions)
    names = sorted({name for case in cases for name in case.answers})
    measure = _Measure(resamples, seed)
    pairs = [measure.pair(first, second, cases) for first, second in combinations(names, 2)]
    batches = sorted({case.batch for case in cases})
    return Agreement(
        documents=len(cases),
        decisions=len(chosen),
        fleiss=measure.fleiss(cases),
        pairs=[pair for pair in pairs if pair.documents],
        curators=[measure.curator(name, [case for case in cases if name in case.answers]) for name in names],
        batches=[measure.batch(name, [case for case in cases if case.batch == name]) for name in batches],
        settings={"resamples": resamples, "seed": seed, "model candidates": bool(predictions), "batch": batch},
    )


def _countable(decisions: Sequence[Decision], batch: str | None) -> list[Decision]:
    submitted = [decision for decision in counted(decisions) if not decision.batch.endswith(ADJUDICATION)]
    if batch is not None:
        batches = sorted({decision.batch for decision in submitted})
        submitted = [decision for decision in submitted if decision.batch == batch]
        if not submitted:
            raise InputError(f"no submitted decision in batch {batch!r}; there are: {', '.join(batches) or 'none'}")
    if not submitted:
        raise InputError(f"no submitted decision among {len(decisions)}: drafts and discarded ones do not count")
    latest: dict[tuple[str, str], Decision] = {}
    for decision in sorted(submitted, key=lambda decision: decision.updated_at):
        latest[decision.document, decision.curator] = decision
    return list(latest.values())


def _shared_cases(decisions: Sequence[Decision], predictions: Sequence[Prediction]) -> list[_Case]:
    curators = sorted({decision.curator for decision in decisions})
    if len(curators) == 1:
        raise InputError(f"only {curators[0]} has decided anything: agreement needs two curators on the same documents")
    named = {prediction.id: _keys(map(_named, prediction.relations)) for prediction in predictions}
    by_document: dict[str, list[Decision]] = {}
    for decision in decisions:
        by_document.setdefault(decision.document, []).append(decision)
    cases = []
    for document, own in by_document.items():
        if len(own) == 1:
            continue
        answers = {d.curator: _Answer(_keys(d.relations), frozenset(map(_span, d.mentions))) for d in own}
        candidates = frozenset().union(*(a.relations for a in answers.values()), named.get(document, frozenset()))
        cases.append(_Case(own[0].batch, answers, candidates))
    if not cases:
        raise InputError(
            f"no document was decided by two of {', '.join(curators)}: show some documents to two curators or more "
            "(--overlap of `abroad annotate push`)"
        )
    return cases


def _keys(relations: Iterable[RelationText]) -> frozenset[Hashable]:
    return frozenset(map(pair_key, relations))


def _named(relation: Relation) -> RelationText:
    if relation.is_built_in:
        return relation.head, relation.tail
    return relation.head, relation.type, relation.tail


def _span(mention: Any) -> Hashable:
    return mention.start, mention.end, mention.role


def _overlap(a: frozenset[Hashable], b: frozenset[Hashable]) -> Scores:
    return Scores(len(a & b), len(a), len(b))


@dataclass(frozen=True)
class _Measure:
    resamples: int
    seed: int

    def pair(self, first: str, second: str, cases: Sequence[_Case]) -> PairAgreement:
        shared = [case for case in cases if first in case.answers and second in case.answers]
        answers = [(case.answers[first], case.answers[second]) for case in shared]
        table = [
            [
                len(a.relations & b.relations),
                len(a.relations - b.relations),
                len(b.relations - a.relations),
                len(case.candidates - a.relations - b.relations),
            ]
            for case, (a, b) in zip(shared, answers, strict=True)
        ]
        return PairAgreement(
            first,
            second,
            documents=len(shared),
            candidates=sum(len(case.candidates) for case in shared),
            f1=self._f1([_overlap(a.relations, b.relations) for a, b in answers]),
            kappa=self._cohen(np.array(table).reshape(-1, 4)),
            spans=self._f1([_overlap(a.spans, b.spans) for a, b in answers]),
        )

    def curator(self, name: str, cases: Sequence[_Case]) -> PartAgreement:
        """One curator beside each other of the same documents."""
        pairs = [[(case.answers[name], case.answers[o]) for o in case.answers if o != name] for case in cases]
        return self._part(name, pairs, sum(len(a.relations - b.relations) for p in pairs for a, b in p))

    def batch(self, name: str, cases: Sequence[_Case]) -> PartAgreement:
        pairs = [list(combinations(case.answers.values(), 2)) for case in cases]
        alone = sum(len(a.relations ^ b.relations) for p in pairs for a, b in p)
        return self._part(name, pairs, alone, self.fleiss(cases))

    def _part(
        self, name: str, pairs: Sequence[Sequence[tuple[_Answer, _Answer]]], alone: int, fleiss: Estimate = _NONE
    ) -> PartAgreement:
        relations = [add_scores([_overlap(a.relations, b.relations) for a, b in p]) for p in pairs]
        spans = [add_scores([_overlap(a.spans, b.spans) for a, b in p]) for p in pairs]
        return PartAgreement(name, len(pairs), self._f1(relations), self._f1(spans), alone, fleiss)

    def fleiss(self, cases: Sequence[_Case]) -> Estimate:
        """Over the candidates of all documents; the bootstrap draws documents, not candidates."""
        documents = []
        for case in cases:
            raters = len(case.answers)
            yes = [sum(key in a.relations for a in case.answers.values()) for key in case.candidates]
            if yes:
                documents.append(np.array([[count, raters - count] for count in yes]))
        if not documents:
            return _NONE
        sums = np.array([fleiss_terms(counts).sum(axis=0) for counts in documents])
        return self._interval(fleiss_kappa(np.vstack(documents)), fleiss_of_sums(self._resampled(sums)))

    def _cohen(self, table: np.ndarray) -> Estimate:
        from sklearn.metrics import cohen_kappa_score

        both, first, second, neither = table.sum(axis=0)
        if first + second + both == 0 or (neither == 0 and first + second == 0):
            return _NONE  # all answers in one category: chance alone explains any agreement
        answers = np.array([(1, 1), (1, 0), (0, 1), (0, 0)])
        value = cohen_kappa_score(*answers.T, sample_weight=[both, first, second, neither], labels=[0, 1])
        return self._interval(float(value), cohen_of_sums(self._resampled(table)))

    def _f1(self, scores: Sequence[Scores]) -> Estimate:
        total = add_scores(scores)
        if not total.predicted + total.gold:
            return _NONE
        return Estimate(total.f1, bootstrap_intervals(scores, self.resamples, self.seed)["f1"])

    def _resampled(self, counts: np.ndarray) -> np.ndarray:
        return resampled_sums(counts, self.resamples, self.seed)

    def _interval(self, value: float | None, resampled: np.ndarray) -> Estimate:
        defined = resampled[~np.isnan(resampled)]
        if value is None or not len(defined):
            return Estimate(value)
        return Estimate(value, Interval(*(float(bound) for bound in np.percentile(defined, [2.5, 97.5]))))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value
