"""Greedy maximum entropy sampling done plainly: dense counts, every item scored at every step.

What `gme_sampler` is tested and measured against; written from the paper
(arXiv 2311.06364), with nothing shared with the fast method but the table.
"""

from __future__ import annotations

import numpy as np

from gme_sampler import RelationTable


def dense_counts(table: RelationTable) -> list[np.ndarray]:
    """[N, |V|] counts of each category."""
    dense, offset = [], 0
    for k, size in enumerate(table.sizes):
        matrix = np.zeros((len(table.items), size))
        for item in range(len(table.items)):
            part = slice(table.bounds[item, k], table.bounds[item, k + 1])
            matrix[item, table.entities[part] - offset] = table.counts[part]
        dense.append(matrix)
        offset += size
    return dense


def entropy(counts: np.ndarray) -> float:
    """Shannon entropy of frequencies, natural logarithm."""
    frequencies = counts[counts > 0] / counts.sum()
    return float(-(frequencies * np.log(frequencies)).sum())


def rank_densely(table: RelationTable, n: int, selector: str = "gme") -> tuple[list[str], np.ndarray]:
    """(items in the order picked, [n, K] entropies after each pick, rounded to 5 decimals)."""
    dense = dense_counts(table)
    utopia = [np.log(size) for size in table.sizes]
    seen = [np.zeros(size) for size in table.sizes]
    left, items, entropies = list(range(len(table.items))), [], []
    for _ in range(min(n, len(left))):
        best = None
        for item in left:
            heights = [round(entropy(s + d[item]), 5) for s, d in zip(seen, dense, strict=True)]
            if selector == "gme-sum":
                score = -sum(heights)
            else:
                score = sum((u - h) ** 2 for u, h in zip(utopia, heights, strict=True))
            if best is None or score < best[0]:
                best = (score, item, heights)
        _, item, heights = best
        left.remove(item)
        items.append(table.items[item])
        entropies.append(heights)
        for s, d in zip(seen, dense, strict=True):
            s += d[item]
    return items, np.array(entropies)
