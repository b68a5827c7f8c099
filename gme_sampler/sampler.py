"""The greedy maximum entropy sampler: an estimator with its parameters, and one method that ranks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from gme_sampler.entropy import DECIMALS, x_log_x
from gme_sampler.ranking import Ranking
from gme_sampler.search import rank_exact, rank_sampled
from gme_sampler.table import RelationTable


@dataclass(frozen=True)
class GreedyMaximumEntropySampler:
    """Pick at each step the item that makes the entities picked so far most even.

    The point of entropies (H(V1), ..., H(VK)) after the pick comes as near as it
    can, by Euclidean distance, to the utopia point (log|V1|, ..., log|VK|):
    Delmas, Wysocka and Freitas 2024, arXiv 2311.06364, section 3.1. Entropies are
    rounded to 5 decimals before they are compared, and of equal items the first
    in text order is taken, as in the published implementation.

    Attributes:
        selector: "gme" as above; "gme-sum" takes the largest sum of entropies.
        binary: count an entity once an item, however many relations it has there.
        approx: score only this many random items at each step; None scores all.
        seed: of the random draw of `approx`.
    """

    selector: Literal["gme", "gme-sum"] = "gme"
    binary: bool = False
    approx: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.selector not in ("gme", "gme-sum"):
            raise ValueError(f"expected selector 'gme' or 'gme-sum', found {self.selector!r}")
        if self.approx is not None and self.approx < 1:
            raise ValueError(f"expected approx of at least 1, found {self.approx}")

    def rank(
        self, table: RelationTable, n: int | None = None, progress: Callable[[int], None] | None = None
    ) -> Ranking:
        """Pick n items (all of them if there are fewer, or if n is None), best first.

        Args:
            progress: is told the number of picks so far, several times a second.
        Raises:
            ValueError: n below 1.
        """
        if n is not None and n < 1:
            raise ValueError(f"expected n of at least 1, found {n}")
        if self.binary:
            table = table.binary()
        n = min(n or len(table.items), len(table.items))
        order, entropies = np.full(n, -1, dtype=np.int64), np.empty((n, len(table.categories)))
        totals, f = table.totals(), x_log_x(table)
        common = (table.bounds, table.entities, table.counts, totals)
        by_sum = self.selector == "gme-sum"
        if self.approx is None:
            _, classes = np.unique(totals, axis=0, return_inverse=True)
            kernel, arguments = rank_exact, (*common, classes.reshape(-1), table.utopia, f, by_sum)
        else:
            kernel, arguments = rank_sampled, (*common, table.utopia, f, by_sum, self.approx, self.seed)
        _run(kernel, arguments, order, entropies, progress)
        return Ranking(
            [table.items[code] for code in order], entropies.round(DECIMALS) + 0.0, table.categories, table.utopia
        )


def _run(
    kernel: Any, arguments: tuple[Any, ...], order: np.ndarray, entropies: np.ndarray, progress: Callable | None
) -> None:
    """Run a compiled kernel in a thread (it holds no lock), so that it can be watched and interrupted."""
    halt = np.zeros(1, dtype=np.bool_)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(kernel, *arguments, halt, order, entropies)
        try:
            while True:
                try:
                    return running.result(timeout=0.2)
                except NotYet:
                    if progress is not None:
                        progress(int(np.searchsorted(order == -1, True)))
        finally:
            halt[0] = True
