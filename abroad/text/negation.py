"""Words that negate, a closed class of English: negative words, and what means "not have" or "not do".

Source: Huddleston and Pullum, The Cambridge Grammar of the English Language, 2002, chapter 9.
"""

from __future__ import annotations

_NEGATIVE_WORDS = "no not nor neither never none nothing cannot without"
_OF_NEGATIVE_MEANING = "lack lacks lacked lacking absent absence fail fails failed unable"
NEGATORS = frozenset(f"{_NEGATIVE_WORDS} {_OF_NEGATIVE_MEANING}".split())


def is_negator(word: str) -> bool:
    """Whether a word negates what it goes with, in any case."""
    lower = word.lower()
    return lower in NEGATORS or lower.endswith(("n't", "n’t"))
