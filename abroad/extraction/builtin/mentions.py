"""The tagger that documents of one's own teach: a conditional random field that sees what the encoder says.

The encoder knows the names and roles of its own field; a few curated documents of another
kind correct it in seconds, on any machine: python-crfsuite trains on a hundred documents
in seconds and is maintained (0.9.12, 2026). Its files hold numbers and strings only.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from abroad.extraction.builtin.encoder import TextScores
from abroad.extraction.builtin.reading import Reading
from abroad.extraction.builtin.token_features import token_features

_C1, _C2, _ITERATIONS = 0.02, 0.1, 80


class Tagger(Protocol):
    """Says of a text what its tokens name."""

    def tag(self, reading: Reading) -> TextScores: ...


class AdaptedTagger:
    """The encoder, corrected on documents of one's own.

    Args:
        base: the encoder.
        model: contents of a CRFsuite file.
    """

    def __init__(self, base: Tagger, model: bytes) -> None:
        self.base, self.model = base, model
        self._tagger = _open(model)

    def tag(self, reading: Reading) -> TextScores:
        return self.correct(reading, self.base.tag(reading))

    def correct(self, reading: Reading, scores: TextScores) -> TextScores:
        """The encoder's scores with probabilities of chemicals that the own documents taught."""
        if not reading.tokens:
            return scores
        self._tagger.set(token_features(reading, scores))
        known = self._tagger.labels()  # a handful of documents may hold no name of several words
        chemical = np.zeros((len(reading.tokens), 3))
        for column, tag in enumerate("OBI"):
            if tag in known:
                chemical[:, column] = [self._tagger.marginal(tag, place) for place in range(len(reading.tokens))]
        return replace(scores, chemical=chemical)

    @classmethod
    def train(cls, base: Tagger, documents: Iterable[tuple[Reading, TextScores, Sequence[str]]]) -> AdaptedTagger:
        """Learn from readings, what the encoder says of them, and their tags B/I/O.

        Source: Lafferty, McCallum and Pereira, ICML 2001; fitted with L1 and L2 penalties.
        """
        import pycrfsuite

        trainer = pycrfsuite.Trainer(verbose=False)
        for reading, scores, tags in documents:
            trainer.append(token_features(reading, scores), tags)
        trainer.set_params({"c1": _C1, "c2": _C2, "max_iterations": _ITERATIONS, "feature.possible_transitions": True})
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.crf"
            trainer.train(str(path))
            return cls(base, path.read_bytes())


def _open(model: bytes) -> Any:
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open_inmemory(model)
    return tagger
