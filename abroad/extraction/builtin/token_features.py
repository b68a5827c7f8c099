"""What a conditional random field sees of each token: form, place, neighbours, and an encoder's opinion."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from abroad.extraction.builtin.encoder import TextScores
from abroad.extraction.builtin.pieces import token_shapes
from abroad.extraction.builtin.reading import Reading
from abroad.text.tokens import Token

_LEVELS = (0.02, 0.1, 0.3, 0.5, 0.7, 0.9)
_NEAR = (-2, -1, 1, 2)  # steps to the tokens and the words that are seen in their places
_FAR = 6  # tokens within which words count wherever they stand
_SHAPES = (("[A-Z]", "X"), ("[a-z]", "x"), (r"\d", "d"), ("[α-ω]", "g"))


def token_features(reading: Reading, scores: TextScores | None = None) -> list[list[str]]:
    """Feature names of each token, for a linear-chain CRF."""
    tokens = reading.tokens
    words = [reading.folded[token.start : token.end].lower() for token in tokens]
    kinds = token_shapes(tokens)
    spaced, number = spaced_words(reading.folded, tokens)
    listed = _marked(reading, [(e.start, e.end) for e in reading.expansions])
    organisms = _marked(reading, [(m.start, m.end) for m in reading.organisms])
    far = [word if len(word) > 2 and word.isalpha() else "" for word in words]
    result = []
    for index, token in enumerate(tokens):
        features = ["bias", *_own(token.text, words[index]), f"kind={kinds[index]}"]
        features.append(f"sentence={min(token.sentence, 6)}")
        if token.end <= reading.title_end:
            features.append("title")
        if index in listed:
            features.append(f"list={listed[index]}")
        if index in organisms:
            features.append(f"organism={organisms[index]}")
        for step in _NEAR:
            other = index + step
            if 0 <= other < len(words):
                features.append(f"{step}:w={words[other][:20]}")
                if abs(step) == 1:
                    features += (f"{step}:kind={kinds[other]}", f"{step}:end={words[other][-3:]}")
                if other in organisms:
                    features.append(f"{step}:organism")
                if other in listed:
                    features.append(f"{step}:list")
        for step in (0, *_NEAR):
            other = number[index] + step
            if 0 <= other < len(spaced):
                features.append(f"{step}:word={spaced[other][:25]}")
                if abs(step) <= 1:
                    features.append(f"{step}:tail={spaced[other][-4:]}")
        features += [f"before={word}" for word in far[max(0, index - _FAR) : index] if word]
        features += [f"after={word}" for word in far[index + 1 : index + 1 + _FAR] if word]
        result.append(features)
    if scores is not None:
        _add_opinions(result, scores)
    return result


def _add_opinions(rows: list[list[str]], scores: TextScores) -> None:
    columns = (scores.chemical[:, 1], scores.chemical[:, 2], 1 - scores.organism[:, 0])
    levels = [np.searchsorted(_LEVELS, column) for column in columns]
    for index, row in enumerate(rows):
        for step in (-1, 0, 1):
            if 0 <= index + step < len(rows):
                row += (f"{step}:{name}={level[index + step]}" for name, level in zip("BIO", levels, strict=True))


def spaced_words(text: str, tokens: Sequence[Token]) -> tuple[list[str], list[int]]:
    """(the words between white space, in small letters; of each token, which of them it stands in)."""
    spans: list[tuple[int, int]] = []
    number: list[int] = []
    for token in tokens:
        if spans and spans[-1][1] == token.start:
            spans[-1] = spans[-1][0], token.end
        else:
            spans.append((token.start, token.end))
        number.append(len(spans) - 1)
    return [text[start:end].lower() for start, end in spans], number


@lru_cache(maxsize=100_000)
def _own(text: str, word: str) -> tuple[str, ...]:
    return spelling(word, _form(text), 4)


def spelling(word: str, form: str, step: int) -> tuple[str, ...]:
    """Features of a word in lower case: itself, its form, its length in steps of letters, its ends and beginnings."""
    features = [f"w={word[:40]}", f"form={form}", f"length={min(len(word) // step, 8)}"]
    for size in (2, 3, 4, 5):
        if len(word) > size:
            features += (f"s{size}={word[-size:]}", f"p{size}={word[:size]}")
    return tuple(features)


def _form(word: str) -> str:
    """ "Gloeophyllin" -> "Xx"."""
    form = word[:60]
    for pattern, sign in _SHAPES:
        form = re.sub(pattern, sign, form)
    return re.sub(r"(.)\1+", r"\1", form)[:12]


def _marked(reading: Reading, spans: Sequence[tuple[int, int]]) -> dict[int, str]:
    """Number of each token in a span -> "B" for the first of it, "I" for others."""
    marks: dict[int, str] = {}
    for start, end in spans:
        first, last = reading.tokens_in(start, end)
        marks |= {index: "B" if index == first else "I" for index in range(first, last)}
    return marks
