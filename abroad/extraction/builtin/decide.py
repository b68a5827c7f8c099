"""Which of a text's scored relations are given out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from abroad.extraction.builtin.reading import Reading
from abroad.extraction.builtin.score import ScoredPair

_ABSTRACT = 50  # tokens; of 100 documents that the scorer learns from, one is shorter


@dataclass(frozen=True)
class Decision:
    """A text is answered if its surest relation is likely enough; what stands beside that may be less likely.

    F1 is best at a threshold of half of the F1 that can be reached (Lipton, Elkan and Naryanaswamy 2014,
    https://arxiv.org/abs/1402.1892, Theorem 2): in abstracts that is below 0.5, while in a title or a sentence, of
    which nearly all is read rightly, it is 0.5.

    Attributes:
        least: probability of the surest relation of a text, and of every relation of a text of a sentence or two.
        beside: probability of the others; None: as `least`.
    """

    least: float
    beside: float | None = None

    def chosen(self, reading: Reading, pairs: Sequence[ScoredPair]) -> list[ScoredPair]:
        """The pairs that are given out, in the order they came in."""
        if max((pair.score for pair in pairs), default=-1.0) < self.least:
            return []
        short = len(reading.tokens) < _ABSTRACT
        threshold = self.least if short or self.beside is None else min(self.beside, self.least)
        return [pair for pair in pairs if pair.score >= threshold]
