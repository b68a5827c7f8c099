"""The sampler picks what the plain method picks, and what the published one picked."""

import csv
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.dense_reference import rank_densely
from benchmarks.lotus_like import lotus_like
from gme_sampler import GreedyMaximumEntropySampler, RelationTable, TableError, rank_by_baseline

rows = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12), st.integers(0, 20), st.integers(0, 4)), min_size=1, max_size=120
)


def table_of(rows, categories=2):
    names = ("organism", "structure", "kingdom")[:categories]
    return RelationTable.from_columns(
        [f"item {row[0]}" for row in rows],
        {name: [f"{name}{row[k + 1]}" for row in rows] for k, name in enumerate(names)},
    )


def read_tsv(path):
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def test_the_published_picks_on_the_lotus_slice(shared_data):
    relations = read_tsv(shared_data / "lotus_slice.tsv")
    published = read_tsv(shared_data / "lotus_slice_gme_top10.tsv")
    on = ["structure_wikidata", "organism_wikidata"]
    table = RelationTable.from_columns(
        [row["reference_doi"] for row in relations], {name: [row[name] for row in relations] for name in on}
    )
    ranking = GreedyMaximumEntropySampler().rank(table, 10)
    assert ranking.items == [row["reference_doi"] for row in published]
    assert ranking.entropies.tolist() == [[float(row[name]) for name in on] for row in published]


@settings(deadline=None, max_examples=150)
@given(rows, st.sampled_from(["gme", "gme-sum"]), st.booleans(), st.integers(1, 3))
def test_same_picks_as_scoring_every_item_densely(rows, selector, binary, categories):
    table = table_of(rows, categories)
    ranking = GreedyMaximumEntropySampler(selector, binary=binary).rank(table)
    items, entropies = rank_densely(table.binary() if binary else table, len(table.items), selector)
    assert ranking.items == items
    assert ranking.entropies == pytest.approx(entropies, abs=1e-9)


def test_same_picks_on_a_table_large_enough_for_many_blocks():
    table = lotus_like(1500, seed=3)
    items, entropies = rank_densely(table, 40)
    ranking = GreedyMaximumEntropySampler().rank(table)
    assert ranking.items[:40] == items
    assert ranking.entropies[:40] == pytest.approx(entropies, abs=1e-9)
    exhaustive = GreedyMaximumEntropySampler(approx=1500).rank(table)
    assert ranking.items == exhaustive.items


@settings(deadline=None, max_examples=50)
@given(rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, shuffler):
    shuffled = list(rows)
    shuffler.shuffle(shuffled)
    for sampler in (GreedyMaximumEntropySampler(), GreedyMaximumEntropySampler(approx=3, seed=1)):
        first, second = sampler.rank(table_of(rows)), sampler.rank(table_of(shuffled))
        assert first.items == second.items
        assert np.array_equal(first.entropies, second.entropies)


@settings(deadline=None, max_examples=50)
@given(rows, st.sampled_from(["gme", "random", "relations", "entities"]))
def test_entropies_never_exceed_the_utopian_and_all_items_end_alike(rows, strategy):
    table = table_of(rows)
    greedy = GreedyMaximumEntropySampler().rank(table)
    ranking = greedy if strategy == "gme" else rank_by_baseline(table, strategy)
    assert sorted(ranking.items) == table.items
    assert (ranking.entropies <= table.utopia + 5.01e-6).all()
    assert ranking.entropies[-1] == pytest.approx(greedy.entropies[-1], abs=1.1e-5)


def test_repeated_rows_count_as_often_as_they_stand_unless_binary():
    rows = [(1, 1, 1), (1, 1, 1), (1, 1, 1), (1, 2, 2)]
    counted = GreedyMaximumEntropySampler().rank(table_of(rows)).entropies[0]
    assert counted == pytest.approx([0.56234, 0.56234])  # -(3/4 log 3/4 + 1/4 log 1/4)
    once = GreedyMaximumEntropySampler(binary=True).rank(table_of(rows)).entropies[0]
    assert once == pytest.approx([0.69315, 0.69315])


def test_more_picks_than_items_gives_all_items():
    assert len(GreedyMaximumEntropySampler().rank(table_of([(1, 1, 1), (2, 1, 2)]), 99).items) == 2


def test_rows_with_missing_values_are_dropped_and_counted():
    table = RelationTable.from_columns(
        ["a", "b", "", "c", "d"], {"organism": ["x", None, "y", " ", "z"], "structure": ["1", "2", "3", "4", "5"]}
    )
    assert (table.items, table.dropped) == (["a", "d"], 3)


def test_columns_that_cannot_be_sampled_are_refused():
    with pytest.raises(TableError, match="at least one category"):
        RelationTable.from_columns(["a"], {})
    with pytest.raises(TableError, match="'organism': expected 2 rows"):
        RelationTable.from_columns(["a", "b"], {"organism": ["x"]})
    with pytest.raises(TableError, match="no row of 1"):
        RelationTable.from_columns(["a"], {"organism": [""]})


@pytest.mark.parametrize("wrong", [{"selector": "best"}, {"approx": 0}])
def test_wrong_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        GreedyMaximumEntropySampler(**wrong)


def test_a_seed_decides_what_approx_draws():
    table = lotus_like(400)
    picks = [GreedyMaximumEntropySampler(approx=5, seed=seed).rank(table, 50).items for seed in (1, 1, 2)]
    assert picks[0] == picks[1] != picks[2]
    assert len(set(picks[0])) == 50


def test_approx_loses_little_entropy_and_random_loses_more():
    table = lotus_like(2000)
    reach = {
        "exact": GreedyMaximumEntropySampler().rank(table, 200).entropies[-1].sum(),
        "approx": GreedyMaximumEntropySampler(approx=200).rank(table, 200).entropies[-1].sum(),
        "random": rank_by_baseline(table, "random", 200).entropies[-1].sum(),
    }
    assert reach["exact"] > reach["approx"] > reach["random"]


def test_baselines_put_the_largest_first_and_break_ties_by_text():
    rows = [(1, 1, 1), (1, 1, 2), (1, 1, 3), (2, 1, 1), (2, 2, 1), (3, 3, 4), (4, 5, 5)]
    table = table_of(rows)
    order = ["item 1", "item 2", "item 3", "item 4"]
    assert rank_by_baseline(table, "relations").items == order
    assert rank_by_baseline(table, "entities", category="organism").items == ["item 2", "item 1", "item 3", "item 4"]
    assert rank_by_baseline(table, "entities", 1, category="structure").items == ["item 1"]
    assert rank_by_baseline(table, "entities").items == order
    with pytest.raises(ValueError, match="baseline"):
        rank_by_baseline(table, "best")
    with pytest.raises(ValueError, match="category"):
        rank_by_baseline(table, "entities", category="kingdom")


def test_the_stop_report_names_the_step_of_the_highest_entropy():
    # Item 2 brings a second organism; item 1 again only makes the first one more frequent.
    rows = [(1, 1, 1), (2, 2, 2), (3, 1, 3)]
    organism, structure = GreedyMaximumEntropySampler().rank(table_of(rows)).stop_report()
    assert (organism.step, organism.rising) == (2, False)
    assert organism.share == pytest.approx(1, abs=1e-5)
    assert (structure.step, structure.rising) == (3, True)


def test_one_entity_alone_has_no_entropy_and_is_all_of_it():
    (point, _) = GreedyMaximumEntropySampler().rank(table_of([(1, 1, 1), (2, 1, 1)])).stop_report()
    assert (point.entropy, point.share, point.step) == (0.0, 1.0, 1)


def test_progress_is_told_and_an_error_in_it_ends_the_ranking():
    class Enough(Exception):
        pass

    def stop(picks):
        raise Enough

    with pytest.raises(Enough):
        GreedyMaximumEntropySampler(approx=20000).rank(lotus_like(20000), progress=stop)


def test_shuffled_ranking_of_a_larger_table_is_a_permutation():
    table = lotus_like(3000, seed=random.Random(0).randrange(100))
    assert sorted(GreedyMaximumEntropySampler("gme-sum", binary=True).rank(table).items) == table.items
