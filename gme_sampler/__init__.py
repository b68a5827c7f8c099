"""Greedy maximum entropy sampling: pick items whose relations cover their entities evenly.

    sampler = GreedyMaximumEntropySampler(n_items=500).fit({"reference": [...], "organism": [...], "structure": [...]})
    sampler.items_, sampler.entropies_, sampler.stop_points_

A library of its own: numpy and numba, no files, no printing.
Source: Delmas, Wysocka and Freitas 2024, Computational Linguistics 50(3); arXiv 2311.06364.
"""

from gme_sampler.baselines import BASELINES, rank_by_baseline
from gme_sampler.ranking import Ranking, StopPoint
from gme_sampler.sampler import GreedyMaximumEntropySampler, NotFittedError
from gme_sampler.table import RelationTable, TableError

__all__ = [
    "BASELINES",
    "GreedyMaximumEntropySampler",
    "NotFittedError",
    "Ranking",
    "RelationTable",
    "StopPoint",
    "TableError",
    "rank_by_baseline",
]
