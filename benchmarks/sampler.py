"""Greedy maximum entropy sampling, ours against the plain dense method, and its growth with the table.

    python benchmarks/sampler.py > benchmarks/results/sampler.md

Prints a Markdown table; takes about five minutes on 2 cores. Seconds are of the processor, which other work on the
machine changes less than those of the clock.
"""

from __future__ import annotations

import multiprocessing
import os
import platform
import sys
import time
from datetime import date
from pathlib import Path

import numpy as np
from dense_reference import rank_densely
from lotus_like import lotus_like

from gme_sampler import GreedyMaximumEntropySampler, Ranking, RelationTable
from gme_sampler.entropy import Tally
from gme_sampler.search import Goal, Picks, rank_exact

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)


def timed(table: RelationTable, picks: int | None) -> tuple[float, Ranking]:
    start = time.process_time()
    ranking = GreedyMaximumEntropySampler().rank(table, picks)
    return time.process_time() - start, ranking


def looked_at(table: RelationTable) -> np.ndarray:
    """[3] boxes scored, items scored and increments brought up to date for each pick of a full ranking."""
    tally, goal = Tally.of(table), Goal.of(table.utopia, by_sum=False)
    picks = Picks.of(len(table.items), len(table.categories))
    rank_exact(tally, goal, picks, np.unique(tally.totals, axis=0, return_inverse=True)[1].reshape(-1))
    return picks.looked[:3] / len(table.items)


def measure(size: int, out: multiprocessing.Queue) -> None:
    """In a process of its own, so that peak memory is that of this table alone."""
    from abroad.core.provenance import peak_memory_mb

    timed(lotus_like(50), 5)  # compile, or load what was compiled before
    start = time.process_time()
    table = lotus_like(size)
    built = time.process_time() - start
    seconds = [timed(table, picks)[0] for picks in (500, 20_000, None)]
    out.put((size, int(table.relations.sum()), built, *seconds, peak_memory_mb(), *looked_at(table)))


def main() -> None:
    print("# Greedy maximum entropy sampling\n")
    print(
        f"{date.today()}, {platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}; ", end=""
    )
    print("`python benchmarks/sampler.py`\n\nRandom tables of LOTUS's shape (`benchmarks/lotus_like.py`).\n")
    print("## Against the plain method: 2,000 items, 100 picks\n\n| method | seconds | picks equal |\n|---|---:|---|")
    table = lotus_like(2000)
    start = time.process_time()
    items, _ = rank_densely(table, 100)
    dense = time.process_time() - start
    timed(table, 100)
    ours, ranking = min((timed(table, 100) for _ in range(5)), key=lambda run: run[0])
    print(f"| plain, dense | {dense:.1f} | |")
    print(f"| gme_sampler | {ours:.4f} | {'yes' if ranking.items == items else 'NO'} |")
    print(f"\n{dense / ours:,.0f} times faster.\n\n## Growth\n")
    print(
        "| items | relations | build (s) | 500 picks (s) | 20,000 picks (s) | all items (s) | peak memory (MiB) | ",
        end="",
    )
    print("boxes scored a pick | items scored | brought up to date |")
    print("|" + "---:|" * 10, flush=True)
    context = multiprocessing.get_context("spawn")
    for size in SIZES:
        queue = context.Queue()
        process = context.Process(target=measure, args=(size, queue))
        process.start()
        items_, relations, built, few, many, full, peak, *looked = queue.get()
        process.join()
        print(
            f"| {items_:,} | {relations:,} | {built:.1f} | {few:.2f} | {many:.2f} | {full:.1f} | {peak:,.0f} | "
            + " | ".join(f"{number:,.0f}" for number in looked)
            + " |",
            flush=True,
        )


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main()
