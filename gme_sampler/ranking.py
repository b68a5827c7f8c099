"""The result of sampling: items in the order picked, entropies after each pick, where they stop rising."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class StopPoint:
    """Where the entropy of one category is highest.

    Attributes:
        step: picks made when it was first reached (1 is the first pick); nothing rises after it.
        entropy: natural logarithm, after that pick.
        share: of the utopian entropy log|V| (1.0 where |V| is 1).
        rising: the entropy was still rising at the last pick, so more picks may be worth while.
    """

    category: str
    step: int
    entropy: float
    share: float
    rising: bool


@dataclass(frozen=True)
class Ranking:
    """Items in the order picked.

    Attributes:
        items: [n] names.
        entropies: [n, K] entropy (natural logarithm) of each category after each pick, rounded.
        categories: [K] names.
        utopia: [K] log|V|.
    """

    items: list[str]
    entropies: np.ndarray
    categories: tuple[str, ...]
    utopia: np.ndarray

    def first(self, count: int) -> Ranking:
        """The ranking up to a pick."""
        return replace(self, items=self.items[:count], entropies=self.entropies[:count])

    def stop_report(self) -> list[StopPoint]:
        """For each category the step after which entropy stops rising."""
        points = []
        for category, curve, most in zip(self.categories, self.entropies.T, self.utopia, strict=True):
            best = int(np.argmax(curve))
            share = float(curve[best] / most) if most > 0 else 1.0
            points.append(StopPoint(category, best + 1, float(curve[best]), share, best + 1 == len(curve)))
        return points
