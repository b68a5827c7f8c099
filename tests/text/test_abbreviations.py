"""Schwartz and Hearst's algorithm."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.text.abbreviations import definitions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("heat shock transcription factor (HSTF)", {"HSTF": "heat shock transcription factor"}),  # from the paper
        ("the toxin saxitoxin (STX) and", {"STX": "saxitoxin"}),
        ("acetylcholinesterase (AChE) inhibitors", {"AChE": "acetylcholinesterase"}),
        ("usnic acid (1) and others (2)", {}),
        ("was high (Table 3)", {}),
        ("isolated (see above)", {}),
        ("tetrodotoxin (TTX, 1)", {"TTX": "tetrodotoxin"}),
        ("no such letters (QXZ)", {}),
    ],
)
def test_definitions(text, expected):
    assert definitions(text) == expected


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    for short, long in definitions(text).items():
        assert short in text and len(long) > len(short)
