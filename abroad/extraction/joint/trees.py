"""Gradient-boosted trees that are kept as numbers: fitted by scikit-learn, read and applied without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_TREES, _DEPTH, _RATE, _SHARE = 250, 5, 0.05, 0.5
_MIN_LEAF = 10


@dataclass(frozen=True)
class Trees:
    """A sum of regression trees: log-odds of rows of numbers.

    Attributes:
        names: of the numbers.
        start: log-odds before any tree.
        left: number of the node for values at most the threshold, or -1 in a leaf; of each tree, shape (nodes,).
        right: number of the node for larger ones, likewise.
        feature: number of the value that is compared.
        threshold: what it is compared with.
        value: what a leaf adds.
    """

    names: tuple[str, ...]
    start: float
    left: Sequence[np.ndarray]
    right: Sequence[np.ndarray]
    feature: Sequence[np.ndarray]
    threshold: Sequence[np.ndarray]
    value: Sequence[np.ndarray]

    def log_odds(self, rows: np.ndarray) -> np.ndarray:
        """Array of shape (rows,), of one of shape (rows, names)."""
        total = np.full(len(rows), self.start)
        numbers = np.arange(len(rows))
        rows = rows.astype(np.float32)  # as scikit-learn compares them
        for left, right, feature, threshold, value in zip(
            self.left, self.right, self.feature, self.threshold, self.value, strict=True
        ):
            node = np.zeros(len(rows), dtype=np.int64)
            while (inner := left[node] >= 0).any():
                lower = rows[numbers, feature[node]] <= threshold[node]
                node = np.where(inner, np.where(lower, left[node], right[node]), node)
            total += value[node]
        return total

    @classmethod
    def fit(
        cls, names: Sequence[str], rows: np.ndarray, truth: np.ndarray, seed: int = 0, weight: np.ndarray | None = None
    ) -> Trees:
        """Gradient boosting with subsampling (Friedman 2002).

        Args:
            rows: shape (rows, names).
            truth: whether each holds, shape (rows,); some do and some do not.
            weight: of each row, above 0, shape (rows,); None: all the same.
        """
        from sklearn.ensemble import GradientBoostingClassifier

        model = GradientBoostingClassifier(
            n_estimators=_TREES,
            max_depth=_DEPTH,
            learning_rate=_RATE,
            subsample=_SHARE,
            max_features=0.4,
            min_samples_leaf=min(_MIN_LEAF, max(1, len(rows) // 50)),
            random_state=seed,
        ).fit(rows, truth, weight)
        grown = [estimator.tree_ for estimator in model.estimators_[:, 0]]
        share = float(np.average(truth, weights=weight))
        return cls(
            tuple(names),
            float(np.log(share / (1 - share))),
            [tree.children_left.copy() for tree in grown],
            [tree.children_right.copy() for tree in grown],
            [tree.feature.copy() for tree in grown],
            [tree.threshold.copy() for tree in grown],
            [_RATE * tree.value[:, 0, 0] for tree in grown],
        )

    def to_dict(self) -> dict[str, Any]:
        arrays = ("left", "right", "feature", "threshold", "value")
        trees = [
            {
                name: [round(float(v), 6) if name in arrays[3:] else int(v) for v in getattr(self, name)[index]]
                for name in arrays
            }
            for index in range(len(self.left))
        ]
        return {"names": list(self.names), "start": self.start, "trees": trees}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Trees:
        whole, broken = ("left", "right", "feature"), ("threshold", "value")
        arrays = {
            **{name: [np.array(tree[name], dtype=np.int64) for tree in record["trees"]] for name in whole},
            **{name: [np.array(tree[name], dtype=float) for tree in record["trees"]] for name in broken},
        }
        return cls(tuple(record["names"]), record["start"], **arrays)
