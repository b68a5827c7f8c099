"""The search for the best item of a step: what its boxes promise, and how much of a table it looks at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.lotus_like import lotus_like
from gme_sampler import GreedyMaximumEntropySampler, RelationTable
from gme_sampler.boxes import LEAF, make_boxes
from gme_sampler.entropy import Tally, increment
from gme_sampler.search import _ERROR, _HALF, _SCALE, Goal, Picks, _bound, _score, rank_exact


def search(table, n, by_sum=False):
    """(what was picked, and the tally and goal of it) after n picks."""
    tally, goal = Tally.of(table), Goal.of(table.utopia, by_sum)
    picks = Picks.of(n, len(table.categories))
    rank_exact(tally, goal, picks, classes_of(tally))
    return picks, tally, goal


def classes_of(tally):
    return np.unique(tally.totals, axis=0, return_inverse=True)[1].reshape(-1)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 1000), st.integers(1, 300), st.booleans(), st.lists(st.floats(0.01, 1), min_size=2, max_size=2))
def test_no_item_scores_below_the_bounds_of_the_boxes_around_it(seed, picked, by_sum, weights):
    table = lotus_like(400, seed)
    picks, tally, goal = search(table, picked, by_sum)
    left = np.setdiff1d(np.arange(400), picks.order)
    present = np.array([[increment(item, k, tally) for k in range(2)] for item in range(400)])
    boxes = make_boxes(left, classes_of(tally), present, tally.totals, np.array(weights))
    assert sorted(boxes.members) == left.tolist()
    for box in range(len(boxes.start)):
        members = boxes.members[boxes.start[box] : boxes.end[box]]
        scores = [_score(present, item, tally.totals, item, tally, goal) for item in members]
        assert _bound(box, boxes, tally, goal) <= min(scores)
        assert boxes.first[box] == min(members)
        divided = boxes.right[box] > 0
        assert divided or (len(members) <= LEAF and (tally.totals[members] == boxes.most[box]).all())


def test_bounds_allow_for_rounding():
    assert _HALF > 0.5 / _SCALE > 1000 * _ERROR


def test_few_of_the_items_are_looked_at():
    picks, _, _ = search(lotus_like(20_000), 2000)
    boxes, items, refreshed, _ = picks.looked / 2000
    assert boxes < 1500 and items < 2500 and refreshed < 60  # of 19,000 to 20,000 items that are left


@pytest.mark.parametrize("selector", ["gme", "gme-sum"])
def test_references_with_many_relations_and_equal_ones_are_picked_as_by_scoring_all(selector):
    draw = np.random.default_rng(5)
    rows = [
        (f"hub {hub}", f"o{draw.integers(300)}", f"s{draw.integers(2000)}") for hub in range(12) for _ in range(400)
    ]
    rows += [
        (f"many {n}", f"o{draw.integers(9)}", f"s{draw.integers(9)}") for n in range(700) for _ in range(n % 4 + 1)
    ]
    rows += [(f"same {n:03d}", "o1", "s1") for n in range(200)]
    items, organisms, structures = zip(*rows, strict=True)
    table = RelationTable.from_columns(items, {"organism": organisms, "structure": structures})
    for each in (table, table.binary()):
        exact = GreedyMaximumEntropySampler(selector).rank(each)
        scored = GreedyMaximumEntropySampler(selector, approx=len(table.items)).rank(each)
        assert exact.items == scored.items
        assert np.array_equal(exact.entropies, scored.entropies)
