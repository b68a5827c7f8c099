"""Entropies of entity frequencies, kept up to date pick by pick.

With counts c_v and their sum T, the Shannon entropy in natural logarithm is
H = log T - (1/T) sum_v f(c_v), f(x) = x log x. Adding an item changes only the
terms of its own entities: its increment is sum_v f(c_v + n_v) - f(c_v). f is
convex, so increments never fall while counts grow: an old increment is a lower
bound of the present one.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gme_sampler.table import RelationTable

DECIMALS = 5
"""The published implementation rounds entropies to these decimals before it compares them."""


def x_log_x(table: RelationTable) -> np.ndarray:
    """f(x) = x log x for x = 0 .. the highest count any entity can reach; f(0) = 0."""
    highest = int(np.bincount(table.entities, weights=table.counts).max())
    x = np.arange(highest + 1, dtype=np.float64)
    return x * np.log(np.maximum(x, 1))


def entropies_along(table: RelationTable, order: np.ndarray) -> np.ndarray:
    """[n, K] entropies (natural logarithm, not rounded) after each pick of `order`, [n] item codes."""
    return _entropies_along(order, table.bounds, table.entities, table.counts, table.totals(), x_log_x(table))


@njit(cache=True)
def increment(item, category, bounds, entities, counts, seen, f):
    """What adding `item` adds to sum_v f(c_v) of `category`; `seen` holds c_v."""
    total = 0.0
    for e in range(bounds[item, category], bounds[item, category + 1]):
        c = seen[entities[e]]
        total += f[c + counts[e]] - f[c]
    return total


@njit(cache=True)
def add_item(item, bounds, entities, counts, totals, seen, f, sums, sizes):
    """Count the entities of a picked item: updates `seen` [V], `sums` [K] of f(c_v) and `sizes` [K] of c_v."""
    for k in range(len(sums)):
        sums[k] += increment(item, k, bounds, entities, counts, seen, f)
        sizes[k] += totals[item, k]
        for e in range(bounds[item, k], bounds[item, k + 1]):
            seen[entities[e]] += counts[e]


@njit(cache=True)
def _entropies_along(order, bounds, entities, counts, totals, f):
    categories = bounds.shape[1] - 1
    seen = np.zeros(entities.max() + 1, dtype=np.int64)
    sums, sizes = np.zeros(categories), np.zeros(categories, dtype=np.int64)
    result = np.empty((len(order), categories))
    for step in range(len(order)):
        add_item(order[step], bounds, entities, counts, totals, seen, f, sums, sizes)
        for k in range(categories):
            result[step, k] = np.log(sizes[k]) - sums[k] / sizes[k]
    return result
