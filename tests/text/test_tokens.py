"""Fine tokens, of which names can be put together, and sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.text.tokens import sentences, tokenise, tokens_in


def words(text):
    return [token.text for token in tokenise(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(+)-(3R,4S)-4-hydroxymellein,", "( + ) - ( 3R , 4S ) - 4 - hydroxymellein ,"),
        ("3', 4'-flavone", "3 ' , 4 ' - flavone"),
        ("elemene,β-caryophyllene", "elemene , β - caryophyllene"),
        ("[D-Leu(1)] microcystin-LR", "[ D - Leu ( 1 ) ] microcystin - LR"),
        ("from Penicillium sp. (1)", "from Penicillium sp . ( 1 )"),
        ("swinholide B.", "swinholide B ."),
        ("从Allium分离", "从 Allium 分 离"),
        ("ケルセチンqueri", "ケ ル セ チ ン queri"),
        ("snake_case été", "snake _ case été"),
        ("", ""),
    ],
)
def test_tokens_are_runs_of_letters_and_digits_and_single_marks(text, expected):
    assert words(text) == expected.split()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("(+)-(3R,4S)-4-hydroxymellein (1),", ["(+)-(3R,4S)-4-hydroxymellein", "1"]),
        ("(3), 3S-(+)-8-methoxymellein", ["3S-(+)-8-methoxymellein"]),
        ("3', 4', 5, 7-tetrahydroxyflavone.", ["3', 4', 5, 7-tetrahydroxyflavone"]),
        ("elemene,β-caryophyllene", ["elemene", "β-caryophyllene"]),
        ("2-hydroxydocosanoic (3) acid", ["2-hydroxydocosanoic (3) acid", "3"]),
        ("由槲皮素(quercetin)组成", ["槲皮素", "quercetin"]),
    ],
)
def test_a_name_begins_and_ends_with_a_token(text, names):
    tokens = tokenise(text)
    for name in names:
        start = text.index(name)
        first, last = tokens_in(tokens, start, start + len(name))
        assert (tokens[first].start, tokens[last - 1].end) == (start, start + len(name))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Isolated from P. notatum by us. It is new.", ["Isolated from P. notatum by us.", "It is new."]),
        ("From Nostoc sp. TISTR we had it.", ["From Nostoc sp. TISTR we had it."]),
        ("It gave swinholide B. Its yield", ["It gave swinholide B.", "Its yield"]),
        ('It is "new." We (too. Yes) saw!? Yes.', ['It is "new."', "We (too.", "Yes) saw!?", "Yes."]),
        ("A yield of 3.5 g", ["A yield of 3.5 g"]),
        ("", []),
    ],
)
def test_sentences(text, expected):
    assert [text[start:end] for start, end in sentences(text)] == expected


def test_a_title_ends_a_sentence_whatever_stands_there():
    text = "A source of berberine Berberine was isolated. It is yellow."
    bounds = sentences(text, len("A source of berberine"))
    assert [text[start:end] for start, end in bounds][:2] == ["A source of berberine", "Berberine was isolated."]


@given(st.text(max_size=300), st.integers(0, 300))
def test_tokens_are_stretches_of_the_text_in_order(text, title_end):
    end, sentence = 0, 0
    for token in tokenise(text, title_end):
        assert text[token.start : token.end] == token.text and token.start >= end and token.text
        assert not any(character.isspace() for character in token.text)
        assert token.sentence in (sentence, sentence + 1)
        end, sentence = token.end, token.sentence


@given(st.text(max_size=200))
def test_nothing_but_white_space_is_lost(text):
    kept = "".join(token.text for token in tokenise(text))
    assert list(kept) == [c for c in text if not c.isspace()]


@given(st.text(alphabet="ab, (", max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_tokens_in_a_stretch_are_those_that_it_touches(text, start, end):
    tokens = tokenise(text)
    first, last = tokens_in(tokens, start, max(start, end))
    assert list(tokens[first:last]) == [t for t in tokens if t.end > start and t.start < max(start, end)]
