"""Scores that mean what they say: calibration, its error, and the thresholds that give a wanted precision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from abroad.core.errors import InputError

_BINS = 10
_WINDOW = 8  # thresholds on each side


@dataclass(frozen=True)
class PlattScaling:
    """Score s -> 1 / (1 + exp(-(slope * logit(s) + intercept))) (Platt 1999, on log-odds)."""

    slope: float
    intercept: float

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Calibrated scores, array of shape (n,), of scores of that shape."""
        return 1 / (1 + np.exp(-(self.slope * _logit(scores) + self.intercept)))

    @classmethod
    def fit(cls, scores: np.ndarray, truth: np.ndarray) -> PlattScaling:
        """From held-out scores and whether each relation was right, both of shape (n,)."""
        from sklearn.linear_model import LogisticRegression

        model = LogisticRegression(C=1e6).fit(_logit(scores)[:, None], truth)
        return cls(float(model.coef_[0, 0]), float(model.intercept_[0]))

    def to_dict(self) -> dict[str, Any]:
        return {"method": "platt", **asdict(self)}


@dataclass(frozen=True)
class IsotonicScaling:
    """A rising step function through points, linear between them (Zadrozny and Elkan, KDD 2002).

    Attributes:
        scores: of the points, an array, rising.
        values: at these, an array of the same length, rising.
    """

    scores: np.ndarray
    values: np.ndarray

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Calibrated scores, array of shape (n,), of scores of that shape."""
        return np.interp(scores, self.scores, self.values)

    @classmethod
    def fit(cls, scores: np.ndarray, truth: np.ndarray) -> IsotonicScaling:
        """From held-out scores and whether each relation was right, both of shape (n,)."""
        from sklearn.isotonic import IsotonicRegression

        least = 1 / (len(scores) + 2)  # nothing is certain (Laplace's rule of succession)
        model = IsotonicRegression(y_min=least, y_max=1 - least, out_of_bounds="clip").fit(scores, truth)
        return cls(model.X_thresholds_, model.y_thresholds_)

    def to_dict(self) -> dict[str, Any]:
        points = ([float(f"{value:.10g}") for value in array] for array in (self.scores, self.values))
        return dict(zip(("scores", "values"), points, strict=True)) | {"method": "isotonic"}


Scaling = PlattScaling | IsotonicScaling


def scaling_from_dict(record: dict[str, Any]) -> Scaling:
    """A scaling that was written down by its `to_dict`."""
    if record["method"] == "platt":
        return PlattScaling(record["slope"], record["intercept"])
    return IsotonicScaling(np.array(record["scores"]), np.array(record["values"]))


def expected_calibration_error(scores: np.ndarray, truth: np.ndarray, bins: int = _BINS) -> float:
    """Mean gap between score and share of right relations, over bins of equal width, weighted by their sizes.

    Args:
        scores: of relations, shape (n,).
        truth: whether each of them is right, shape (n,).
        bins: of the scores.
    Source: Naeini, Cooper and Hauskrecht, AAAI 2015.
    """
    if not len(scores):
        return 0.0
    indices = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [
        abs(scores[indices == index].mean() - truth[indices == index].mean()) * (indices == index).sum()
        for index in np.unique(indices)
    ]
    return float(sum(gaps) / len(scores))


@dataclass(frozen=True)
class OperatingPoint:
    """What a threshold on the score gave on held-out documents; the last three in percent."""

    threshold: float
    precision: float
    recall: float
    f1: float


def operating_points(scores: np.ndarray, truth: np.ndarray, gold: int) -> list[OperatingPoint]:
    """For thresholds 0.05, 0.06, ... 0.99.

    Args:
        scores: of held-out candidate relations, shape (n,).
        truth: whether each of them is right, shape (n,).
        gold: relations there are, found as candidates or not.
    """
    points = []
    for threshold in np.arange(5, 100) / 100:
        chosen = scores >= threshold
        right, predicted = int(truth[chosen].sum()), int(chosen.sum())
        precision = 100 * right / predicted if predicted else 0.0
        recall = 100 * right / gold if gold else 0.0
        f1 = 2 * precision * recall / (precision + recall) if right else 0.0
        points.append(OperatingPoint(float(threshold), round(precision, 2), round(recall, 2), round(f1, 2)))
    return points


def best_threshold(points: Sequence[OperatingPoint]) -> float:
    """The middle of the best stretch of thresholds: F1 is averaged over a window, since its single peak is chance."""
    f1 = np.array([point.f1 for point in points])
    window = np.ones(2 * _WINDOW + 1)
    smooth = np.convolve(f1, window, "same") / np.convolve(np.ones(len(f1)), window, "same")
    return points[int(smooth.argmax())].threshold


def nearest_point(points: Sequence[OperatingPoint], threshold: float) -> OperatingPoint:
    """What the threshold nearest to this one gave."""
    return min(points, key=lambda point: abs(point.threshold - threshold))


def threshold_for_precision(points: Sequence[OperatingPoint], precision: float) -> OperatingPoint:
    """Of the thresholds that gave this precision, the one of the best recall.

    Args:
        precision: 0 to 1.
    Raises:
        InputError: none gave it; the message has the best there was.
    """
    reached = [point for point in points if point.precision >= 100 * precision and point.recall > 0]
    if not reached:
        best = max(points, key=lambda point: point.precision)
        raise InputError(
            f"no threshold gave a precision of {precision:g} on held-out documents; "
            f"the best was {best.precision / 100:.2f}, with --min-score {best.threshold:g}"
        )
    return max(reached, key=lambda point: point.recall)


def _logit(scores: np.ndarray) -> np.ndarray:
    clipped = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.log(clipped / (1 - clipped))
