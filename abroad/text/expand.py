"""Resolve what authors contract: lists and ranges of congeners, and names that share a part.

"gloeophyllins A-C (1-3)" gives gloeophyllin A, gloeophyllin B, gloeophyllin C, each with the span it comes from and
the rule; "3- and 4-hydroxymellein" gives both. No model is needed. Whether a stretch names chemicals at all is for the
reader of the text to judge: what reads like a list is expanded, but for ordinary words.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from abroad.text.congeners import congeners
from abroad.text.expansion import Expansion, singular
from abroad.text.hanging import hanging
from abroad.text.shared_heads import shared_heads
from abroad.text.suffix_ranges import MAX_LABELS

__all__ = [
    "MAX_LABELS",
    "Expansion",
    "expand_lists",
    "expand_phrase",
    "expand_shared_heads",
    "singular",
    "without_numbering",
]

LONGEST_PHRASE = 2_000  # characters of one list; a longer one is not a list of names
_NUMBERING = re.compile(r"(?:^|(?<!\s)\s+)\(\s*\d+[a-z]?(?:\s*[-–—,]+\s*\d+[a-z]?)*\s*\)")


def expand_lists(text: str) -> list[Expansion]:
    """Every list or range of congeners in a text, in order; each stretch once.

    Time and memory grow with the length of the text, not with the ranges in it.
    """
    shared = [(expansion.start, expansion.end) for expansion in hanging(text)]
    # "(+)- and (-)-cochlearols A and B" is a list of the shared head's, which begins before.
    return [e for e in congeners(text) if not _begins_within(e.start, shared)]


def _begins_within(place: int, stretches: list[tuple[int, int]]) -> bool:
    before = bisect_right(stretches, place, key=lambda stretch: stretch[0]) - 1
    return before >= 0 and place < stretches[before][1]


def expand_shared_heads(text: str) -> list[Expansion]:
    """Names that share a part: "3- and 4-hydroxymellein", "methyl and ethyl gallate", "caffeic and ferulic acids"."""
    return list(shared_heads(text))


def expand_phrase(phrase: str) -> list[str]:
    """The labels a phrase stands for as a whole; the phrase itself if it is no list.

    For the output of any model: "gloeophyllins A-C" -> three labels, "genistein" -> itself.
    """
    phrase = phrase.strip()
    if len(phrase) > LONGEST_PHRASE:
        return [phrase]
    for expansion in (*expand_lists(phrase), *expand_shared_heads(phrase)):
        if expansion.start == 0 and not without_numbering(phrase[expansion.end :]).strip(" .,;"):
            return list(expansion.labels)
    return [phrase]


def without_numbering(text: str) -> str:
    """The text without the numbers of compounds: "usnic acid (1)" -> "usnic acid"."""
    return _NUMBERING.sub("", text)
