"""Which of a text's scored relations are given out."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.schema import Document
from abroad.extraction.builtin.decide import Decision
from abroad.extraction.builtin.pairs import load_pair_extractor

ABSTRACT, TITLE = SimpleNamespace(tokens=range(200)), SimpleNamespace(tokens=range(12))


@dataclass(frozen=True)
class Scored:
    score: float


def chosen(decision, reading, *scores):
    return [pair.score for pair in decision.chosen(reading, [Scored(score) for score in scores])]


def test_an_abstract_that_has_a_sure_relation_gives_less_sure_ones_too():
    assert chosen(Decision(0.5, 0.4), ABSTRACT, 0.41, 0.8, 0.39) == [0.41, 0.8]


def test_an_abstract_without_a_sure_relation_gives_none():
    assert chosen(Decision(0.5, 0.4), ABSTRACT, 0.49, 0.48) == []


def test_a_title_gives_only_what_is_sure():
    assert chosen(Decision(0.5, 0.4), TITLE, 0.8, 0.45) == [0.8]


def test_a_text_without_candidates_gives_none():
    assert chosen(Decision(0.0, 0.0), ABSTRACT) == []


@given(st.lists(st.floats(0, 1)), st.floats(0, 1), st.floats(0, 1), st.sampled_from([ABSTRACT, TITLE]))
def test_nothing_surer_is_left_out_and_all_above_the_threshold_is_in(scores, least, beside, reading):
    found = chosen(Decision(least, beside), reading, *scores)
    assert set(found) >= {score for score in scores if score >= least}
    assert not found or min(found) >= max((s for s in scores if s not in found), default=0.0)
    assert chosen(Decision(least), reading, *scores) == [score for score in scores if score >= least]


def test_the_shipped_extractor_decides_so_unless_a_threshold_is_given():
    shipped = load_pair_extractor()
    assert shipped.beside is not None and shipped.beside < shipped.min_score == 0.5
    given = load_pair_extractor(min_score=0.5)
    assert given.beside is None and given.identity != shipped.identity
    assert load_pair_extractor(precision=0.85).beside is None


@pytest.mark.parametrize("min_score", [0.2, 0.5, 0.9])
def test_a_threshold_that_is_given_is_the_only_one(min_score):
    text = " ".join(["Usnic acid and atranorin were isolated from Usnea barbata; barbatic acid was compared."] * 6)
    prediction = load_pair_extractor(min_score=min_score).predict(Document.from_text("", text))
    assert all(relation.score >= min_score for relation in prediction.relations)
