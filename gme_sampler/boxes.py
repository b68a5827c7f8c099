"""A tree of boxes around the items that are left, which bounds the increments of all items in a box.

An item stands at the point of its K increments (`entropy.increment`). A box
knows a point that is nowhere above any of its items, in each increment and in
one weighted sum of them, as well as the most counts that one of its items adds
and the first of its items. Increments never fall, so what a box knows stays a
bound when it is old; it is brought up to date where the search comes by.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

LEAF = 16
"""Items of a box that is not divided."""


class Boxes(NamedTuple):
    """M boxes, each before those inside it: the halves of box b are b + 1 and right[b].

    Attributes:
        weights: [K] of the weighted sum of increments.
        members: [L] item codes, each box a run of them.
        increments: [L, K] increments of each member, true or too low.
        start: [M] where the run of a box starts in `members`.
        end: [M] where it ends.
        right: [M] second half of a box; 0 for one that is not divided.
        parent: [M] box around each; -1 for the first, which holds all items.
        low: [M, K + 1] smallest increments in each box, and smallest weighted sum of them.
        most: [M, K] largest totals in each box; all totals of one that is not divided are these.
        first: [M] smallest item code in each box; N for an empty one.
        items: [1] N.
        waiting: [M + 1] room for the boxes that a search has yet to look into.
        waiting_score: [M + 1] room for their bounds.
    """

    weights: np.ndarray
    members: np.ndarray
    increments: np.ndarray
    start: np.ndarray
    end: np.ndarray
    right: np.ndarray
    parent: np.ndarray
    low: np.ndarray
    most: np.ndarray
    first: np.ndarray
    items: np.ndarray
    waiting: np.ndarray
    waiting_score: np.ndarray


@njit(cache=True)
def make_boxes(members, classes, increments, totals, weights):
    """Boxes of one class where there are several, then ever smaller ones, cut where they are widest.

    Args:
        members: [L] item codes that are left; they are reordered.
        classes: [N] equal for items whose `totals` [N, K] are equal.
    """
    members = members[np.argsort(classes[members], kind="mergesort")]
    room = 2 * len(members) + 1
    start, end = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
    right, parent = np.zeros(room, dtype=np.int64), np.full(room, -1, dtype=np.int64)
    keys, size = np.empty(len(members)), 0
    undivided = [(0, len(members), -1)]
    while undivided:
        start[size], end[size], parent[size] = undivided.pop()
        if parent[size] >= 0 and parent[size] != size - 1:
            right[parent[size]] = size
        run = members[start[size] : end[size]]
        if len(run) > LEAF or classes[run[0]] != classes[run[-1]]:
            cut = start[size] + _cut(run, classes, increments, weights, keys)
            undivided.append((cut, end[size], size))
            undivided.append((start[size], cut, size))
        size += 1
    low, most = np.empty((size, len(weights) + 1)), np.zeros((size, len(weights)), dtype=np.int64)
    first, waiting = np.empty(size, dtype=np.int64), np.empty(size + 1, dtype=np.int64)
    start, end, right, parent = start[:size].copy(), end[:size].copy(), right[:size].copy(), parent[:size].copy()
    items, waiting_score = np.array([len(classes)]), np.empty(size + 1)
    increments = increments[members]
    boxes = Boxes(
        weights, members, increments, start, end, right, parent, low, most, first, items, waiting, waiting_score
    )
    for box in range(size - 1, -1, -1):
        if right[box] == 0:
            _bound_items(boxes, box)
            most[box] = totals[members[start[box]]]
        else:
            _bound_halves(boxes, box)
            most[box] = np.maximum(most[box + 1], most[right[box]])
    return boxes


@njit(cache=True)
def update_boxes(boxes, box):
    """Take new increments of the items of an undivided box, and their number, over into the boxes around it."""
    _bound_items(boxes, box)
    box = boxes.parent[box]
    while box >= 0 and _bound_halves(boxes, box):
        box = boxes.parent[box]


@njit(cache=True)
def remove_item(boxes, box, item):
    """Take an item out of the undivided box that holds it."""
    last = boxes.end[box] - 1
    for m in range(boxes.start[box], last):
        if boxes.members[m] == item:
            boxes.members[m] = boxes.members[last]
            boxes.increments[m] = boxes.increments[last]
    boxes.end[box] = last
    update_boxes(boxes, box)


@njit(cache=True)
def _bound_items(boxes, box):
    low, increments = boxes.low, boxes.increments
    low[box] = np.inf
    boxes.first[box] = boxes.items[0]
    for m in range(boxes.start[box], boxes.end[box]):
        boxes.first[box] = min(boxes.first[box], boxes.members[m])
        total = 0.0
        for k in range(len(boxes.weights)):
            low[box, k] = min(low[box, k], increments[m, k])
            total += boxes.weights[k] * increments[m, k]
        low[box, -1] = min(low[box, -1], total)


@njit(cache=True)
def _bound_halves(boxes, box):
    """Whether the bounds of a divided box are others than they were."""
    low, first, left, right = boxes.low, boxes.first, box + 1, boxes.right[box]
    changed = first[box] != min(first[left], first[right])
    first[box] = min(first[left], first[right])
    for k in range(low.shape[1]):
        least = min(low[left, k], low[right, k])
        changed = changed or low[box, k] != least
        low[box, k] = least
    return changed


@njit(cache=True)
def _cut(run, classes, increments, weights, keys):
    """Where to divide a run of items, which are reordered: between classes, else at the middle of the widest side."""
    middle = len(run) // 2
    if classes[run[0]] != classes[run[-1]]:
        before, after = middle, middle
        while before > 0 and classes[run[before - 1]] == classes[run[middle]]:
            before -= 1
        while after < len(run) and classes[run[after]] == classes[run[middle]]:
            after += 1
        return before if before > 0 and (after == len(run) or middle - before <= after - middle) else after
    widest, width = -1, 0.0
    for side in range(len(weights) + 1):
        low, high = np.inf, -np.inf
        for item in run:
            key = _key(item, side, increments, weights)
            low, high = min(low, key), max(high, key)
        if high - low > width * (1 + 1e-9):
            widest, width = side, high - low
    for m in range(len(run)):
        keys[m] = _key(run[m], widest, increments, weights)
    _select(run, keys, middle)
    return middle


@njit(cache=True)
def _key(item, side, increments, weights):
    """A weighted increment of an item; the sum of all if `side` is K, and the item code if it is -1."""
    if side < 0:
        return float(item)
    if side < len(weights):
        return weights[side] * increments[item, side]
    total = 0.0
    for k in range(len(weights)):
        total += weights[k] * increments[item, k]
    return total


@njit(cache=True)
def _select(run, keys, middle):
    """Reorder `run` and `keys`, so that no key before `middle` is above one from there on (Hoare's quickselect)."""
    low, high = 0, len(run) - 1
    while low < high:
        one, two, three = keys[low], keys[(low + high) // 2], keys[high]
        pivot = max(min(one, two), min(max(one, two), three))
        i, j = low, high
        while i <= j:
            while keys[i] < pivot:
                i += 1
            while keys[j] > pivot:
                j -= 1
            if i <= j:
                keys[i], keys[j] = keys[j], keys[i]
                run[i], run[j] = run[j], run[i]
                i, j = i + 1, j - 1
        if middle <= j:
            high = j
        elif middle >= i:
            low = i
        else:
            return
