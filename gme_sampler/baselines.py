"""What greedy maximum entropy is compared with: items at random, or those with most relations or entities."""

from __future__ import annotations

import numpy as np

from gme_sampler.entropy import DECIMALS, entropies_along
from gme_sampler.ranking import Ranking
from gme_sampler.table import RelationTable

BASELINES = ("random", "relations", "entities")


def rank_by_baseline(
    table: RelationTable, baseline: str, n: int | None = None, category: str | None = None, seed: int = 0
) -> Ranking:
    """Rank items without looking at entropy; of equal items the first in text order goes first.

    Args:
        baseline: "random" (seeded); "relations": most relations first; "entities":
            most distinct entities first, of `category`, or of all categories in sum.
        n: items to pick; all of them if there are fewer, or if None.
    Raises:
        ValueError: unknown baseline or category, or n below 1.
    """
    if n is not None and n < 1:
        raise ValueError(f"expected n of at least 1, found {n}")
    if category is not None and category not in table.categories:
        raise ValueError(f"expected a category of {', '.join(table.categories)}, found {category!r}")
    if baseline == "random":
        order = np.random.default_rng(seed).permutation(len(table.items))
    elif baseline == "relations":
        order = np.argsort(-table.relations, kind="stable")
    elif baseline == "entities":
        distinct = table.distinct()
        size = distinct.sum(axis=1) if category is None else distinct[:, table.categories.index(category)]
        order = np.argsort(-size, kind="stable")
    else:
        raise ValueError(f"expected a baseline of {', '.join(BASELINES)}, found {baseline!r}")
    order = order[:n]
    entropies = entropies_along(table, order).round(DECIMALS) + 0.0
    return Ranking([table.items[code] for code in order], entropies, table.categories, table.utopia)
