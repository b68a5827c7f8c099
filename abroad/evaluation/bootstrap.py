"""Intervals and comparisons by resampling documents: relations of one document are not independent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from abroad.evaluation.metrics import Scores


@dataclass(frozen=True)
class Interval:
    """Percent, unless said otherwise; 95% percentile bootstrap."""

    low: float
    high: float


def bootstrap_intervals(scores: Sequence[Scores], resamples: int = 2000, seed: int = 0) -> dict[str, Interval]:
    """95% intervals of micro precision, recall and F1 over documents.

    Efron's percentile bootstrap (Efron and Tibshirani 1993, ch. 13).

    Args:
        scores: of each document.
    Returns:
        "precision", "recall", "f1" -> interval in percent.
    """
    import numpy as np

    statistics = _resample(scores, resamples, seed)
    return {
        name: Interval(*(float(bound) for bound in np.percentile(values, [2.5, 97.5])))
        for name, values in statistics.items()
    }


def mean_interval(values: Sequence[float], resamples: int = 2000, seed: int = 0) -> Interval:
    """95% percentile bootstrap interval of a mean over documents, in the values' own unit; (0, 0) of none."""
    import numpy as np

    if not values:
        return Interval(0.0, 0.0)
    drawn = np.random.default_rng(seed).choice(np.asarray(values, float), size=(resamples, len(values))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(float(low), float(high))


def paired_bootstrap(a: Sequence[Scores], b: Sequence[Scores], resamples: int = 10000, seed: int = 0) -> dict[str, Any]:
    """Whether system B differs from A in F1 on the same documents.

    The p-value is two-sided: the share of resamples in which the difference is
    at least as far from its mean as the observed one is from zero (the shift
    method of Berg-Kirkpatrick et al. 2012, https://aclanthology.org/D12-1091/).

    Returns:
        difference (B minus A, points), low, high (95%), p_value.
    """
    import numpy as np

    differences = _resample(b, resamples, seed)["f1"] - _resample(a, resamples, seed)["f1"]
    observed = _f1_of(b) - _f1_of(a)
    extreme = np.abs(differences - differences.mean()) >= abs(observed) - 1e-12
    low, high = np.percentile(differences, [2.5, 97.5])
    p_value = float((extreme.sum() + 1) / (resamples + 1))
    return {"difference": observed, "low": float(low), "high": float(high), "p_value": p_value}


def resampled_sums(counts: Any, resamples: int, seed: int) -> Any:
    """Sums over the documents of each resample, of statistics that add up over documents.

    Args:
        counts: [documents, statistics].
    Returns:
        [resamples, statistics]; the same seed draws the same documents.
    """
    import numpy as np

    generator = np.random.default_rng(seed)
    weights = generator.multinomial(len(counts), np.full(len(counts), 1 / len(counts)), size=resamples)
    return weights @ counts


def _f1_of(scores: Sequence[Scores]) -> float:
    from abroad.evaluation.metrics import add_scores

    return add_scores(scores).f1


def _resample(scores: Sequence[Scores], resamples: int, seed: int) -> dict[str, Any]:
    """Statistics of each resample, arrays [resamples] in percent; the same seed draws the same documents."""
    import numpy as np

    counts = np.array([[s.true_positives, s.predicted, s.gold] for s in scores], dtype=np.int64)
    hits, predicted, gold = resampled_sums(counts, resamples, seed).T
    return {
        "precision": 100 * np.divide(hits, predicted, out=np.zeros(resamples), where=predicted > 0),
        "recall": 100 * np.divide(hits, gold, out=np.zeros(resamples), where=gold > 0),
        "f1": 200 * np.divide(hits, predicted + gold, out=np.zeros(resamples), where=predicted + gold > 0),
    }
