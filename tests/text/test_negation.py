"""Which words negate."""

import pytest

from abroad.text.negation import NEGATORS, is_negator


@pytest.mark.parametrize("word", [*sorted(NEGATORS), "NOT", "Neither", "didn't", "isn’t"])
def test_a_negator_is_known_in_any_case(word):
    assert is_negator(word)


@pytest.mark.parametrize("word", ["knot", "note", "northern", "nootkatone", "lactone", "t", "ant", ""])
def test_a_word_that_holds_one_is_none(word):
    assert not is_negator(word)
