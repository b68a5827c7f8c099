"""Entropies of entity frequencies, kept up to date pick by pick.

With counts c_v and their sum T, the Shannon entropy in natural logarithm is
H = log T - (1/T) sum_v f(c_v), f(x) = x log x. Adding an item changes only the
terms of its own entities: its increment is sum_v f(c_v + n_v) - f(c_v). f is
convex, so increments never fall while counts grow: an old increment is a lower
bound of the present one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from gme_sampler.table import RelationTable

DECIMALS = 5
"""The published implementation rounds entropies to these decimals before it compares them."""


class Tally(NamedTuple):
    """A table of N items, V entities and K categories, and what the items picked so far count, for compiled code.

    Attributes:
        bounds: [N, K + 1] where the entries of an item and category start and end.
        entities: [E] entity of each entry.
        counts: [E] relations of each entry.
        totals: [N, K] sum of the counts of each item.
        f: f(x) = x log x for x = 0 .. the highest count any entity can reach.
        logs: log x for x = 0 .. the highest sum of counts any category can reach, and the largest total of an item over
            it: a box may still reckon with an item that was picked. 0 for 0.
        seen: [V] c_v, count of each entity.
        sums: [K] sum of f(c_v).
        sizes: [K] T, sum of c_v.
    """

    bounds: np.ndarray
    entities: np.ndarray
    counts: np.ndarray
    totals: np.ndarray
    f: np.ndarray
    logs: np.ndarray
    seen: np.ndarray
    sums: np.ndarray
    sizes: np.ndarray

    @classmethod
    def of(cls, table: RelationTable) -> Tally:
        """A tally of nothing yet."""
        totals, categories = table.totals(), len(table.categories)
        x = np.arange(int(np.bincount(table.entities, weights=table.counts).max()) + 1, dtype=np.float64)
        return cls(
            table.bounds,
            table.entities,
            table.counts,
            totals,
            x * np.log(np.maximum(x, 1)),
            _logs(int(totals.sum(axis=0).max() + totals.max())),
            np.zeros(int(table.entities.max()) + 1, dtype=np.int64),
            np.zeros(categories),
            np.zeros(categories, dtype=np.int64),
        )


def entropies_along(table: RelationTable, order: np.ndarray) -> np.ndarray:
    """[n, K] entropies (natural logarithm, not rounded) after each pick of `order`, [n] item codes."""
    result = np.empty((len(order), len(table.categories)))
    _entropies_along(order, Tally.of(table), result)
    return result


@njit(cache=True)
def increment(item, category, tally):
    """What adding `item` adds to sum_v f(c_v) of `category`."""
    f, seen = tally.f, tally.seen
    total = 0.0
    for e in range(tally.bounds[item, category], tally.bounds[item, category + 1]):
        c = seen[tally.entities[e]]
        total += f[c + tally.counts[e]] - f[c]
    return total


@njit(cache=True)
def add_item(item, tally, entropies):
    """Count the entities of a picked item in `tally`, and write the entropies after it to `entropies`, [K]."""
    for k in range(len(tally.sums)):
        tally.sums[k] += increment(item, k, tally)
        tally.sizes[k] += tally.totals[item, k]
        for e in range(tally.bounds[item, k], tally.bounds[item, k + 1]):
            tally.seen[tally.entities[e]] += tally.counts[e]
        entropies[k] = tally.logs[tally.sizes[k]] - tally.sums[k] / tally.sizes[k]


@njit(cache=True)
def _entropies_along(order, tally, result):
    for step in range(len(order)):
        add_item(order[step], tally, result[step])


@njit(cache=True)
def _logs(highest):
    result = np.zeros(highest + 1)
    for x in range(1, highest + 1):
        result[x] = np.log(float(x))
    return result
