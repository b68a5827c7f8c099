"""The encoder of the built-in extractor at work: a small BERT, run by ONNX Runtime on one core.

It says of each token whether it names a chemical that is reported of an organism, or an
organism that something is reported of; of each pair of tokens whether they go together;
and of the text whether it reports anything. ONNX Runtime was chosen since it runs the
8-bit weights (17 MB) at three times the speed of torch on a CPU, weighs a tenth of it, and is
maintained; a file of it holds numbers and operators only: no code is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from abroad.extraction.builtin.pieces import PieceReader
from abroad.extraction.builtin.reading import Reading

MODEL, VOCABULARY = "encoder.onnx", "vocabulary.json"
WIDTH = 64
"""Of the projections whose product says whether a chemical goes with an organism."""
PAIR_SCALE = 2 / WIDTH**0.5
"""Of that product: the same where it is learnt and where it is read."""


@dataclass(frozen=True)
class TextScores:
    """What the encoder says of a text of n tokens.

    Attributes:
        chemical: probabilities of O, B, I in a chemical's name for each token, shape (n, 3).
        organism: likewise in an organism's, shape (n, 3).
        chemical_side: projection of each token as the chemical of a pair, shape (n, WIDTH).
        organism_side: likewise as the organism, shape (n, WIDTH).
        reports: log-odds that the text reports any production.
    """

    chemical: np.ndarray
    organism: np.ndarray
    chemical_side: np.ndarray
    organism_side: np.ndarray
    reports: float

    def pair_odds(self, chemicals: Sequence[int], organisms: Sequence[int]) -> np.ndarray:
        """Log-odds that the chemical at each of some tokens goes with the organism at each of others.

        Returns:
            Array of shape (chemicals, organisms).
        """
        return self.chemical_side[list(chemicals)] @ self.organism_side[list(organisms)].T * PAIR_SCALE


class EncoderTagger:
    """Scores of texts.

    Args:
        folder: with the model and its vocabulary.
    """

    def __init__(self, folder: Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # processes share the cores, not threads
        options.log_severity_level = 3
        self.folder = folder
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / MODEL),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["SkipLayerNormFusion"],  # the fused step takes ten times the time of its two parts
        )
        self._reader = PieceReader(folder / VOCABULARY)

    def tag(self, reading: Reading) -> TextScores:
        """Scores of one text; where windows overlap, each token is read where it stands farther from an edge."""
        count = len(reading.tokens)
        rows = np.zeros((count, 6 + 2 * WIDTH), dtype=np.float32)
        margin = np.full(count, -1)
        reports = [-9.0]
        for window in self._reader.windows(reading.tokens, reading.folded):
            heads = np.concatenate([[0], window.heads])
            (output,) = self._session.run(
                None, {"pieces": window.pieces[None], "shapes": window.shapes[None], "heads": heads}
            )
            size = len(window.heads)
            own = np.minimum(np.arange(size), np.arange(size)[::-1])
            here = slice(window.first, window.first + size)
            better = own > margin[here]
            rows[here][better] = output[0, 1:][better, : 6 + 2 * WIDTH]
            margin[here] = np.maximum(margin[here], own)
            reports.append(float(output[0, 0, 6 + 2 * WIDTH]))
        return TextScores(
            _softmax(rows[:, 0:3]),
            _softmax(rows[:, 3:6]),
            rows[:, 6 : 6 + WIDTH],
            rows[:, 6 + WIDTH :],
            max(reports),
        )


class EncoderMean:
    """The mean of several encoders: of the tags' probabilities, of the log-odds of pairs and of the text."""

    def __init__(self, encoders: Sequence[EncoderTagger]) -> None:
        self._encoders = encoders

    def tag(self, reading: Reading) -> TextScores:
        """Scores of one text."""
        said = [encoder.tag(reading) for encoder in self._encoders]
        scale = len(said) ** -0.5  # so that the product of the joined sides is the mean of the products
        return TextScores(
            np.mean([scores.chemical for scores in said], axis=0),
            np.mean([scores.organism for scores in said], axis=0),
            np.concatenate([scores.chemical_side * scale for scores in said], axis=1),
            np.concatenate([scores.organism_side * scale for scores in said], axis=1),
            float(np.mean([scores.reports for scores in said])),
        )


def _softmax(logits: np.ndarray) -> np.ndarray:
    if not len(logits):
        return logits
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)


def best_tags(scores: np.ndarray) -> list[str]:
    """ "B", "I" or "O" of each token: the most probable reading in which a name never goes on before it begins.

    Args:
        scores: probabilities of O, B, I, shape (n, 3).
    Source: Viterbi 1967, with transitions that are free but for O to I, which is impossible.
    """
    if not len(scores):
        return []
    logs = np.log(np.maximum(scores, 1e-6))
    best = logs[0] + np.array([0.0, 0.0, -np.inf])
    back = np.zeros((len(logs), 3), dtype=np.int64)
    for index in range(1, len(logs)):
        named = 1 if best[1] >= best[2] else 2
        anything = 0 if best[0] >= best[named] else named
        back[index] = (anything, anything, named)
        best = np.array([best[anything], best[anything], best[named]]) + logs[index]
    state = int(best.argmax())
    tags = []
    for index in range(len(logs) - 1, -1, -1):
        tags.append("OBI"[state])
        state = int(back[index, state])
    return tags[::-1]
