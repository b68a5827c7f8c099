"""Taggers of reported chemicals and their producers, built of an encoder and a conditional random field.

The encoder reads a whole text, in small letters and word pieces; a conditional random
field reads the neighbourhood of each token with its capitals, endings and lists. They err
in different places, so the built-in tagger takes a mean of the two. A few curated
documents of another kind teach a further field, which sees what the built-in tagger says:
in seconds, on any machine.

python-crfsuite was chosen since it reads 200 abstracts a second on one core, trains in
seconds on a hundred documents, and is maintained (0.9.12, 2026). Its files hold numbers
and strings only: no code is loaded.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from abroad.core.errors import InputError
from abroad.extraction.builtin.encoder import WIDTH, TextScores
from abroad.extraction.builtin.reading import Reading
from abroad.extraction.builtin.token_features import token_features

Tags = Sequence[str]
_HEADER = struct.Struct("<4sI4sIIII5I")


class Tagger(Protocol):
    """Says of a text what its tokens name."""

    def tag(self, reading: Reading) -> TextScores: ...


class TokenField:
    """A linear-chain conditional random field over names of chemicals and of organisms, which exclude each other.

    Args:
        model: contents of a CRFsuite file.
    Raises:
        InputError: it is none, or cut off.
    Source: Lafferty, McCallum and Pereira, ICML 2001.
    """

    def __init__(self, model: bytes) -> None:
        import pycrfsuite

        if not is_whole(model):  # CRFsuite itself reads beyond the end, and the process dies
            raise InputError("a damaged or cut-off CRFsuite file; copy the extractor again, or train it again")
        self.model = model
        self._tagger: Any = pycrfsuite.Tagger()
        self._tagger.open_inmemory(model)
        self._known = frozenset(self._tagger.labels())

    def probabilities(self, features: Sequence[Sequence[str]]) -> tuple[np.ndarray, np.ndarray]:
        """Of O, B and I for each token, shape (tokens, 3), as chemical and as organism; a tag never seen has none."""
        count = len(features)
        self._tagger.set(features)
        found = np.zeros((2, count, 3))
        for side, mark in enumerate(_MARKS):
            for column, tag in ((1, "B"), (2, "I")):
                if (name := tag + mark) in self._known:
                    found[side, :, column] = [self._tagger.marginal(name, index) for index in range(count)]
        found[:, :, 0] = 1 - found[:, :, 1:].sum(axis=2)
        return found[0], found[1]

    @classmethod
    def train(
        cls,
        rows: Iterable[tuple[Sequence[Sequence[str]], Tags, Tags]],
        c1: float = 0.02,
        c2: float = 0.1,
        iterations: int = 80,
        least_count: int = 1,
    ) -> TokenField:
        """Fit to (features, tags as chemicals, tags as organisms) of texts, with L1 and L2 penalties c1 and c2.

        Args:
            least_count: features that come less often are left out.
        """
        import pycrfsuite

        trainer = pycrfsuite.Trainer(verbose=False)
        for features, *sides in rows:
            trainer.append(features, [_one_tag(*tags) for tags in zip(*sides, strict=True)])
        trainer.set_params({"c1": c1, "c2": c2, "max_iterations": iterations, "feature.minfreq": least_count})
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.crf"
            trainer.train(str(path))
            return cls(path.read_bytes())


def is_whole(model: bytes) -> bool:
    """Whether a CRFsuite file has the size and the parts that its header names.

    The header: magic, size, type, version, three counts, and the offsets of five parts.
    """
    if len(model) < _HEADER.size:
        return False
    magic, size, kind, _version, _features, _labels, _attributes, *offsets = _HEADER.unpack_from(model)
    return magic == b"lCRF" and kind == b"FOMC" and size == len(model) and all(offset < size for offset in offsets)


_MARKS = ("-chemical", "-organism")


def _one_tag(*sides: str) -> str:
    return next((tag + mark for tag, mark in zip(sides, _MARKS, strict=True) if tag != "O"), "O")


CHEMICAL_SHARE, ORGANISM_SHARE = 0.75, 0.6
"""Of the encoder in the mean; chosen among four pairs of shares on the validation documents."""


class MeanTagger:
    """The encoder's scores, with the tags' probabilities a weighted mean of its own and those of a field."""

    def __init__(self, encoder: Tagger, field: TokenField) -> None:
        self.encoder, self.field = encoder, field

    def tag(self, reading: Reading) -> TextScores:
        scores = self.encoder.tag(reading)
        if not reading.tokens:
            return scores
        chemical, organism = self.field.probabilities(token_features(reading))
        return replace(
            scores,
            chemical=_mean(scores.chemical, chemical, CHEMICAL_SHARE),
            organism=_mean(scores.organism, organism, ORGANISM_SHARE),
        )


def _mean(encoder: np.ndarray, field: np.ndarray, share: float) -> np.ndarray:
    return share * encoder + (1 - share) * field


class AdaptedTagger:
    """Another tagger, corrected on documents of one's own.

    Args:
        base: the tagger that is corrected.
        field: sees what the base says, and says which tokens name chemicals and producers.
    """

    def __init__(self, base: Tagger, field: TokenField) -> None:
        self.base, self.field = base, field

    def tag(self, reading: Reading) -> TextScores:
        return self.correct(reading, self.base.tag(reading))

    def correct(self, reading: Reading, scores: TextScores) -> TextScores:
        """The base's scores with the probabilities of tags that the own documents taught."""
        if not reading.tokens:
            return scores
        chemical, organism = self.field.probabilities(token_features(reading, scores))
        return replace(scores, chemical=chemical, organism=organism)

    @classmethod
    def train(cls, base: Tagger, documents: Iterable[tuple[Reading, TextScores, Tags, Tags]]) -> AdaptedTagger:
        """Learn from readings, what the base says of them, and the tags O, B, I of chemicals and of organisms."""
        rows = (
            (token_features(reading, scores), chemicals, organisms)
            for reading, scores, chemicals, organisms in documents
        )
        return cls(base, TokenField.train(rows))


class NoTagger:
    """Knows nothing: what is adapted from it has learnt all that it knows from its documents."""

    def tag(self, reading: Reading) -> TextScores:
        count = len(reading.tokens)
        outside, sides = np.tile((1.0, 0.0, 0.0), (count, 1)), np.zeros((count, WIDTH))
        return TextScores(outside, outside, sides, sides, 0.0)
