"""Cut text into tokens and sentences.

Tokens are fine: runs of letters and digits, and every other character by itself. What
belongs together ("(+)-(3R,4S)-4-hydroxymellein") is not decided here but by a tagger that
has learnt it; a writing system without spaces is cut at every character.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

# Scripts that put no spaces between words (Thai to Khmer, Kana to CJK, Hangul), one character a token.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_]){{1,100}}|[^\s]")
# Abbreviations of nomenclature and of citations, a closed class: their full stop ends no sentence.
_ABBREVIATIONS = frozenset("sp spp subsp ssp var cf aff f gen nov e i g al ca resp vs fig st no approx".split())
_OPENING = frozenset("([{\"'“‘")
_CLOSING = frozenset(")]}\"'”’")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text; offsets in code points, end exclusive; `sentence` counts from 0."""

    text: str
    start: int
    end: int
    sentence: int


def tokenise(text: str, title_end: int = 0) -> list[Token]:
    """The tokens of a text, in order; white space belongs to none. Time is linear in the text.

    Args:
        title_end: offset where the title ends, and with it a sentence, whatever stands there.
    """
    spans = [match.span() for match in _TOKEN.finditer(text)]
    sentence, tokens = 0, []
    for index, (start, end) in enumerate(spans):
        tokens.append(Token(text[start:end], start, end, sentence))
        if index + 1 < len(spans) and (start < title_end <= spans[index + 1][0] or _ends_sentence(text, spans, index)):
            sentence += 1
    return tokens


def sentences(text: str, title_end: int = 0) -> list[tuple[int, int]]:
    """Offsets (code points, end exclusive) of the sentences, in order."""
    return list(sentence_bounds(tokenise(text, title_end)).values())


def sentence_bounds(tokens: Sequence[Token]) -> dict[int, tuple[int, int]]:
    """Number of each sentence -> its offsets (code points, end exclusive)."""
    bounds: dict[int, tuple[int, int]] = {}
    for token in tokens:
        bounds[token.sentence] = (bounds.get(token.sentence, (token.start, 0))[0], token.end)
    return bounds


def tokens_in(tokens: Sequence[Token], start: int, end: int) -> tuple[int, int]:
    """Indices (first, one past the last) of the tokens that a stretch touches."""
    first = bisect_right(tokens, start, key=lambda token: token.end)
    last = first
    while last < len(tokens) and tokens[last].start < end:
        last += 1
    return first, last


def _ends_sentence(text: str, spans: Sequence[tuple[int, int]], index: int) -> bool:
    """Whether a sentence ends with this token: a mark of its end, white space, and no small letter after it."""
    end = spans[index][1]
    mark = index
    while text[spans[mark][0]] in _CLOSING and mark > 0 and spans[mark - 1][1] == spans[mark][0]:
        mark -= 1
    if text[spans[mark][0]] not in ".!?" or not text[end : end + 1].isspace():
        return False
    following = spans[index + 1][0]
    while following < len(text) - 1 and text[following] in _OPENING:
        following += 1
    if text[following].islower():
        return False
    if mark == 0 or spans[mark - 1][1] != spans[mark][0]:
        return True
    return text[slice(*spans[mark - 1])].lower() not in _ABBREVIATIONS or text[spans[mark][0]] != "."
