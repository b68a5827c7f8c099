"""Cut text into tokens and sentences that respect chemical names.

A name such as "(+)-(3R,4S)-4-hydroxymellein" is one token; brackets and punctuation
around a word are tokens of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PAIRS = {"(": ")", "[": "]", "{": "}"}
_CLOSING = {closing: opening for opening, closing in _PAIRS.items()}
_TRAILING = ".,;:!?\"”'’"
_LEADING = "\"“'‘="
_LONGEST_NAME = 500
# Locants in an open bracket or before more of them, a space after the comma, and the rest of the name.
_LOCANT = r"\d{1,2}(?:[\d'′\"RSEZrsαβ*]|\(\*\)){0,8}"
_BROKEN_NAME = re.compile(
    rf"(?<!\S)(?:\([+±−-]{{1,3}}\)-)?[(\[]{{0,2}}{_LOCANT}(?:,{_LOCANT}){{0,8}}"
    rf"(?:, {_LOCANT}(?:,{_LOCANT}){{0,8}}){{1,8}}[)\]]{{0,2}}-[^\s,;]*[a-z]{{4}}\S*"
    r"|(?<!\S)\d{1,2}(?:,\d{1,2}){0,4}-(?:di-|tri-)? [CNOS]-[a-z]{3}\S*"
    r"|(?<!\S)[\w,-]{1,80}ic \([\w:]{1,12}\) acid\b"
    r"|(?<!\S)\[(?:[DL]-)?[A-Z][a-z]{2}\(?\d{0,2}\)?\] [^\s,;]*[a-z]{4}[^\s,;]*"
)
_NAMES_TOUCH = re.compile(r"[a-z]{3}[,;](?=\S{0,12}[^\W\d]{3})")
_ABBREVIATED = re.compile(r"(?:[A-Z]|sp|spp|subsp|var|cf|e\.g|i\.e|al|ca|no|nov|resp|vs|Fig|approx|f|ssp|St)\.?")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of text; offsets in code points, end exclusive; `sentence` counts from 0."""

    text: str
    start: int
    end: int
    sentence: int


def tokenise(text: str) -> list[Token]:
    """The tokens of a text, in order; white space belongs to none. Time is linear in the text."""
    tokens: list[Token] = []
    sentence = 0
    for start, end in _words(text):
        if end - start > _LONGEST_NAME:
            pieces = [(text[start:end], start)]
        else:
            pieces = [piece for part, at in _enumerated(text[start:end], start) for piece in _peel(part, at)]
        for piece, at in pieces:
            tokens.append(Token(piece, at, at + len(piece), sentence))
        if _ends_sentence(pieces, text, end):
            sentence += 1
    return tokens


def sentences(text: str) -> list[tuple[int, int]]:
    """Offsets (code points, end exclusive) of the sentences, in order."""
    spans: dict[int, list[int]] = {}
    for token in tokenise(text):
        spans.setdefault(token.sentence, [token.start, token.end])[1] = token.end
    return [(start, end) for start, end in spans.values()]


def _words(text: str) -> Iterator[tuple[int, int]]:
    """Stretches without white space, and names that records break: "3', 4', 5, 7-tetra...", "(1R, 10R)-cadin..."."""
    position = 0
    for match in _BROKEN_NAME.finditer(text):
        yield from (word.span() for word in re.compile(r"\S+").finditer(text, position, match.start()))
        yield match.span()
        position = match.end()
    yield from (word.span() for word in re.compile(r"\S+").finditer(text, position))


def _enumerated(word: str, start: int) -> Iterator[tuple[str, int]]:
    """Split names that stand without a space between them: "elemene,β-caryophyllene"."""
    depth = begin = 0
    for place, character in enumerate(word):
        depth += (character in _PAIRS) - (character in _CLOSING)
        if character in ",;" and depth <= 0 and _NAMES_TOUCH.match(word, max(0, place - 3)):
            yield word[begin : place + 1], start + begin
            begin = place + 1
    yield word[begin:], start + begin


def _peel(word: str, start: int) -> list[tuple[str, int]]:
    """Split brackets and punctuation off both ends of a word, as long as they enclose or end it."""
    before: list[tuple[str, int]] = []
    after: list[tuple[str, int]] = []
    while len(word) > 1:
        end = start + len(word)
        if word[-1] in _TRAILING and not (word[-1] in "'’\"" and word[-2].isdigit()):
            if word[-1] == "." and re.fullmatch(r"(?:[A-Z]|sp|spp|subsp|var|cf|ssp)\.", word):
                break
            after.insert(0, (word[-1], end - 1))
            word = word[:-1]
        elif word[0] in _LEADING or (word[0] in _PAIRS and _partner(word) in (None, len(word) - 1)):
            before.append((word[0], start))
            word, start = word[1:], start + 1
        elif word[-1] in _CLOSING and word.count(word[-1]) > word.count(_CLOSING[word[-1]]):
            after.insert(0, (word[-1], end - 1))
            word = word[:-1]
        else:
            break
    return [*before, (word, start), *after]


def _partner(word: str) -> int | None:
    """Where the bracket that opens the word closes; None if it does not."""
    depth = 0
    for place, character in enumerate(word):
        depth += (character == word[0]) - (character == _PAIRS[word[0]])
        if depth == 0:
            return place
    return None


def _ends_sentence(pieces: list[tuple[str, int]], text: str, end: int) -> bool:
    last = pieces[-1][0]
    if last not in (".", "!", "?") or len(pieces) < 2:
        return False
    if _ABBREVIATED.fullmatch(pieces[-2][0]) and last == ".":
        return False
    following = text[end : end + 3].lstrip()
    return not following or not following[0].islower()
