"""Words that touch once the markup between them is gone: where a space is wanted, and where it is not.

The principle:

- Block elements (headings, paragraphs, list items, line breaks) always separate words, but nothing from a full stop.
- `sub`, `sup` and mathematics never do: "D<sub>3</sub>", "C<sub>17</sub>H<sub>20</sub>".
- Other inline elements separate where they hold words, not parts of one: several words, a capitalised word of
  four letters, or any word of six ("fungus<i>Penicillium griseofulvum</i>produced"). Locants, stereo descriptors and
  stems of genes are shorter ("<i>p</i>coumaric", "<i>tert</i>butyl", "<i>mec</i>A"). Nor is a lone letter outside the
  element a word of its own ("<i>Streptomycete</i>s"), unless case tells: "a<i>Penicillium</i>".
- Bold text that is no word is the label of a compound, which separates from words: "compounds<b>1</b>and<b>B2</b>".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_LONGEST_CONTENT = 60  # characters of an element that are looked at
_WORD = re.compile(r"[A-Z][a-z]{3}|[^\W\d_]{6}|[^\W\d_]{3}[.:;]$")
_CLOSING, _OPENING = frozenset(".,;:)]"), frozenset("([")
_BOLD = frozenset(("b", "bold", "strong"))
_LABEL = re.compile(r"[A-Z]?\d{1,3}[A-Za-z]?|[A-Z]")
_LOWER = re.compile(r"[a-z]{2}")
_SHORT_WORD = re.compile(r"[^\W\d_]{3}")


class Boundary(NamedTuple):
    """Where markup stood in a text.

    Attributes:
        place: offset of the character after it.
        what: "open", "close", or "block" for either end of a block element.
        name: of the element, without prefix, in lower case.
    """

    place: int
    what: str
    name: str


def separations(text: str, boundaries: Sequence[Boundary]) -> set[int]:
    """The places where a space is wanted."""
    places = {place for place, what, _ in boundaries if what == "block" and text[place : place + 1] not in _CLOSING}
    for begin, end, name in _inline_elements(text, boundaries):
        content = text[begin : min(end, begin + _LONGEST_CONTENT)]
        before, after = text[max(begin - 2, 0) : begin][::-1], text[end : end + 2]  # the nearest character first
        if _holds_words(content):
            places.update(
                place
                for place, outside in ((begin, before), (end, after))
                if _touch(text, place) and not _is_lone_letter(outside, text[max(place - 1, 0) : place + 1])
            )
        elif name in _BOLD and _LABEL.fullmatch(content):
            places.update(place for place, outside in ((begin, before), (end, after)) if _LOWER.fullmatch(outside))
    return {p for p in places if 0 < p < len(text) and text[p - 1] != " " and text[p] != " "}


def _inline_elements(text: str, boundaries: Sequence[Boundary]) -> Iterator[tuple[int, int, str]]:
    """Where each inline element begins and ends, and its name.

    One that is not closed ends at the next boundary; one that is not opened begins at the one before.
    """
    opened: dict[str, list[int]] = defaultdict(list)
    for number, (place, what, name) in enumerate(boundaries):
        if what == "open":
            opened[name].append(number)
        elif what == "close":
            if opened[name]:
                yield boundaries[opened[name].pop()].place, place, name
            else:
                yield boundaries[number - 1].place if number else 0, place, name
    for name, numbers in opened.items():
        for number in numbers:
            end = boundaries[number + 1].place if number + 1 < len(boundaries) else len(text)
            yield boundaries[number].place, end, name


def _holds_words(content: str) -> bool:
    if _WORD.search(content.strip()):
        return True
    return len(content.split()) > 1 and _SHORT_WORD.search(content) is not None


def _touch(text: str, place: int) -> bool:
    """Whether words, or a word and the punctuation of another, meet at a place."""
    left, right = text[place - 1 : place], text[place : place + 1]
    return (left.isalnum() or left in _CLOSING) and (right.isalnum() or right in _OPENING)


def _is_lone_letter(outside: str, across: str) -> bool:
    """Whether an element is followed, or preceded, by a lone letter, which is no word unless case tells.

    Args:
        outside: the characters outside the element, the nearest first.
        across: the characters on both sides of its boundary.
    """
    if not outside[:1].isalpha() or outside[1:].isalnum():
        return False
    return not (across[:1].islower() and across[1:].isupper())
