"""What cross-validation found: held-out scores, calibrated, with what each threshold gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.core.schema import Prediction
from abroad.extraction.builtin.calibrate import (
    IsotonicScaling,
    OperatingPoint,
    PlattScaling,
    Scaling,
    best_threshold,
    expected_calibration_error,
    operating_points,
)
from abroad.extraction.builtin.decide import Decision
from abroad.extraction.builtin.examples import Example
from abroad.extraction.builtin.pairs import relation
from abroad.extraction.builtin.score import ScoredPair

_CLEARLY = 0.01  # of calibration error


@dataclass(frozen=True)
class HeldOut:
    """What cross-validation found.

    Attributes:
        pairs: document id -> its candidate relations with calibrated scores (each calibrated without its fold).
        scaling: fitted to all held-out scores, for the model that goes out.
        points: what each threshold gave.
        thresholds: of each fold, chosen on the others.
        facts: error of calibration and the like.
    """

    pairs: dict[str, list[ScoredPair]]
    scaling: Scaling
    points: list[OperatingPoint]
    thresholds: dict[str, float]
    facts: dict[str, Any]

    def predictions(self, examples: Sequence[Example], least: float | None = None) -> list[Prediction]:
        """Held-out predictions, each fold's threshold chosen on the other folds.

        Args:
            least: of the surest relation of a text; None for the fold's threshold.
        """
        result = []
        for example in examples:
            key = example.document.id
            threshold = self.thresholds[key]
            decision = Decision(threshold if least is None else least, threshold)
            chosen = decision.chosen(example.reading, self.pairs[key])
            result.append(Prediction(key, [relation(example.reading, pair) for pair in chosen]))
        return result


def calibrated(
    examples: Sequence[Example], parts: Sequence[Sequence[int]], raw: dict[int, list[ScoredPair]]
) -> HeldOut:
    """Calibrate held-out scores, each by the other folds.

    Args:
        examples: that were measured on.
        parts: indices of the examples of each fold.
        raw: index of an example -> its pairs, with scores of models that had not seen it.
    Raises:
        InputError: all of the pairs are true, or none is.
    """
    scores = {index: np.array([pair.score for pair in pairs]) for index, pairs in raw.items()}
    truth = {
        index: np.array([(p.organism.key, p.chemical.key) in examples[index].gold for p in pairs], dtype=bool)
        for index, pairs in raw.items()
    }
    everything = _joined(truth, range(len(examples)))
    if everything.all() or not everything.any():
        raise InputError(
            f"{len(everything)} candidate relations in {len(examples)} documents, {everything.sum()} of them true; "
            "expected some true and some false: more documents, with the names of their relations in the text"
        )
    methods: dict[str, type[Scaling]] = {"platt": PlattScaling, "isotonic": IsotonicScaling}
    adjusted = {name: _cross_fitted(method, parts, scores, truth) for name, method in methods.items()}
    errors = {
        name: expected_calibration_error(_joined(values, range(len(examples))), everything)
        for name, values in adjusted.items()
    }
    chosen = "isotonic" if errors["isotonic"] < errors["platt"] - _CLEARLY else "platt"  # smooth unless it costs much
    final = methods[chosen].fit(_joined(scores, range(len(examples))), everything)
    own = adjusted[chosen]
    gold = sum(len(example.gold) for example in examples)
    points = operating_points(_joined(own, range(len(examples))), everything, gold)
    thresholds = _thresholds(examples, parts, own, truth)
    pairs = {
        examples[index].document.id: [
            ScoredPair(pair.organism, pair.chemical, float(score))
            for pair, score in zip(raw[index], own[index], strict=True)
        ]
        for index in raw
    }
    facts = {
        "calibration": chosen,
        "calibration error": {name: round(error, 4) for name, error in errors.items()},
        "best": asdict(max(points, key=lambda point: point.f1)),
    }
    return HeldOut(pairs, final, points, thresholds, facts)


def _thresholds(
    examples: Sequence[Example],
    parts: Sequence[Sequence[int]],
    scores: dict[int, np.ndarray],
    truth: dict[int, np.ndarray],
) -> dict[str, float]:
    """Document id -> the threshold that is best on the other folds."""
    thresholds: dict[str, float] = {}
    for part in parts:
        others = [index for index in range(len(examples)) if index not in set(part)]
        gold = sum(len(examples[index].gold) for index in others)
        threshold = best_threshold(operating_points(_joined(scores, others), _joined(truth, others), gold))
        thresholds |= {examples[index].document.id: threshold for index in part}
    return thresholds


def _cross_fitted(
    method: type[Scaling], parts: Sequence[Sequence[int]], scores: dict[int, np.ndarray], truth: dict[int, np.ndarray]
) -> dict[int, np.ndarray]:
    """Scores of each fold, calibrated on the others."""
    result: dict[int, np.ndarray] = {}
    for part in parts:
        others = [index for index in scores if index not in set(part)]
        scaling = method.fit(_joined(scores, others), _joined(truth, others))
        result |= {index: scaling.apply(scores[index]) for index in part}
    return result


def _joined(values: dict[int, np.ndarray], indices: Sequence[int]) -> np.ndarray:
    return np.concatenate([values[index] for index in indices])
