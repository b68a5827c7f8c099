"""What a text says before any model is asked: tokens, lists, organisms, sentences."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from abroad.extraction.builtin.token_features import token_features
from abroad.text.expand import Expansion, expand_lists, expand_shared_heads
from abroad.text.organisms import OrganismMention, find_organisms
from abroad.text.tokens import Token, tokenise

_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, which no UTF-8 holds
LONGEST_TEXT = 100_000
"""Characters that are read; an abstract has 2,000."""


@dataclass(frozen=True)
class Reading:
    """One text, read.

    Attributes:
        text: title, one space, abstract; cut at LONGEST_TEXT.
        title_end: offset where the title ends.
    """

    text: str
    title_end: int
    tokens: Sequence[Token]
    expansions: Sequence[Expansion]
    organisms: Sequence[OrganismMention]

    @cached_property
    def features(self) -> list[list[str]]:
        """Of each token, for a sequence tagger."""
        return token_features(self.tokens, self.title_end, self.expansions, self.organisms)

    @cached_property
    def _ends(self) -> list[int]:
        return [token.end for token in self.tokens]

    @cached_property
    def sentences(self) -> dict[int, tuple[int, int]]:
        """Number of each sentence -> its offsets."""
        bounds: dict[int, tuple[int, int]] = {}
        for token in self.tokens:
            bounds[token.sentence] = (bounds.get(token.sentence, (token.start, 0))[0], token.end)
        return bounds

    def sentence_at(self, position: int) -> int:
        """Number of the sentence that holds an offset."""
        place = bisect_right(self._ends, position)
        return self.tokens[min(place, len(self.tokens) - 1)].sentence if self.tokens else 0

    def tokens_in(self, start: int, end: int) -> tuple[int, int]:
        """Indices (first, one past the last) of the tokens that a stretch touches."""
        first = bisect_right(self._ends, start)
        last = first
        while last < len(self.tokens) and self.tokens[last].start < end:
            last += 1
        return first, last


def read_text(text: str, title_end: int = 0) -> Reading:
    """Read a text; time grows with its length."""
    text = _SURROGATE.sub("\ufffd", text[:LONGEST_TEXT])
    lists = expand_lists(text)
    shared = [e for e in expand_shared_heads(text) if all(e.end <= o.start or e.start >= o.end for o in lists)]
    return Reading(text, title_end, tokenise(text), [*lists, *shared], find_organisms(text))
