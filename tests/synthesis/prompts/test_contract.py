"""Congeners are contracted as authors write them, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.wording import enumerate_words
from abroad.synthesis.prompts.contract import contract


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (["gloeophyllin A", "gloeophyllin B", "gloeophyllin C"], "gloeophyllins A-C"),
        (["xylactam C", "xylactam D"], "xylactams C and D"),
        (["aralosid A", "aralosid J", "aralosid H"], "aralosids A, H and J"),
        (["saponin I", "saponin II", "saponin III", "saponin V"], "saponins I-III and V"),
        (["ganomycin I", "ganomycin J"], "ganomycins I and J"),
        (["piericidin 1", "piericidin 3"], "piericidins 1 and 3"),
        (["fumaric acid A", "fumaric acid B"], "fumaric acids A and B"),
        (["Shizukaol D", "shizukaol B"], "shizukaols B and D"),
        (["genistein"], "genistein"),
        (["FD-891", "FD-892"], "FD-891|FD-892"),
        (["gymnodimine", "gymnodimine B"], "gymnodimine|gymnodimine B"),
        (["saponin IV", "saponin K"], "saponin IV and saponin K"),
    ],
)
def test_phrases_of_congeners(labels, text):
    assert "|".join(phrase.text for phrase in contract(labels)).casefold() == text.casefold()


@given(
    st.lists(st.sampled_from(["alpin A", "alpin B", "alpin C", "alpin E", "beta 7", "gamma", "delta II"]), unique=True)
)
def test_every_label_is_in_exactly_one_phrase(labels):
    assert sorted(label for phrase in contract(labels) for label in phrase.labels) == sorted(labels)


def test_enumeration_reads_as_english():
    assert [enumerate_words(list("abc"[:n])) for n in (1, 2, 3)] == ["a", "a and b", "a, b and c"]
