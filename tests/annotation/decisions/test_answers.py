"""What curators type is read tolerantly, and nothing of it is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.decisions.answers import NOT_UNDERSTOOD, full_genus, read_answer
from tests.conftest import make_document

DOCUMENT = make_document(
    "1", "Acids of Usnea testalis.", "Usnic acid and gloeophyllins A-C were isolated from Usnea testalis.", []
)


@pytest.mark.parametrize(
    "line",
    [
        "Usnea testalis | usnic acid",
        "  Usnea  testalis|usnic acid ;",
        "- Usnea testalis | usnic acid",
        "1. Usnea testalis | usnic acid (1)",
        "Usnea testalis\tusnic acid",
        "Usnea testalis produces usnic acid",
        "Usnea testalis -> usnic acid",
        "Usnea testalis → usnic acid",
        "U. testalis | usnic acid",
    ],
)
def test_forms_of_a_line(line):
    answer = read_answer(line, DOCUMENT)
    assert answer.relations == (("Usnea testalis", "usnic acid"),) and answer.flagged == ()


def test_a_list_is_expanded_and_repetitions_count_once():
    answer = read_answer("Usnea testalis | gloeophyllins A-C\nusnea testalis | Gloeophyllin A", DOCUMENT)
    assert answer.relations == tuple(("Usnea testalis", f"gloeophyllin {letter}") for letter in "ABC")
    assert answer.flagged == ()


@pytest.mark.parametrize("text", ["", "none", "None.", "-", "no relations\n\n"])
def test_no_relation(text):
    answer = read_answer(text, DOCUMENT)
    assert answer.relations == () and answer.flagged == ()


def test_a_name_that_the_text_lacks_is_kept_and_flagged_with_the_nearest():
    answer = read_answer("Usnea testallis | usnic acid", DOCUMENT)
    assert answer.relations == (("Usnea testallis", "usnic acid"),)
    (flag,) = answer.flagged
    assert flag.line == "Usnea testallis | usnic acid" and "but 'Usnea testalis'" in flag.reason


@pytest.mark.parametrize("line", ["see the other paper", "a | b | c", "| usnic acid", "x" * 400 + " | y"])
def test_what_cannot_be_read_is_kept_as_typed(line):
    answer = read_answer(f"Usnea testalis | usnic acid\n{line}", DOCUMENT)
    assert len(answer.relations) == 1
    assert [(flag.line, flag.reason) for flag in answer.flagged] == [(line, NOT_UNDERSTOOD)]


def test_an_ambiguous_genus_stays_abbreviated():
    document = make_document("1", "Usnea alba and Ulmus alba.", "They differ.", [])
    assert full_genus("U. alba", document) == "U. alba"


def test_a_genus_with_an_accent_is_written_out():
    document = make_document("1", "Peramine of Epichloë festucae.", "Made by E. festucae.", [])
    assert full_genus("E. festucae", document) == "Epichloë festucae"


@given(st.text(max_size=200))
def test_never_raises(text):
    read_answer(text, DOCUMENT)
