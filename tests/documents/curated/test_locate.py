"""Where a text names a label."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.documents.curated.locate import Locator


def chemical(text, label):
    return [text[start:end] for start, end in Locator(text).chemical(label)]


def organism(text, label):
    return [text[start:end] for start, end in Locator(text).organism(label)]


@pytest.mark.parametrize(
    ("text", "label", "found"),
    [
        ("Usnic acid and usnic  acid.", "usnic acid", ["Usnic acid", "usnic  acid"]),
        ("It gave (+)-(3R)-mellein.", "(+)-(3R)-mellein", ["(+)-(3R)-mellein"]),
        ("It gave α–pinene.", "alpha-pinene", ["α–pinene"]),
        ("It gave alpha-pinene.", "α-pinene", ["alpha-pinene"]),
        ("(1R)-3-O-(2-oxo)-alpin", "1R)-3-O-(2-oxo)-alpin", ["(1R)-3-O-(2-oxo)-alpin"]),
        ("New alkaloids and an alkaloid.", "alkaloids", ["alkaloids", "alkaloid"]),
        ("Gloeophyllins A-C (1-3) are new.", "gloeophyllin B", ["Gloeophyllins A-C (1-3)"]),
        ("We found 3- and 4-hydroxymellein.", "3-hydroxymellein", ["3- and 4-hydroxymellein"]),
        ("The verticinol A (1) and B (2) here.", "verticinol B", ["verticinol A (1) and B (2)"]),
        ("The verticinol A. Strain B grew.", "verticinol B", []),
        ("Saxitoxin (STX) is bad; STX kills.", "saxitoxin", ["Saxitoxin", "STX", "STX"]),
        ("Quercetin-3-glucoside and quercetin.", "quercetin", ["quercetin"]),
        ("Quercetin-3-glucoside.", "quercetin", ["Quercetin"]),
        ("Isoquercetin is not it.", "quercetin", []),
        ("Nothing.", "-", []),
    ],
)
def test_chemicals(text, label, found):
    assert chemical(text, label) == found


@pytest.mark.parametrize(
    ("text", "label", "found"),
    [
        ("Ruta ficta; R. ficta.", "Ruta ficta", ["Ruta ficta", "R. ficta"]),
        ("Salvia nova and ficta.", "Salvia ficta", ["ficta"]),
        ("A ficta.", "Salvia ficta", []),
        ("Streptomyces sp. X1", "Streptomyces", ["Streptomyces"]),
    ],
)
def test_organisms(text, label, found):
    assert organism(text, label) == found


@given(st.text(max_size=60), st.text(min_size=1, max_size=12))
def test_spans_lie_in_the_text_and_in_order(text, label):
    for spans in (Locator(text).chemical(label), Locator(text).organism(label)):
        assert spans == sorted(set(spans))
        assert all(0 <= start < end <= len(text) for start, end in spans)
