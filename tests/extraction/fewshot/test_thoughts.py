"""Thoughts are told from answers by their form: whatever a model calls them, and if it comes to their end or not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.extraction.fewshot.answers import cut_relations
from abroad.extraction.fewshot.thoughts import without_thoughts

ANSWER = "Salvia pontica produces apigenin"
OTHER = "Usnea testalis produces usnic acid"


@pytest.mark.parametrize("name", ["think", "thinking", "Reasoning", "scratchpad", "seed:think", "my-thoughts"])
@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ("<{0}>\n{1}\nbut it was bought.\n</{0}>\nnone", "none"),
        ("<{0}>{1}</{0}>{2}", "{2}"),
        ("<{0}>\n\n</{0}>\n\n{2}", "{2}"),
        ("{1}? No.\n</{0}>\n\n{2}", "{2}"),  # the chat template wrote the opening tag
        ("<{0}>{1}, I would write </{0}> then</{0}>{2}", "{2}"),
        ('<{0} effort="low">{1}</{0}>\n<answer>\n{2}\n</answer>', "{2}"),
        ("<{0}>{1}</{0}><plan>{1}</plan>{2}", "{2}"),
        ("<{0}>\n{1}", None),
        ("<{0}>\n{1}\n</{0}>\n", None),
        ("{1}\n</{0}>", None),
    ],
)
def test_what_stands_before_the_end_of_thoughts_is_no_answer(name, answer, read):
    found = without_thoughts(answer.format(name, OTHER, ANSWER))
    assert (found if found is None else found.strip()) == (read if read is None else read.format(name, OTHER, ANSWER))
    expected = {None: None, "none": ""}.get(read, ANSWER)
    assert cut_relations(answer.format(name, OTHER, ANSWER)) == expected


def test_square_brackets_may_stand_for_tags_and_markup_of_the_text_is_no_thought():
    assert without_thoughts(f"[THINK]{OTHER}[/THINK]none") == "none" and without_thoughts(f"[THINK]{OTHER}") is None
    for plain in (ANSWER, f"<i>Salvia pontica</i> {ANSWER}", "<sub>2</sub>", "a < b > c", "[1] none", ""):
        assert without_thoughts(plain) == plain


@given(st.text(alphabet="<>/[]think TI\n", max_size=60))
def test_whatever_stands_there_is_read_or_not_and_ends_as_the_answer_does(text):
    found = without_thoughts(text)
    assert found is None or found in text
