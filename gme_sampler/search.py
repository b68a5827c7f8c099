"""Exact greedy search: at each step the best item, without scoring every item.

The score of an item is, in each category, a function of the counts it adds and
of its increment (`entropy.increment`). Increments never fall while counts grow,
as in lazy greedy search (Minoux 1978, Accelerated greedy algorithms for
maximizing submodular set functions): an old increment is a bound, and only an
item whose bound beats the best score found is looked at. Yet scores here are no
sums of gains: every pick changes T and so the scores of all items, in no fixed
order. So there is no queue of scores, but a tree of boxes of increments
(`boxes`), and each step scores the boxes that could hold the best item.

Bounds of a box with smallest increments l, smallest weighted sum p of
increments, and largest totals t. Entropy, H = log(T + t) - (S + d) / (T + t),
falls with the increment d and rises with t, so:

1. The score at (l, t), rounded as scores are, is below those of all items.
2. Rounding adds at most r = 0.5e-5 to H, so with H' = H + r the sum
   g(d) = sum_k max(u_k - H'_k, 0)^2 is below the score of an item at d. g is
   convex: g(d) >= g(l) + sum_k s_k (d_k - l_k), s_k = 2 max(u_k - H'_k(l), 0) / (T_k + t_k).
   With a = min_k s_k / w_k, that is at least g(l) + a sum_k w_k (d_k - l_k)
   >= g(l) + a (p - sum_k w_k l_k). This cuts off the corner of the box, where no
   item is; tight if w is near s, so boxes are made with the w of that step.

Late in a ranking T is so large that rounding makes most scores equal. Then the
first item in text order among the equal ones is the pick: boxes know their first.

Rounding, and ties by item order, are part of the score (Delmas, Wysocka and
Freitas 2024, arXiv 2311.06364), so the picks are those of scoring every item.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from gme_sampler.boxes import make_boxes, remove_item, update_boxes
from gme_sampler.entropy import DECIMALS, add_item, increment

_SLACK = 1e-7  # an old increment may exceed the present one by the rounding errors of sums of x log x
_SCALE = 10.0**DECIMALS
_HALF = 0.500001 / _SCALE  # what rounding adds to an entropy at most
_ERROR = 1e-11  # above the rounding errors of a bound, and far below a difference of scores that rounding leaves
_PATIENCE = 64  # looks for each item that is left, until boxes are made anew


class Goal(NamedTuple):
    """What is to be reached.

    Attributes:
        utopia: [K] log|V| of each category.
        nearest: [K] the same, rounded as entropies are.
        by_sum: Take the largest sum of entropies, not the point nearest to `utopia`.
    """

    utopia: np.ndarray
    nearest: np.ndarray
    by_sum: bool

    @classmethod
    def of(cls, utopia: np.ndarray, by_sum: bool) -> Goal:
        return cls(utopia, np.rint(utopia * _SCALE) / _SCALE, by_sum)


class Picks(NamedTuple):
    """What a search fills in.

    Attributes:
        order: [n] item codes; -1 for what is not yet picked.
        heights: [n, K] entropies after each pick.
        halt: [1] set by another thread to end early.
        looked: [4] boxes scored, items scored, increments brought up to date, times that boxes were made.
    """

    order: np.ndarray
    heights: np.ndarray
    halt: np.ndarray
    looked: np.ndarray

    @classmethod
    def of(cls, n: int, categories: int) -> Picks:
        order, heights = np.full(n, -1, dtype=np.int64), np.empty((n, categories))
        return cls(order, heights, np.zeros(1, dtype=np.bool_), np.zeros(4, dtype=np.int64))


@njit(cache=True, nogil=True)
def rank_exact(tally, goal, picks, classes):
    """Fill `picks` with the best item of each step; `classes` [N] are equal for items whose totals are equal."""
    left = np.ones(len(classes), dtype=np.bool_)
    boxes = _fresh_boxes(tally, goal, classes, left)
    looks = 0
    for step in range(len(picks.order)):
        if picks.halt[0]:
            return
        if looks > _PATIENCE * (len(classes) - step) + 4096:
            boxes = _fresh_boxes(tally, goal, classes, left)
            picks.looked[3] += 1
            looks = 0
        item, box, looked = _best(tally, goal, boxes)
        looks += looked[0] + looked[1] + 3 * looked[2]
        for n in range(3):
            picks.looked[n] += looked[n]
        add_item(item, tally, picks.heights[step])
        left[item] = False
        remove_item(boxes, box, item)
        picks.order[step] = item


@njit(cache=True, nogil=True)
def rank_sampled(tally, goal, picks, size, seed):
    """As `rank_exact`, but each step scores a random `size` of the remaining items."""
    np.random.seed(seed)
    increments = np.zeros((1, tally.totals.shape[1]))
    remaining = np.arange(len(tally.totals))
    left = len(remaining)
    for step in range(len(picks.order)):
        if picks.halt[0]:
            return
        best, best_item, best_place = np.inf, np.int64(len(tally.totals)), -1
        drawn = min(size, left)
        for draw in range(drawn):
            # Fisher-Yates: the drawn move to the front of those that remain.
            place = draw + np.random.randint(0, left - draw) if drawn < left else draw
            item = remaining[place]
            remaining[place], remaining[draw] = remaining[draw], item
            _refresh(item, increments[0], tally)
            score = _score(increments, 0, tally.totals, item, tally, goal)
            if score < best or (score == best and item < best_item):
                best, best_item, best_place = score, item, draw
        add_item(best_item, tally, picks.heights[step])
        left -= 1
        remaining[best_place] = remaining[left]
        picks.order[step] = best_item


@njit(cache=True)
def _fresh_boxes(tally, goal, classes, left):
    """Boxes of the items that are left with present increments, and weights for the present state."""
    items, increments = np.flatnonzero(left), np.zeros(tally.totals.shape)
    for item in items:
        _refresh(item, increments[item], tally)
        increments[item] -= _SLACK
    weights = np.ones(increments.shape[1])
    if tally.sizes[0] > 0:
        for k in range(len(weights)):
            entropy = tally.logs[tally.sizes[k]] - tally.sums[k] / tally.sizes[k]
            weights[k] = (1.0 if goal.by_sum else max(goal.utopia[k] - entropy, 0.0)) / tally.sizes[k]
        highest = weights.max()
        weights = np.maximum(weights / highest, 1e-6) if highest > 0 else np.ones(len(weights))
    return make_boxes(items, classes, increments, tally.totals, weights)


@njit(cache=True, error_model="numpy")
def _best(tally, goal, boxes):
    """(best item, its box, numbers looked at as in `Picks`): the boxes are searched in depth, the better half first."""
    first, waiting, waiting_score = boxes.first, boxes.waiting, boxes.waiting_score
    best, best_item, best_box = np.inf, boxes.items[0], -1
    scored, items, refreshed = 0, 0, 0
    waiting[0], waiting_score[0], size = 0, -np.inf, 1
    while size > 0:
        size -= 1
        box = waiting[size]
        if waiting_score[size] > best or (waiting_score[size] == best and first[box] >= best_item):
            continue
        if boxes.right[box] == 0:
            score, item, fresh = _best_of_box(tally, goal, boxes, box, (best, best_item))
            if item != best_item:
                best, best_item, best_box = score, item, box
            items += boxes.end[box] - boxes.start[box]
            refreshed += fresh
            continue
        scored += 2
        worse, better = box + 1, boxes.right[box]
        worse_score = _bound(worse, boxes, tally, goal)
        better_score = _bound(better, boxes, tally, goal)
        if worse_score < better_score or (worse_score == better_score and first[worse] < first[better]):
            worse, better = better, worse
            worse_score, better_score = better_score, worse_score
        if worse_score < best or (worse_score == best and first[worse] < best_item):
            waiting[size], waiting_score[size] = worse, worse_score
            size += 1
        if better_score < best or (better_score == best and first[better] < best_item):
            waiting[size], waiting_score[size] = better, better_score
            size += 1
    return best_item, best_box, (scored, items, refreshed)


@njit(cache=True, error_model="numpy")
def _best_of_box(tally, goal, boxes, box, found):
    """(best score, its item, items brought up to date) of what was found before and the items of an undivided box."""
    best, best_item = found
    increments, totals, fresh = boxes.increments, boxes.most, 0
    for m in range(boxes.start[box], boxes.end[box]):
        item = boxes.members[m]
        score = _score(increments, m, totals, box, tally, goal)
        if score < best or (score == best and item < best_item):
            _refresh(item, increments[m], tally)
            score = _score(increments, m, totals, box, tally, goal)
            if score < best or (score == best and item < best_item):
                best, best_item = score, item
            for k in range(increments.shape[1]):
                increments[m, k] -= _SLACK
            fresh += 1
    if fresh:
        update_boxes(boxes, box)
    return best, best_item, fresh


@njit(cache=True)
def _refresh(item, increments, tally):
    for k in range(len(increments)):
        increments[k] = increment(item, k, tally)


@njit(cache=True, inline="always", error_model="numpy")
def _score(increments, place, totals, row, tally, goal):
    """Lower is better: squared distance to utopia, or minus the sum, of rounded entropies.

    With entropies kept from passing the utopian one (rounded likewise), the score
    never falls as an increment grows: bounds in, bounds out.
    """
    score = 0.0
    for k in range(len(tally.sums)):
        size = tally.sizes[k] + totals[row, k]
        entropy = np.rint((tally.logs[size] - (tally.sums[k] + increments[place, k]) / size) * _SCALE) / _SCALE
        entropy = min(entropy, goal.nearest[k])  # a bound may overshoot, an entropy does not
        score += -entropy if goal.by_sum else (goal.utopia[k] - entropy) ** 2
    return score


@njit(cache=True, inline="always", error_model="numpy")
def _bound(box, boxes, tally, goal):
    """What no item of the box scores below: the larger one of the bounds 1 and 2 above."""
    corner, smooth, steepness, distance = 0.0, 0.0, np.inf, boxes.low[box, len(tally.sums)]
    for k in range(len(tally.sums)):
        size = tally.sizes[k] + boxes.most[box, k]
        weight, utopia = boxes.weights[k], goal.utopia[k]
        entropy = tally.logs[size] - (tally.sums[k] + boxes.low[box, k]) / size
        rounded = min(np.rint((entropy + _ERROR) * _SCALE) / _SCALE, goal.nearest[k])
        distance -= weight * boxes.low[box, k]
        if goal.by_sum:
            corner -= rounded
            smooth -= entropy + _HALF
            steepness = min(steepness, 1 / (size * weight))
        else:
            missing = max(utopia - entropy - _HALF, 0.0)
            corner += (utopia - rounded) ** 2
            smooth += missing**2
            steepness = min(steepness, 2 * missing / (size * weight))
    if distance < np.inf:
        return max(corner, smooth + steepness * distance - _ERROR)
    return corner
