"""Tokens that respect the names of chemicals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.text.tokens import tokenise


def words(text):
    return [token.text for token in tokenise(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(+)-(3R,4S)-4-hydroxymellein (1),", ["(+)-(3R,4S)-4-hydroxymellein", "(", "1", ")", ","]),
        ("(3), 3S-(+)-8-methoxymellein", ["(", "3", ")", ",", "3S-(+)-8-methoxymellein"]),
        ("3', 4', 5, 7-tetrahydroxyflavone", ["3', 4', 5, 7-tetrahydroxyflavone"]),
        ("(-)-(1R, 4S, 10R)-cadin-4-ene,", ["(-)-(1R, 4S, 10R)-cadin-4-ene", ","]),
        ("elemene,β-caryophyllene", ["elemene", ",", "β-caryophyllene"]),
        ("1,2-di- O-acetyllycorine", ["1,2-di- O-acetyllycorine"]),
        ("2-hydroxydocosanoic (3) acid", ["2-hydroxydocosanoic (3) acid"]),
        ("[D-Leu(1)] microcystin-LR", ["[D-Leu(1)] microcystin-LR"]),
        ("from Penicillium sp. (1)", ["from", "Penicillium", "sp.", "(", "1", ")"]),
    ],
)
def test_a_name_is_one_token(text, expected):
    assert words(text) == expected


def test_sentences_are_counted_and_abbreviations_end_none():
    tokens = tokenise("Isolated from P. notatum by us. It is new.")
    assert [token.sentence for token in tokens if token.text in ("notatum", "new")] == [0, 1]


@given(st.text(max_size=300))
def test_tokens_are_stretches_of_the_text_in_order(text):
    end = 0
    for token in tokenise(text):
        assert text[token.start : token.end] == token.text and token.start >= end and token.text
        assert not token.text.isspace()
        end = token.end


@given(st.text(alphabet="(),-'12 RSab[]", max_size=200))
def test_nothing_but_white_space_is_lost(text):
    kept = "".join(token.text for token in tokenise(text))
    assert [c for c in kept if not c.isspace()] == [c for c in text if not c.isspace()]
