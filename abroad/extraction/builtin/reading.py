"""What a text says before any model is asked: tokens, lists, organisms, sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from abroad.text.expand import Expansion, expand_lists, expand_shared_heads
from abroad.text.normalise import NormalisedText, normalise
from abroad.text.organisms import OrganismMention, find_organisms
from abroad.text.tokens import Token, sentence_bounds, tokenise, tokens_in

LONGEST_TEXT = 100_000
"""Characters that are read; an abstract has 2,000."""


@dataclass(frozen=True)
class Reading:
    """One text, read. All offsets count in `text`; `original_span` says where that is in what was given.

    Attributes:
        given: the text before it was normalised, cut at LONGEST_TEXT.
        text: title, one space, abstract, without markup and invisible characters; labels are read from it.
        folded: the same characters in plain form (dashes, primes, digits), for what looks at them.
        title_end: offset where the title ends.
    """

    given: str
    normalised: NormalisedText
    tokens: Sequence[Token]
    expansions: Sequence[Expansion]
    organisms: Sequence[OrganismMention]

    @property
    def text(self) -> str:
        return self.normalised.text

    @property
    def folded(self) -> str:
        return self.normalised.folded

    @property
    def title_end(self) -> int:
        return self.normalised.title_end

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the text as it was given."""
        return self.normalised.original_span(start, end)

    @cached_property
    def sentences(self) -> dict[int, tuple[int, int]]:
        """Number of each sentence -> its offsets."""
        return sentence_bounds(self.tokens)

    def sentence_at(self, position: int) -> int:
        """Number of the sentence that holds an offset."""
        place = min(self.tokens_in(position, position)[0], len(self.tokens) - 1)
        return self.tokens[place].sentence if self.tokens else 0

    def tokens_in(self, start: int, end: int) -> tuple[int, int]:
        """Indices (first, one past the last) of the tokens that a stretch touches."""
        return tokens_in(self.tokens, start, end)


def read_text(text: str, title_end: int = 0) -> Reading:
    """Read a text; time grows with its length."""
    given = text[:LONGEST_TEXT]
    normalised = normalise(given, min(title_end, len(given)))
    clean = normalised.text
    lists = expand_lists(clean)
    shared = [e for e in expand_shared_heads(clean) if all(e.end <= o.start or e.start >= o.end for o in lists)]
    return Reading(
        given, normalised, tokenise(normalised.folded, normalised.title_end), [*lists, *shared], find_organisms(clean)
    )
