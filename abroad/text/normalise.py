"""Clean text for a reader, with the way back: every span of it is a span of the original.

`abroad.text.markup` takes out markup, entities and what shows nothing, and `abroad.text.characters` says what
single characters become. Text that was read in a wrong encoding ("Î²" for "β") is left as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from abroad.text.characters import fold
from abroad.text.markup import MarkupReader, is_clean

_MAX_PASSES = 4  # what is taken out may bring markup to light; a second pass hardly ever finds any


@dataclass(frozen=True)
class NormalisedText:
    """A text without markup, odd spaces and invisible characters.

    Attributes:
        text: what labels are read from; runs of spaces are one space.
        folded: as long as `text`, with variants of a character made one: what a reader compares.
        title_end: offset in `text` where the title ends.
    """

    text: str
    folded: str
    title_end: int
    _starts: NDArray[np.int32] = field(repr=False, compare=False)
    _ends: NDArray[np.int32] = field(repr=False, compare=False)

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """The smallest span of the original that covers a span of `text` (code points, end exclusive)."""
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(f"expected a span within {len(self.text)} characters, found {start} to {end}")
        if start < end:
            return int(self._starts[start]), int(self._ends[end - 1])
        place = int(self._ends[start - 1]) if start else 0
        return place, place


def normalise(text: str, title_end: int = 0) -> NormalisedText:
    """Clean a text; time grows with its length, whatever it holds.

    Args:
        title_end: where the title ends; no markup goes on from the title into the abstract.
    """
    clean = _normalise_once(text, title_end)
    for _ in range(_MAX_PASSES):
        again = _normalise_once(clean.text, clean.title_end)
        if again.text == clean.text:
            break
        starts, ends = clean._starts[again._starts], clean._ends[again._ends - 1]
        clean = NormalisedText(again.text, again.folded, again.title_end, starts, ends)
    return clean


def _normalise_once(text: str, title_end: int) -> NormalisedText:
    if is_clean(text):
        starts = np.arange(len(text) + 1, dtype=np.int32)
        return NormalisedText(text, fold(text), title_end, starts[:-1], starts[1:])
    title, body = MarkupReader(), MarkupReader()
    title.feed(text[:title_end])
    body.feed(text[title_end:], title_end)
    before, after = title.finish(), body.finish()
    if before.endswith(" ") and after.startswith(" "):
        before = before[:-1]
        body.starts[0] = title.starts.pop()
        title.ends.pop()
    clean = before + after
    return NormalisedText(
        clean,
        fold(clean),
        len(before.rstrip()),
        np.array(title.starts + body.starts, dtype=np.int32),
        np.array(title.ends + body.ends, dtype=np.int32),
    )
