"""Spellings and thoughts that were not at hand when their rules were written."""

import pytest

from abroad.extraction.fewshot.thoughts import without_thoughts
from abroad.text.evidence import spelling_in


@pytest.mark.parametrize(
    ("text", "label", "spelt"),
    [
        ("Δ9-THC and δ-tocopherol", "delta-tocopherol", "δ-tocopherol"),
        ("γ-oryzanol was found", "Gamma-oryzanol", "γ-oryzanol"),
        ("ω-3 fatty acids", "omega-3 fatty acids", "ω-3 fatty acids"),
        ("stigmast-5-en-3β-ol", "stigmast-5-en-3beta-ol", "stigmast-5-en-3β-ol"),
        ("tau-cadinol", "τ-cadinol", "tau-cadinol"),
        ("α,β-amyrin", "alpha,beta-amyrin", "α,β-amyrin"),
        ("alphaxalone only", "αxalone", None),
        ("Psidium guajava", "ψdium guajava", None),
        ("epilupeol", "εlupeol", None),
    ],
)
def test_greek_letters_and_their_names_are_one(text, label, spelt):
    assert spelling_in(text, label) == spelt


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("<scratchpad>x</scratchpad>\nA produces B", "A produces B"),
        ("[REFLECT]x[/REFLECT]\nnone", "none"),
        ("reasons </analysis>\nA produces B", "A produces B"),
        ("<analysis a='1'>x</analysis><final>A produces B</final>", "A produces B"),
        ("<i>Usnea</i> produces B", "<i>Usnea</i> produces B"),
        ("<plan>never ends", ""),
    ],
)
def test_thoughts_are_known_by_their_form(answer, left):
    assert (without_thoughts(answer) or "").strip() == left
