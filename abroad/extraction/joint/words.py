"""The words around a pair of entities, and a linear model of them: which words say that two things are related."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum
from typing import Any

import numpy as np

from abroad.extraction.joint.features import MAX_SPANS
from abroad.extraction.joint.texts import Candidate, Entity, Text

_MAX_BETWEEN = 30  # tokens; what stands farther apart is hardly joined by the words between
_NEAR = 3  # tokens before the first and after the second mention
_MIN_COUNT = 3
_STRENGTH = 0.05  # scikit-learn's C


def pair_words(text: Text, entities: Sequence[Entity], candidates: Sequence[Candidate]) -> list[set[str]]:
    """Words of each candidate: between mentions, around them, in sentences that name both, and in the title.

    Words that are part of a name are left out: they would tell the names of the training texts, and not relations.
    """
    named = {index for entity in entities for first, last in entity.spans for index in range(first, last)}
    words = [
        "" if index in named or not any(map(str.isalnum, token.text)) else token.text.lower()[:30]
        for index, token in enumerate(text.tokens)
    ]
    of_sentences: dict[int, set[str]] = {}
    for word, token in zip(words, text.tokens, strict=True):
        if word:
            of_sentences.setdefault(token.sentence, set()).add(word)
    title = of_sentences.get(0, set())
    titles = {c.relation: {f"h{c.relation}:{word}" for word in title} for c in candidates}
    return [
        {f"{candidate.relation}:", *titles[candidate.relation], *_words(text, entities, candidate, words, of_sentences)}
        for candidate in candidates
    ]


def _words(
    text: Text,
    entities: Sequence[Entity],
    candidate: Candidate,
    words: Sequence[str],
    of_sentences: dict[int, set[str]],
) -> set[str]:
    head, tail = entities[candidate.head], entities[candidate.tail]
    found: set[str] = set()
    for one in head.spans[:MAX_SPANS]:
        for other in tail.spans[:MAX_SPANS]:
            first, second = sorted((one, other))
            sentence = text.tokens[first[0]].sentence
            if sentence != text.tokens[second[0]].sentence:
                continue
            found |= {f"s:{word}" for word in of_sentences.get(sentence, ())}
            between = words[first[1] : second[0]]
            if len(between) <= _MAX_BETWEEN:
                present = [word for word in between if word]
                found |= {f"b:{word}" for word in present}
                found |= {f"bb:{a} {b}" for a, b in pairwise(present)}
                found |= {f"t{candidate.relation}:{word}" for word in present}
            found |= {f"l:{word}" for word in words[max(0, first[0] - _NEAR) : first[0]] if word}
            found |= {f"r:{word}" for word in words[second[1] : second[1] + _NEAR] if word}
    return found


@dataclass(frozen=True)
class WordModel:
    """Log-odds that are linear in the words there are."""

    weights: dict[str, float]
    intercept: float

    def log_odds(self, rows: Sequence[set[str]]) -> np.ndarray:
        """Array of shape (rows,)."""
        get = self.weights.get  # fsum, since the words of a set come in another order in each process
        return np.array([fsum((self.intercept, *(get(word, 0.0) for word in row))) for row in rows], dtype=float)

    @classmethod
    def fit(cls, rows: Sequence[set[str]], truth: np.ndarray, weight: np.ndarray | None = None) -> WordModel:
        """Logistic regression with an L2 penalty; of words that come often enough.

        Args:
            truth: whether the relation of each row holds, shape (rows,); some do and some do not.
            weight: of each row, above 0, shape (rows,); None: all the same.
        """
        from scipy.sparse import csr_array
        from sklearn.linear_model import LogisticRegression

        counts = Counter(word for row in rows for word in row)
        indices = {word: index for index, word in enumerate(sorted(w for w, n in counts.items() if n >= _MIN_COUNT))}
        columns = [[indices[word] for word in sorted(row) if word in indices] for row in rows]
        ends = np.cumsum([0, *map(len, columns)], dtype=np.int32)
        flat = np.array([index for row in columns for index in row], dtype=np.int32)
        matrix = csr_array((np.ones(len(flat)), flat, ends), shape=(len(rows), max(len(indices), 1)))
        model = LogisticRegression(C=_STRENGTH, solver="liblinear", random_state=0).fit(matrix, truth, weight)
        weights = {word: round(float(model.coef_[0, index]), 5) for word, index in indices.items()}
        return cls({word: weight for word, weight in weights.items() if weight}, float(model.intercept_[0]))

    def to_dict(self) -> dict[str, Any]:
        return {"intercept": self.intercept, "weights": self.weights}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> WordModel:
        return cls(record["weights"], record["intercept"])
