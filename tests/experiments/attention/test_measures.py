"""Measures of attention on heads that were made by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abroad.experiments.attention.measures import by_quarter, divergence, mention_mass, trivial_share


def head(n, look):
    """A head whose word i looks at the words that look(i) names, alike."""
    matrix = np.zeros((n, n))
    for row in range(n):
        places = look(row)
        matrix[row, places] = 1 / len(places)
    return matrix


PREVIOUS = head(12, lambda i: [max(i - 1, 0)])
SELF = head(12, lambda i: [i])
FIRST = head(12, lambda i: [0])


@pytest.mark.parametrize("pattern", [PREVIOUS, SELF, FIRST, 0.5 * PREVIOUS + 0.3 * SELF + 0.2 * FIRST])
def test_trivial_heads_are_explained_wholly(pattern):
    # A word two places on from the first has "previous" and "first" in one; mixtures stay linear all the same.
    assert trivial_share(pattern) == pytest.approx(1, abs=1e-9)


def test_a_head_that_looks_two_words_back_is_not_trivial():
    assert trivial_share(head(40, lambda i: [max(i - 2, 0)])) < 0.1


def test_shares_are_per_head():
    heads = np.stack([PREVIOUS, head(12, lambda i: [max(i - 2, 0)])])[None]
    share = trivial_share(heads)
    assert share.shape == (1, 2) and share[0, 0] == pytest.approx(1) and share[0, 1] < 0.5


def test_divergence_is_0_for_equal_heads_and_1_bit_for_disjoint_ones():
    assert divergence(PREVIOUS, PREVIOUS) == 0
    # Rows of SELF and PREVIOUS share no word from the second on.
    assert divergence(SELF, PREVIOUS) == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 9), st.integers(0, 999))
def test_divergence_is_symmetric_and_between_0_and_1(n, seed):
    generator = np.random.default_rng(seed)
    a, b = (np.tril(generator.random((3, n, n)) ** 4) for _ in range(2))
    a, b = (m / np.maximum(m.sum(-1, keepdims=True), 1e-30) for m in (a, b))
    found = divergence(a, b)
    assert (found >= -1e-12).all() and (found <= 1 + 1e-12).all()
    np.testing.assert_allclose(found, divergence(b, a))


def test_quarters_are_means_of_their_layers():
    assert by_quarter(np.arange(8)).tolist() == [0.5, 2.5, 4.5, 6.5]
    assert by_quarter(np.arange(2)).tolist() == [0, 1]


def test_mass_is_the_mean_over_rows_of_what_falls_on_the_columns():
    assert mention_mass(PREVIOUS, np.array([4, 5]), [3]) == 0.5
    assert mention_mass(FIRST, np.array([4, 5]), [0, 2]) == 1
