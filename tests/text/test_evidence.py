"""Evidence: the spans of the text a relation can be checked by."""

from hypothesis import given
from hypothesis import strategies as st

from abroad.text.evidence import find_evidence, verbatim_spans
from tests.conftest import make_document


def spans(document, organism, chemical):
    return [(e.role, e.rule, e.text) for e in find_evidence(document, organism, chemical)]


def test_labels_are_found_whatever_their_case():
    document = make_document("1", "Title.", "Usnic Acid from Usnea testalis.", [])
    assert spans(document, "usnea testalis", "usnic acid") == [
        ("organism", "verbatim", "Usnea testalis"),
        ("chemical", "verbatim", "Usnic Acid"),
    ]


def test_an_abbreviated_genus_is_evidence_for_the_full_name():
    document = make_document("1", "Genista morisii.", "Luteolin came from G. ephedroides.", [])
    assert spans(document, "Genista ephedroides", "luteolin")[0] == ("organism", "genus", "G. ephedroides")


def test_a_name_inside_a_longer_one_is_no_evidence():
    assert verbatim_spans("hydroxymellein and mellein", "mellein") == [(19, 26)]


@given(st.text(), st.text())
def test_offsets_count_code_points_of_the_text(text, label):
    for start, end in verbatim_spans(text, label):
        assert 0 <= start < end <= len(text)


def test_a_member_of_a_list_has_the_list_as_its_evidence():
    document = make_document("1", "On Ruta ficta.", "Gloeophyllins A-C (1-3) and alpin were isolated.", [])
    evidence = find_evidence(document, "Ruta ficta", "gloeophyllin B")
    assert [(e.role, e.text, e.rule) for e in evidence] == [
        ("organism", "Ruta ficta", "verbatim"),
        ("chemical", "Gloeophyllins A-C (1-3)", "range"),
    ]
