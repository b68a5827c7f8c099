"""Where a text names its gold relations: the stretches that a tagger learns from."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.extraction.builtin.align import align, bio_tags, find_names, gold_tags, longest
from abroad.extraction.builtin.candidates import tagged_stretches
from abroad.extraction.builtin.reading import read_text
from abroad.text.tokens import tokenise
from tests.conftest import make_document


def stretches(text, chemicals):
    document = make_document("1", "", text, [("Usnea testalis", chemical) for chemical in chemicals])
    reading = read_text(document.text, len(document.title))
    found = tagged_stretches(gold_tags(document, reading)[0])
    return [reading.text[reading.tokens[first].start : reading.tokens[last - 1].end] for first, last in found]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("(+)-(3R,4S)-4-hydroxymellein (1),", "(+)-(3R,4S)-4-hydroxymellein"),
        ("(3), 3S-(+)-8-methoxymellein", "3S-(+)-8-methoxymellein"),
        ("of 3', 4', 5, 7-tetrahydroxyflavone", "3', 4', 5, 7-tetrahydroxyflavone"),
        ("(-)-(1R, 4S, 10R)-cadin-4-ene,", "(-)-(1R, 4S, 10R)-cadin-4-ene"),
        ("elemene,β-caryophyllene", "β-caryophyllene"),
        ("and 1,2-di- O-acetyllycorine", "1,2-di- O-acetyllycorine"),
        ("a [D-Leu(1)] microcystin-LR", "[D-Leu(1)] microcystin-LR"),
        ("Poly(malic acid) was", "Poly(malic acid)"),
    ],
)
def test_a_name_is_one_stretch(text, name):
    assert stretches(text, [name]) == [name]


def test_gold_is_found_verbatim_in_lists_and_in_other_spelling():
    text = "Gloeophyllins A-C (1-3), α-humulene and (E)-anethole occur."
    gold = ["gloeophyllin A", "gloeophyllin B", "alpha-humulene", "E-anethole"]
    assert stretches(text, gold) == ["Gloeophyllins A-C (1-3)", "α-humulene", "(E)-anethole"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Tomatoes hold it", "tomato"),
        ("in blueberries", "blueberry"),
        ("coenzyme Q₁₀", "coenzyme Q10"),
        ("the flavonols", "flavonol"),
    ],
)
def test_a_name_is_found_in_the_plural_and_with_lowered_digits(text, name):
    reading = read_text(text)
    ((start, end),) = find_names(reading, name)
    assert reading.text[start:end].lower() in text.lower() and start == text.lower().find(name[:5])


def test_organisms_are_found_where_their_genus_is_abbreviated():
    text = "Usnea testalis was collected. From U. testalis we had usnic acid."
    document = make_document("1", "", text, [("Usnea testalis", "usnic acid")])
    reading = read_text(document.text, len(document.title))
    spans = align(document, reading).organisms["Usnea testalis"]
    assert [reading.text[start:end] for start, end in spans] == ["Usnea testalis", "U. testalis"]


SPANS = st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda s: (s[0], s[0] + s[1])), max_size=8)


@given(st.text(alphabet="ab (1)-,", max_size=80), SPANS)
def test_tags_cover_the_longest_spans_and_no_more(text, spans):
    tokens = tokenise(text)
    tags = bio_tags(tokens, spans)
    assert len(tags) == len(tokens)
    kept = longest(spans)
    for token, tag in zip(tokens, tags, strict=True):
        assert (tag != "O") == any(start < token.end and token.start < end for start, end in kept)
    assert all(one[1] <= other[0] for one, other in pairwise(kept))
