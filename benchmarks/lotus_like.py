"""Random relation tables with the shape of LOTUS: few relations in most references, Zipf-like entities."""

from __future__ import annotations

import numpy as np

from gme_sampler import RelationTable


def lotus_like(items: int, seed: int = 0) -> RelationTable:
    """A table of `items` references with 4.0 relations each in the mean, 1 to 20 (130,000 make 521,000).

    Organisms and structures are drawn with probability ~ 1 / rank^0.8 out of as
    many as LOTUS has for its size; a reference has one organism most of the time.
    """
    draw = np.random.default_rng(seed)
    size = np.minimum(draw.geometric(0.245, items), 20)
    relation_item = np.repeat(np.arange(items), size)
    organisms = _zipf(draw, max(items * 27 // 130, 2), items)[relation_item]
    other = draw.random(len(relation_item)) < 0.15
    organisms[other] = _zipf(draw, max(items * 27 // 130, 2), int(other.sum()))
    structures = _zipf(draw, max(items * 110 // 130, 2), len(relation_item))
    names = [f"10.5555/{code:09d}" for code in draw.permutation(items)]
    return RelationTable.from_columns(
        [names[item] for item in relation_item],
        {"organism": [f"Q{code}" for code in organisms], "structure": [f"Q{code}" for code in structures]},
    )


def _zipf(draw: np.random.Generator, kinds: int, size: int) -> np.ndarray:
    weights = 1 / np.arange(1, kinds + 1) ** 0.8
    return np.searchsorted(np.cumsum(weights / weights.sum()), draw.random(size)).clip(max=kinds - 1)
