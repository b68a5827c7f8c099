"""What a text says before any model is asked: tokens, lists, organisms, sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.text.expand import Expansion, expand_lists, expand_shared_heads
from abroad.text.normalise import NormalisedText, normalise
from abroad.text.organisms import OrganismMention, judged_organisms
from abroad.text.tokens import Token, sentence_bounds, tokenise, tokens_in

LONGEST_TEXT = 100_000
"""Characters of a text that is read; an abstract has 2,000. A longer one is refused, and not cut in silence."""
MAX_TOKENS = 40_000
"""Words and signs of a text that is read. So many characters of prose have 20,000; of signs alone they cost ten times
the time, and say nothing."""


class TextTooLong(InputError):
    """A text of more than LONGEST_TEXT characters or MAX_TOKENS tokens."""


@dataclass
class LeftOut:
    """What of a text was not looked at, since it names too much.

    Attributes:
        organisms: names beyond those that are.
        chemicals: names beyond those that are.
    """

    organisms: int = 0
    chemicals: int = 0


@dataclass(frozen=True)
class Reading:
    """One text, read. All offsets count in `text`; `original_span` says where that is in what was given.

    Attributes:
        given: the text before it was normalised.
        text: title, one space, abstract, without markup and invisible characters; labels are read from it.
        folded: the same characters in plain form (dashes, primes, digits), for what looks at them.
        title_end: offset where the title ends.
        doubted: words that might name an organism and are not believed to, as what `find_organisms` leaves out.
    """

    given: str
    normalised: NormalisedText
    tokens: Sequence[Token]
    expansions: Sequence[Expansion]
    organisms: Sequence[OrganismMention]
    doubted: Sequence[OrganismMention] = ()
    left_out: LeftOut = field(default_factory=LeftOut)

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
        index = min(self.tokens_in(position, position)[0], len(self.tokens) - 1)
        return self.tokens[index].sentence if self.tokens else 0

    def tokens_in(self, start: int, end: int) -> tuple[int, int]:
        """Indices (first, one past the last) of the tokens that a stretch touches."""
        return tokens_in(self.tokens, start, end)


def read_text(text: str, title_end: int = 0) -> Reading:
    """Read a text; time grows with its length.

    Raises:
        TextTooLong: it is longer than a text that we read.
    """
    if _size(text) > LONGEST_TEXT:
        raise TextTooLong(_too_long(text))
    normalised = normalise(text, title_end)
    tokens = tokenise(normalised.folded, normalised.title_end)
    if len(tokens) > MAX_TOKENS:
        raise TextTooLong(_too_many(len(tokens)))
    clean = normalised.text
    lists = expand_lists(clean)
    shared = [e for e in expand_shared_heads(clean) if all(e.end <= o.start or e.start >= o.end for o in lists)]
    return Reading(text, normalised, tokens, [*lists, *shared], *judged_organisms(clean))


def readable(documents: Iterable[Document], context: Context) -> list[Document]:
    """The documents whose texts can be read; those that are too long are set aside."""
    found = []
    for document in documents:
        reason = _refusal(document.text)
        if reason is not None:
            context.rejects.add(document.id, reason)
        else:
            found.append(document)
    return found


def _refusal(text: str) -> str | None:
    if _size(text) > LONGEST_TEXT:
        return _too_long(text)
    if len(text) > MAX_TOKENS and (count := len(tokenise(normalise(text).folded))) > MAX_TOKENS:
        return _too_many(count)
    return None


def _too_many(count: int) -> str:
    return f"the text has {count:,} words and signs; expected at most {MAX_TOKENS:,}: give its parts as documents"


def _size(text: str) -> int:
    """Characters without the white space around: a document without a title has a space before its text."""
    return len(text) if len(text) <= LONGEST_TEXT else len(text.strip())


def _too_long(text: str) -> str:
    return f"the text has {_size(text):,} characters; expected at most {LONGEST_TEXT:,}: give its parts as documents"
