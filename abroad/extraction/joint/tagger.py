"""A conditional random field over the mentions of all types of a field; learnt in minutes, without an encoder.

It sees the form of each token and of its neighbours.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.extraction.builtin.mentions import is_whole
from abroad.extraction.builtin.pieces import token_shapes
from abroad.extraction.builtin.token_features import spaced_words, spelling
from abroad.extraction.joint.names import NameFinder
from abroad.extraction.joint.tags import tags_of
from abroad.extraction.joint.texts import Annotated, Text

_NEAR = (-2, -1, 1, 2)
_FORMS = (("[A-Z]", "X"), ("[a-z]", "x"), (r"\d", "d"), ("[α-ω]", "g"))
_MIN_PROBABILITY = 1e-6


class MentionTagger:
    """Probabilities of tags.

    Args:
        model: contents of a CRFsuite file.
        tags: how many tags there are.
        names: of the field's sources, which are features.
    Raises:
        InputError: the file is damaged.
    Source: Lafferty, McCallum and Pereira, ICML 2001.
    """

    def __init__(self, model: bytes, tags: int, names: NameFinder | None = None) -> None:
        import pycrfsuite

        if not is_whole(model):
            raise InputError("a damaged or cut-off CRFsuite file; copy the extractor again, or train it again")
        self.model, self._tags, self.names = model, tags, names or NameFinder()
        self._tagger: Any = pycrfsuite.Tagger()
        self._tagger.open_inmemory(model)
        self._known = sorted(int(label) for label in self._tagger.labels())

    def scores(self, text: Text) -> np.ndarray:
        """Log-probability of each tag for each token, shape (tokens, tags)."""
        features = token_features(text, self.names)
        found = np.zeros((len(features), self._tags))
        if features:
            self._tagger.set(features)
            for tag in self._known:
                found[:, tag] = [self._tagger.marginal(str(tag), place) for place in range(len(features))]
        return np.log(np.maximum(found, _MIN_PROBABILITY))

    @classmethod
    def train(
        cls,
        documents: Sequence[Annotated],
        types: Sequence[str],
        iterations: int = 80,
        names: NameFinder | None = None,
    ) -> MentionTagger:
        """Learn from documents with all their mentions, with L1 and L2 penalties."""
        import pycrfsuite

        trainer = pycrfsuite.Trainer(verbose=False)
        for document in documents:
            tags = tags_of(document.text, document.mentions, types)
            if len(tags):
                trainer.append(token_features(document.text, names), [str(tag) for tag in tags])
        least = 2 if len(documents) > 100 else 1
        trainer.set_params({"c1": 0.05, "c2": 0.05, "max_iterations": iterations, "feature.minfreq": least})
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.crf"
            trainer.train(str(path))
            return cls(path.read_bytes(), 1 + 2 * len(types), names)


def token_features(text: Text, names: NameFinder | None = None) -> list[list[str]]:
    """Names of features of each token."""
    named = names.features(text) if names else {}
    tokens, folded = text.tokens, text.normalised.folded
    words = [folded[token.start : token.end].lower() for token in tokens]
    forms = [_form(token.text) for token in tokens]
    kinds = token_shapes(tokens)
    spaced, number = spaced_words(folded, tokens)
    result = []
    for place, token in enumerate(tokens):
        features = ["bias", *_own(token.text, words[place]), f"kind={kinds[place]}"]
        if token.end <= text.normalised.title_end:
            features.append("title")
        if place in named:
            features.append(named[place])
        for step in _NEAR:
            other = place + step
            if 0 <= other < len(words):
                features.append(f"{step}:w={words[other][:20]}")
                features.append(f"{step}:form={forms[other]}")
                if abs(step) == 1:
                    features += (
                        f"{step}:end={words[other][-3:]}",
                        f"{step}:with={words[place][:20]}|{words[other][:20]}",
                    )
        for step in (-1, 0, 1):
            other = number[place] + step
            if 0 <= other < len(spaced):
                features.append(f"{step}:word={spaced[other][:25]}")
                features.append(f"{step}:tail={spaced[other][-4:]}")
        result.append(features)
    return result


@lru_cache(maxsize=100_000)
def _own(text: str, word: str) -> tuple[str, ...]:
    return spelling(word, _form(text), 3)


@lru_cache(maxsize=100_000)
def _form(word: str) -> str:
    form = word[:60]
    for pattern, sign in _FORMS:
        form = re.sub(pattern, sign, form)
    return re.sub(r"(.)\1+", r"\1", form)[:12]
