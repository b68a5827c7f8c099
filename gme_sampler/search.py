"""Exact greedy search: at each step the best item, without scoring every item.

Items that add equally many relations to each category ("a class") differ only
in their increments (`entropy.increment`), and smaller increments are better.
So items of a class are gathered in blocks of similar increments, and a block's
smallest increments bound the score of all its items. A step scores the blocks,
and opens only those that could hold the best item. Increments in a block may be
old: as they never fall, they still bound from below; opening a block brings
those that matter up to date. Blocks are made anew as items drift apart.

Rounding, and ties by item order, are part of the score, so the picks are those
of scoring every item at every step.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from gme_sampler.entropy import DECIMALS, add_item, increment

_BLOCK = 32
_SLACK = 1e-7  # an old increment may exceed the present one by the rounding errors of sums of x log x
_SCALE = 10.0**DECIMALS


@njit(cache=True, nogil=True)
def rank_exact(bounds, entities, counts, totals, classes, utopia, f, sum_mode, halt, order, heights):
    """Fill `order` [n] with item codes, `heights` [n, K] with the entropies after each pick.

    Args:
        classes: [N] equal for items whose `totals` [N, K] are equal.
        halt: [1] set by another thread to end early; `order` shows it how far this is.
    """
    categories = bounds.shape[1] - 1
    seen = np.zeros(entities.max() + 1, dtype=np.int64)
    sums, sizes = np.zeros(categories), np.zeros(categories, dtype=np.int64)
    increments = np.zeros((len(bounds), categories))
    alive = np.ones(len(bounds), dtype=np.bool_)
    class_totals = _totals_of_classes(classes, totals)

    members, starts, block_class, low, first = _make_blocks(classes, increments, alive)
    scores = np.empty(len(starts) - 1)
    work, left, limit = 0, len(bounds), 0
    logs, denominators = np.empty(class_totals.shape), np.empty(class_totals.shape)
    for step in range(len(order)):
        if halt[0]:
            return
        if work > limit:
            for item in members:
                if alive[item]:
                    for k in range(categories):
                        increments[item, k] = increment(item, k, bounds, entities, counts, seen, f) - _SLACK
            members, starts, block_class, low, first = _make_blocks(classes, increments, alive)
            scores = np.empty(len(starts) - 1)
            work, limit = 0, 24 * left + 4096
        for c in range(len(class_totals)):
            for k in range(categories):
                denominators[c, k] = sizes[k] + class_totals[c, k]
                logs[c, k] = np.log(denominators[c, k])

        best, best_item = np.inf, np.int64(len(bounds))
        likely = -1
        for b in range(len(scores)):
            c = block_class[b]
            scores[b] = np.inf
            if first[b] < len(bounds):
                scores[b] = _score(low, b, c, logs, denominators, sums, utopia, sum_mode)
                if scores[b] < best or (scores[b] == best and first[b] < best_item):
                    best, best_item, likely = scores[b], first[b], b
        best, best_item = np.inf, np.int64(len(bounds))
        for position in range(-1, len(scores)):
            b = likely if position < 0 else position
            if position == likely or scores[b] > best or (scores[b] == best and first[b] >= best_item):
                continue
            c = block_class[b]
            for k in range(categories):
                low[b, k] = np.inf
            first[b] = len(bounds)
            for m in range(starts[b], starts[b + 1]):
                item = members[m]
                if not alive[item]:
                    continue
                work += 1
                score = _score(increments, item, c, logs, denominators, sums, utopia, sum_mode)
                if score < best or (score == best and item < best_item):
                    for k in range(categories):
                        increments[item, k] = increment(item, k, bounds, entities, counts, seen, f)
                    work += 3
                    score = _score(increments, item, c, logs, denominators, sums, utopia, sum_mode)
                    if score < best or (score == best and item < best_item):
                        best, best_item = score, item
                    for k in range(categories):
                        increments[item, k] -= _SLACK
                for k in range(categories):
                    low[b, k] = min(low[b, k], increments[item, k])
                first[b] = min(first[b], item)

        add_item(best_item, bounds, entities, counts, totals, seen, f, sums, sizes)
        alive[best_item] = False
        left -= 1
        order[step] = best_item
        for k in range(categories):
            heights[step, k] = np.log(sizes[k]) - sums[k] / sizes[k]


@njit(cache=True, nogil=True)
def rank_sampled(bounds, entities, counts, totals, utopia, f, sum_mode, size, seed, halt, order, heights):
    """As `rank_exact`, but each step scores a random `size` of the remaining items."""
    np.random.seed(seed)
    categories = bounds.shape[1] - 1
    seen = np.zeros(entities.max() + 1, dtype=np.int64)
    sums, sizes = np.zeros(categories), np.zeros(categories, dtype=np.int64)
    remaining = np.arange(len(bounds))
    left = len(bounds)
    one = np.empty((1, categories))
    logs, denominators = np.empty((1, categories)), np.empty((1, categories))
    for step in range(len(order)):
        if halt[0]:
            return
        best, best_item, best_place = np.inf, np.int64(len(bounds)), -1
        drawn = min(size, left)
        for draw in range(drawn):
            # Fisher-Yates: the drawn move to the front of those that remain.
            place = draw + np.random.randint(0, left - draw) if drawn < left else draw
            item = remaining[place]
            remaining[place], remaining[draw] = remaining[draw], item
            for k in range(categories):
                one[0, k] = increment(item, k, bounds, entities, counts, seen, f)
                denominators[0, k] = sizes[k] + totals[item, k]
                logs[0, k] = np.log(denominators[0, k])
            score = _score(one, 0, 0, logs, denominators, sums, utopia, sum_mode)
            if score < best or (score == best and item < best_item):
                best, best_item, best_place = score, item, draw
        add_item(best_item, bounds, entities, counts, totals, seen, f, sums, sizes)
        left -= 1
        remaining[best_place] = remaining[left]
        order[step] = best_item
        for k in range(categories):
            heights[step, k] = np.log(sizes[k]) - sums[k] / sizes[k]


@njit(cache=True, inline="always")
def _score(increments, row, c, logs, denominators, sums, utopia, sum_mode):
    """Lower is better: squared distance to utopia, or minus the sum, of rounded entropies.

    With entropies kept from passing the utopian one (rounded likewise), the score
    never falls as an increment grows: bounds in, bounds out.
    """
    score = 0.0
    for k in range(len(sums)):
        entropy = np.rint((logs[c, k] - (sums[k] + increments[row, k]) / denominators[c, k]) * _SCALE) / _SCALE
        entropy = min(entropy, np.rint(utopia[k] * _SCALE) / _SCALE)  # a bound may overshoot, an entropy does not
        score += -entropy if sum_mode else (utopia[k] - entropy) ** 2
    return score


@njit(cache=True)
def _totals_of_classes(classes, totals):
    result = np.zeros((classes.max() + 1, totals.shape[1]), dtype=np.int64)
    for item in range(len(classes)):
        result[classes[item]] = totals[item]
    return result


@njit(cache=True)
def _make_blocks(classes, increments, alive):
    """Blocks of at most _BLOCK items that are left, of one class and of similar increments.

    Returns:
        members: [L] item codes, block after block.
        starts: [B + 1] where each block starts in `members`.
        block_class: [B] class of each block's items.
        low: [B, K] smallest increments of each block.
        first: [B] smallest item code of each block.
    """
    items = np.flatnonzero(alive)
    members = items[np.argsort(classes[items], kind="mergesort")]
    starts = [0]
    pending = [(0, len(members))]
    while pending:
        start, end = pending.pop()
        low_class, high_class = classes[members[start]], classes[members[end - 1]]
        if low_class != high_class:
            middle = start + (end - start) // 2
            cut = middle
            while cut < end and classes[members[cut]] == classes[members[middle - 1]]:
                cut += 1
            if cut == end:
                cut = middle
                while classes[members[cut - 1]] == classes[members[end - 1]]:
                    cut -= 1
            pending.append((cut, end))
            pending.append((start, cut))
        elif end - start > _BLOCK:
            part = members[start:end]
            widest, width = -1, 0.0
            for k in range(increments.shape[1]):
                values = increments[part, k]
                if values.max() - values.min() > width:
                    widest, width = k, values.max() - values.min()
            if widest >= 0:
                members[start:end] = part[np.argsort(increments[part, widest], kind="mergesort")]
            middle = start + (end - start) // 2
            pending.append((middle, end))
            pending.append((start, middle))
        else:
            starts.append(end)
    blocks = len(starts) - 1
    low = np.empty((blocks, increments.shape[1]))
    first = np.empty(blocks, dtype=np.int64)
    block_class = np.empty(blocks, dtype=np.int64)
    for b in range(blocks):
        part = members[starts[b] : starts[b + 1]]
        for k in range(increments.shape[1]):
            low[b, k] = increments[part, k].min()
        first[b] = part.min()
        block_class[b] = classes[part[0]]
    return members, np.array(starts), block_class, low, first
