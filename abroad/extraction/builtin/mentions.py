"""Chemicals that a document reports, as probabilities of its tokens, by two conditional random fields.

The first knows names of chemicals in biomedical text at large; the second, trained on
documents with relations, tells the products from solvents, controls and precursors, and
sees what the first says. CRFsuite files hold numbers and strings only: no code is loaded.

python-crfsuite was chosen since it tags 100 abstracts a second on one core, trains in
seconds on a hundred documents, and is maintained (0.9.12, 2026); a transformer of 22 M
weights needs 90 MB and reads 10 a second.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from abroad.extraction.builtin.reading import Reading
from abroad.extraction.builtin.token_features import name_features
from abroad.text.tokens import Token

_LEVELS = (0.02, 0.1, 0.3, 0.7)
_NEAR = (-2, -1, 1, 2)


@dataclass(frozen=True)
class TokenScores:
    """Probabilities of each token, arrays of one length.

    Attributes:
        begin, inside: that it begins or goes on with the name of a reported chemical.
        general: that it is part of any chemical's name.
        best: "B", "I" or "O", of the most probable reading of the whole text.
    """

    begin: np.ndarray
    inside: np.ndarray
    general: np.ndarray
    best: Sequence[str]

    @property
    def either(self) -> np.ndarray:
        return self.begin + self.inside


class NameTagger:
    """Names of chemicals at large, sentence by sentence.

    Args:
        model: contents of a CRFsuite file.
    """

    def __init__(self, model: bytes) -> None:
        self.model = model
        self._tagger = _open(model)

    def tag(self, tokens: Sequence[Token]) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (part of a name, begins a name) of each token."""
        part, begins = np.zeros(len(tokens)), np.zeros(len(tokens))
        first = 0
        while first < len(tokens):
            last = first
            while last < len(tokens) and tokens[last].sentence == tokens[first].sentence:
                last += 1
            self._tagger.set(name_features([token.text for token in tokens[first:last]]))
            for place in range(first, last):
                begins[place] = self._tagger.marginal("B", place - first)
                part[place] = 1 - self._tagger.marginal("O", place - first)
            first = last
        return part, begins

    @staticmethod
    def train(sentences: Iterable[tuple[Sequence[str], Sequence[str]]], iterations: int = 60) -> bytes:
        """A model from (tokens, their tags B/I/O)."""
        rows = ((name_features(words), tags) for words, tags in sentences)
        return train_crf(rows, c1=1.0, c2=0.01, iterations=iterations)


class ProductTagger:
    """Chemicals that the document reports of an organism.

    Args:
        names: says what is a chemical at all.
        model: contents of a CRFsuite file.
    """

    def __init__(self, names: NameTagger, model: bytes) -> None:
        self.names, self.model = names, model
        self._tagger = _open(model)

    def tag(self, reading: Reading) -> TokenScores:
        if not reading.tokens:
            empty = np.zeros(0)
            return TokenScores(empty, empty, empty, [])
        features, general = self.features(self.names, reading)
        self._tagger.set(features)
        best = self._tagger.tag()
        begin, inside = (self._marginals(label, len(features)) for label in "BI")
        return TokenScores(begin, inside, general, best)

    def _marginals(self, label: str, count: int) -> np.ndarray:
        if label not in self._tagger.labels():  # a handful of documents may hold no name of several words
            return np.zeros(count)
        return np.array([self._tagger.marginal(label, place) for place in range(count)])

    @staticmethod
    def features(names: NameTagger, reading: Reading) -> tuple[list[list[str]], np.ndarray]:
        """(features of each token, probability of each to be part of a chemical's name)."""
        general, begins = names.tag(reading.tokens)
        levels = np.searchsorted(_LEVELS, general)
        rows = []
        for place, own in enumerate(reading.features):
            row = [*own, f"name={levels[place]}"]
            if begins[place] > 0.5:
                row.append("name begins")
            row += [f"{step}:name={levels[place + step]}" for step in _NEAR if 0 <= place + step < len(levels)]
            rows.append(row)
        return rows, general

    @classmethod
    def train(
        cls, names: NameTagger, documents: Iterable[tuple[Reading, Sequence[str]]], iterations: int = 80
    ) -> ProductTagger:
        """Learn from readings and their tags B/I/O."""
        rows = ((cls.features(names, reading)[0], tags) for reading, tags in documents)
        return cls(names, train_crf(rows, c1=0.02, c2=0.1, iterations=iterations))


def train_crf(
    rows: Iterable[tuple[Sequence[Sequence[str]], Sequence[str]]], c1: float, c2: float, iterations: int
) -> bytes:
    """A linear-chain CRF (Lafferty et al., ICML 2001), fitted with L1 and L2 penalties; the file's contents."""
    import pycrfsuite

    trainer = pycrfsuite.Trainer(verbose=False)
    for features, tags in rows:
        trainer.append(features, tags)
    trainer.set_params({"c1": c1, "c2": c2, "max_iterations": iterations, "feature.possible_transitions": True})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.crf"
        trainer.train(str(path))
        return path.read_bytes()


def _open(model: bytes) -> Any:
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open_inmemory(model)
    return tagger
