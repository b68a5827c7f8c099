"""The sampler as an estimator in the manner of scikit-learn."""

import pickle
import re

import numpy as np
import pytest

from gme_sampler import GreedyMaximumEntropySampler, NotFittedError, RelationTable, TableError

COLUMNS = {
    "reference": ["a", "a", "b", "c", "c", None],
    "organism": ["o1", "o2", "o1", "o3", "o3", "o4"],
    "structure": ["s1", "s2", "s1", "s3", "s4", "s5"],
}
TABLE = RelationTable.from_columns(COLUMNS["reference"], {name: COLUMNS[name] for name in ("organism", "structure")})


def frames():
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    return [COLUMNS, pandas.DataFrame(COLUMNS), polars.DataFrame(COLUMNS), TABLE]


@pytest.mark.parametrize("place", range(4))
def test_fit_finds_what_rank_finds_in_tables_dicts_and_frames(place):
    sampler = GreedyMaximumEntropySampler(n_items=2)
    assert sampler.fit(frames()[place]) is sampler
    ranking = GreedyMaximumEntropySampler().rank(TABLE, 2)
    assert sampler.items_ == ranking.items and sampler.n_items_in_ == 3
    assert np.array_equal(sampler.entropies_, ranking.entropies)
    assert np.array_equal(sampler.utopia_, np.log([3, 4]))
    assert sampler.categories_ == ("organism", "structure")
    assert sampler.stop_points_ == ranking.stop_report()


def test_nothing_is_there_before_it_is_fitted():
    fitted = [name for name in dir(GreedyMaximumEntropySampler().fit(TABLE)) if re.fullmatch(r"[a-z]\w*[^_]_", name)]
    assert set(fitted) >= {"items_", "entropies_", "categories_", "utopia_", "stop_points_", "ranking_", "n_items_in_"}
    for name in fitted:
        assert not hasattr(GreedyMaximumEntropySampler(), name)
        with pytest.raises(NotFittedError, match=f"^{name}: call fit first$"):
            getattr(GreedyMaximumEntropySampler(), name)
    with pytest.raises(AttributeError, match="no attribute 'size_'"):
        _ = GreedyMaximumEntropySampler().size_
    assert isinstance(pickle.loads(pickle.dumps(GreedyMaximumEntropySampler())), GreedyMaximumEntropySampler)


@pytest.mark.parametrize("value", [None, 5, "table", ["a"], np.zeros((2, 2))], ids=lambda value: type(value).__name__)
def test_what_is_no_table_is_refused(value):
    with pytest.raises(TableError, match="expected a RelationTable, a dict of columns or a data frame, found"):
        GreedyMaximumEntropySampler().fit(value)


def test_scikit_learn_clones_it():
    base = pytest.importorskip("sklearn.base")
    sampler = GreedyMaximumEntropySampler("gme-sum", approx=5, n_items=1).fit(TABLE)
    copy = base.clone(sampler)
    assert copy.get_params() == sampler.get_params() and not hasattr(copy, "ranking_")


def test_parameters_are_set_whole_or_not_at_all():
    sampler = GreedyMaximumEntropySampler()
    assert sampler.set_params(binary=True, n_items=3).get_params() == {
        "selector": "gme", "binary": True, "approx": None, "seed": 0, "n_items": 3,
    }  # fmt: skip
    for wrong in ({"n_items": 0}, {"selector": "best"}, {"binary": False, "size": 1}):
        with pytest.raises(ValueError, match="expected"):
            sampler.set_params(**wrong)
    assert sampler.binary and sampler.n_items == 3
    sampler.approx = 0
    with pytest.raises(ValueError, match="approx of at least 1"):
        sampler.fit(TABLE)


@pytest.mark.parametrize("columns", [{}, {"reference": ["a"]}, {"reference": [None], "organism": ["o"]}])
def test_columns_that_cannot_be_sampled_are_refused(columns):
    with pytest.raises(TableError, match=r"expected|no row"):
        GreedyMaximumEntropySampler().fit(columns)
