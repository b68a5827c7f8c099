"""What the encoder sees of a text: word pieces, and the shape of the token that each belongs to.

The word pieces are lower case, so the shape tells what they leave out: capitals, and
whether white space stands before the token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.text.tokens import Token

SHAPES = 18
"""Number of shape ids; 0 is of the two marks at the ends of a text."""

_OVERLAP = 96  # pieces that two windows share
_LONGEST = 6  # pieces of one token that are read; the rest of a longer one says little


@dataclass(frozen=True)
class Window:
    """A stretch of a text that the encoder reads at once.

    Attributes:
        pieces: int64 array of shape (n,), with the marks at both ends.
        shapes: int64 array of the same shape.
        first: token number of the first token.
        heads: position of the first piece of each token, shape (tokens,).
    """

    pieces: np.ndarray
    shapes: np.ndarray
    first: int
    heads: np.ndarray


class PieceReader:
    """Tokens to windows of word pieces.

    Args:
        vocabulary: a `tokenizer.json` of the library tokenizers, of a BERT model.
        longest: pieces of a window.
    Raises:
        InputError: the file is missing or damaged.
    """

    def __init__(self, vocabulary: Path | str, longest: int = 512) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer: Any = Tokenizer.from_file(str(vocabulary))
        except Exception as error:  # the library knows no other
            raise InputError(f"{vocabulary}: damaged or cut off ({error}); install abroad again") from None
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._longest = longest
        self._start, self._end, self._unknown = (self._mark(mark) for mark in ("[CLS]", "[SEP]", "[UNK]"))
        self._cache: dict[str, tuple[int, ...]] = {}

    def _mark(self, mark: str) -> int:
        number: int = self._tokenizer.token_to_id(mark)
        return number

    def windows(self, tokens: Sequence[Token], folded: str) -> Iterator[Window]:
        """Read the tokens; consecutive windows overlap, a text that fits is one window.

        Args:
            folded: the text that the tokens' offsets count in, its characters folded for the reader.
        """
        pieces = self._pieces([folded[token.start : token.end] for token in tokens])
        shapes = token_shapes(tokens)
        first = 0
        while first < len(tokens):
            size, last = 2, first
            while last < len(tokens) and size + len(pieces[last]) <= self._longest:
                size += len(pieces[last])
                last += 1
            yield self._window(pieces[first:last], shapes[first:last], first)
            if last == len(tokens):
                return
            back = 0
            while last > first + 1 and back < _OVERLAP:
                last -= 1
                back += len(pieces[last])
            first = last

    def _window(self, pieces: Sequence[tuple[int, ...]], shapes: Sequence[int], first: int) -> Window:
        lengths = np.array([len(own) for own in pieces], dtype=np.int64)
        heads = 1 + np.concatenate([[0], np.cumsum(lengths)[:-1]])
        flat = [self._start, *(piece for own in pieces for piece in own), self._end]
        return Window(
            np.array(flat, dtype=np.int64),
            np.concatenate([[0], np.repeat(np.array(shapes, dtype=np.int64), lengths), [0]]),
            first,
            heads.astype(np.int64),
        )

    def _pieces(self, words: Sequence[str]) -> list[tuple[int, ...]]:
        unseen = list({word for word in words if word not in self._cache})
        if len(self._cache) > 200_000:
            self._cache.clear()
            unseen = list(set(words))
        if unseen:
            encodings = self._tokenizer.encode_batch(
                [[word] for word in unseen], is_pretokenized=True, add_special_tokens=False
            )
            for word, encoding in zip(unseen, encodings, strict=True):
                ids: list[int] = encoding.ids[:_LONGEST]
                self._cache[word] = tuple(ids) or (self._unknown,)
        return [self._cache[word] for word in words]


def token_shapes(tokens: Sequence[Token]) -> list[int]:
    """1 to 17: the kind of each token, with or without white space before it."""
    shapes, end = [], -1
    for token in tokens:
        shapes.append(1 + 2 * _kind(token.text) + (token.start > end))
        end = token.end
    return shapes


def _kind(text: str) -> int:
    if text.isdigit():
        return 4
    if text.isalpha():
        if text.islower():
            return 0
        if text.isupper():
            return 2 if len(text) == 1 else 3
        return 1 if text[1:].islower() else 5
    return 6 if text.isalnum() else 7
