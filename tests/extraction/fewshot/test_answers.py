"""Answers are cut out by rule: every form that models write is a case here."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.schema import Document
from abroad.engines.base import Generation
from abroad.extraction.fewshot.answers import cut_relations, goes_round, whole_parts
from abroad.extraction.fewshot.run import count_answers, read_answer
from abroad.extraction.fewshot.styles import load_style

STEPS = (
    " Usnea x\nChemicals: usnic acid\nEvidence: Usnic acid was found in Usnea x.\n"
    "Relations: Usnea x produces usnic acid"
)


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        (" A b produces c; D e produces f\n", "A b produces c; D e produces f"),
        (" A b produces c.\n\nText: Next example.\nRelations: X produces y", "A b produces c"),
        (" none\n", ""),
        ("None.", ""),
        ("**Relations:** A b produces c", "A b produces c"),
        ("Here are the relations:\n- A b produces c\n- D e produces f.", "A b produces c; D e produces f"),
        ("1. A b produces c\n2) D e produces f", "A b produces c; D e produces f"),
        ("A b produces c\nI hope this helps!", "A b produces c"),
        ("Here are the relations:\n\nA b produces c", "A b produces c"),
        ("Here is what each of them produces:\n\n- A b produces c\n- D e produces f", "A b produces c; D e produces f"),
        ("- A b produces c\n- D e produces f\nI hope this helps!", "A b produces c; D e produces f"),
        ("- A b produces c\n\n- D e produces f\n\nNote that D e produces more.", "A b produces c; D e produces f"),
        ("A b produces c\n\nIn summary, A b produces c.", "A b produces c"),
        ('"A b produces c; D e produces f"', "A b produces c; D e produces f"),
        ("**A b produces c.**", "A b produces c"),
        ("`none`", ""),
        ("1. “A b produces c”.", "A b produces c"),
        ("I cannot see any article.", None),
        ("", None),
        ("\n\n", None),
        ("none of the organisms was studied", None),
    ],
)
def test_the_relations_of_a_direct_answer(text, relations):
    assert cut_relations(text) == relations


@pytest.mark.parametrize(
    ("text", "relations"),
    [
        (STEPS, "Usnea x produces usnic acid"),
        (STEPS + "\nText: another\nRelations: X produces y", "Usnea x produces usnic acid"),
        (STEPS.replace("Usnea x produces usnic acid", "none"), ""),
        (STEPS.rpartition("\n")[0], None),  # cut off before its relations
        (" Usnea x produces usnic acid", None),  # no steps
    ],
)
def test_the_relations_of_an_answer_in_steps(text, relations):
    assert cut_relations(text, steps=True) == relations


@given(st.text(max_size=300), st.booleans())
def test_whatever_a_model_writes_is_read_or_not_and_never_raises(text, steps):
    assert cut_relations(text, steps) is None or isinstance(cut_relations(text, steps), str)


def test_what_the_regex_allows_can_be_read():
    for name, answer in (("classic", " A b produces c; D produces e\n"), ("classic", " none\n"), ("cot", STEPS + "\n")):
        style = load_style(name)
        assert re.fullmatch(style.form(200), answer) and cut_relations(answer, style.steps) is not None
    assert not re.fullmatch(load_style("classic").form(200), " A b makes c\n")


def test_the_form_leaves_no_room_for_prose_and_room_for_long_names():
    form = load_style("classic").form(200)
    prose = "The plant is known for its many uses in the region and "
    assert not re.fullmatch(form, f" {prose}produces c\n")
    assert not re.fullmatch(form, f" A b produces {prose}\n")
    assert not re.fullmatch(form, " A b produces c produces d\n") and not re.fullmatch(
        form, " A b produces bitter alkaloids. D\n"
    )
    name = "methyl 5-(2-hydroxyphenyl)-3,4-dimethoxy-1H-pyrrole-2-carboxylate ethyl ester hydrate"
    assert re.fullmatch(form, f" Usnea subsp. var. minor L. produces {name}\n")


def test_the_steps_leave_room_for_the_relations():
    """In a document of 1,000 characters, the steps together take at most what half of the budget may hold."""
    form = load_style("cot").form(1000)
    longest = f" {'o' * 350}\nChemicals: {'c' * 800}\nEvidence: {'e' * 700}\nRelations: A b produces c\n"
    assert re.fullmatch(form, longest)
    assert not re.fullmatch(form, longest.replace("o" * 350, "o" * 351))


def test_a_prediction_has_evidence_and_lists_expanded_and_says_what_it_cost():
    document = Document("1", "", "Verticillins A-C were found in Clonostachys parva.")
    generation = Generation("1", " Clonostachys parva produces verticillins A-C\n", "stop", 9, -1.0, prompt_tokens=50)
    prediction = read_answer(document, generation, load_style("classic"))
    assert [r.chemical for r in prediction.relations] == [f"verticillin {letter}" for letter in "ABC"]
    assert all({e.role for e in r.evidence} == {"organism", "chemical"} for r in prediction.relations)
    unread = read_answer(document, Generation("2", "no idea", "length", 3, prompt_tokens=50), load_style("classic"))
    failed = read_answer(document, Generation("3", "", "error", 0, error="too long"), load_style("classic"))
    reading = count_answers([prediction, unread, failed])
    assert (reading.answers, reading.parsed, reading.failed) == (2, 1, 1)
    assert (reading.parse_rate, reading.tokens, reading.prompt_tokens) == (50.0, 12, 100)


SAID = [f"A b produces {name}" for name in "cdefgh"]


@given(st.lists(st.sampled_from(SAID), min_size=1, max_size=6, unique=True), st.data())
def test_an_answer_that_only_repeats_itself_lacks_nothing_and_one_that_still_names_something_new_does(named, data):
    separator = data.draw(st.sampled_from(["; ", "\n", "\n- "]))
    half = named[0][: data.draw(st.integers(0, len(named[0])))]
    round_about = separator.join([*named, *named, half])
    assert goes_round(round_about) and set(cut_relations(whole_parts(round_about)).split("; ")) == set(named)
    last = separator.join([*named, *[named[-1]] * 4, half])
    assert goes_round(last)
    new = separator.join([*named, *named, "A b produces something new", half])
    assert not goes_round(new) and not goes_round(separator.join([*named, half]))
    assert not goes_round(separator.join([*named, *named, "A b produces something"]))
