"""What a tagger of one's own documents sees of each token: form, place, neighbours, the encoder's opinion."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from abroad.extraction.builtin.encoder import TextScores
from abroad.extraction.builtin.reading import Reading
from abroad.text.tokens import Token

_LEVELS = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9)
_WINDOW = (-3, -2, -1, 1, 2, 3)
_SHAPES = (("[A-Z]", "X"), ("[a-z]", "x"), (r"\d", "d"), ("[α-ω]", "g"))


def token_features(reading: Reading, scores: TextScores) -> list[list[str]]:
    """Feature names of each token, for a linear-chain CRF."""
    words = [token.text.lower() for token in reading.tokens]
    shapes = [_shape(token.text) for token in reading.tokens]
    spaced, number = spaced_words(reading.text, reading.tokens)
    marks = [
        np.searchsorted(_LEVELS, level)
        for level in (scores.chemical[:, 1], scores.chemical[:, 2], 1 - scores.organism[:, 0])
    ]
    listed = {
        place for expansion in reading.expansions for place in range(*reading.tokens_in(expansion.start, expansion.end))
    }
    result = []
    for place, token in enumerate(reading.tokens):
        features = ["bias", *_own(words[place], shapes[place]), f"sentence={min(token.sentence, 6)}"]
        features += (f"begins={marks[0][place]}", f"inside={marks[1][place]}", f"organism={marks[2][place]}")
        if token.end <= reading.title_end:
            features.append("title")
        if place in listed:
            features.append("list")
        if place and reading.tokens[place - 1].end < token.start:
            features.append("space")
        for step in _WINDOW:
            other = place + step
            if 0 <= other < len(words):
                features += (f"{step}:w={words[other][:20]}", f"{step}:begins={marks[0][other]}")
                features.append(f"{step}:inside={marks[1][other]}")
        for step in (-2, -1, 0, 1, 2):
            other = number[place] + step
            if 0 <= other < len(spaced):
                features += (f"{step}:word={spaced[other][:25]}", f"{step}:end={spaced[other][-4:]}")
        result.append(features)
    return result


def spaced_words(text: str, tokens: Sequence[Token]) -> tuple[list[str], list[int]]:
    """(the words between white space, in small letters; of each token, which of them it stands in)."""
    words: list[str] = []
    number: list[int] = []
    start = end = -1
    for token in tokens:
        if token.start != end:
            words.append("")
            start = token.start
        end = token.end
        words[-1] = text[start:end].lower()
        number.append(len(words) - 1)
    return words, number


def _own(word: str, shape: str) -> list[str]:
    features = [f"w={word[:40]}", f"shape={shape}", f"length={min(len(word) // 4, 8)}"]
    for size in (2, 3, 4):
        if len(word) > size:
            features += (f"s{size}={word[-size:]}", f"p{size}={word[:size]}")
    return features


def _shape(word: str) -> str:
    """ "Gloeophyllin" -> "Xx"."""
    shape = word[:60]
    for pattern, sign in _SHAPES:
        shape = re.sub(pattern, sign, shape)
    return re.sub(r"(.)\1+", r"\1", shape)[:12]
