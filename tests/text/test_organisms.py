"""Organisms: names, abbreviations, spelling, identifiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.text.organisms import find_organisms, one_edit_apart, resolve_genus
from abroad.text.taxon_names import taxon_identifier


def labels(text):
    return list(dict.fromkeys(mention.label for mention in find_organisms(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alkaloids from Penicillium notatum", ["Penicillium notatum"]),
        ("the marine fungus Penicillium sp. SF-5016", ["Penicillium"]),
        ("strains of Penicillium spp.", ["Penicillium"]),
        ("Corallium rubrum and C. rubrum polyps", ["Corallium rubrum"]),
        ("Dysidea herbacea, P. simplex", ["Dysidea herbacea"]),
        ("Panax pseudo-ginseng subsp. himalaicus", ["Panax pseudo-ginseng"]),
        ("EUPATORIUM CANNABINUM leaves", ["Eupatorium cannabinum"]),
        ("of the genusNasutitermes", ["Nasutitermes"]),
        ("Amaryllidaceae alkaloids", ["Amaryllidaceae"]),
        ("a new species, Xestospongia fictivensis", ["Xestospongia fictivensis"]),
        ("These compounds were isolated", []),
        ("Alpha was tested in China", []),
    ],
)
def test_names_follow_the_convention_of_the_curated_data(text, expected):
    assert labels(text) == expected


def test_an_abbreviated_genus_is_the_one_named_for_the_epithet_or_the_last_before_it():
    text = "Geodia corticostylifera and Garcinia mangostana. G. corticostylifera gave X; G. dulcis gave Y."
    found = find_organisms(text)
    assert found[2].label == "Geodia corticostylifera" and found[2].rule == "genus"
    assert found[3].label == "Garcinia dulcis"
    assert resolve_genus("Z. mays", found, 90) is None


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Eupatorium cannabium", "Eupatorium cannabinum"),  # a letter is missing
        ("Stemona peirrei", "Stemona pierrei"),  # two are swapped
        ("Stephania cepharantha", "Stephania cepharantha"),  # another letter: may be another species
        ("Stemona collinsae", "Stemona collinsae"),  # -ae for -iae is style
    ],
)
def test_slips_of_the_pen_get_the_known_spelling(text, label):
    assert labels(f"isolated from {text} roots") == [label]


def test_one_document_spells_a_species_in_one_way():
    assert labels("Sophora subprostrata roots. Roots of Sophora subprostarata.") == ["Sophora subprostrata"]


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_one_edit_is_symmetric_and_never_none(first, second):
    assert one_edit_apart(first, second) == one_edit_apart(second, first)
    assert not one_edit_apart(first, first)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("Saccharomyces cerevisiae", "NCBITaxon:4932"),
        ("Homo sapiens", "NCBITaxon:9606"),
        ("Amaryllidaceae", "NCBITaxon:4668"),
        ("Stemona", "NCBITaxon:85281"),
        ("Stemona fictiva", None),
        ("", None),
        (" ", None),
        ("~", None),
    ],
)
def test_identifiers_are_those_of_ncbi(name, identifier):
    assert taxon_identifier(name) == identifier


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    for mention in find_organisms(text):
        assert 0 <= mention.start < mention.end <= len(text)
