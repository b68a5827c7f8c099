"""Loss spikes: found by a z-score over a window of updates (as LLM360 K2 watches its runs, arXiv 2501.07124)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

_MIN_UPDATES = 8  # updates before anything is called a spike
_FLOOR = 0.02  # least standard deviation, as a share of the mean: a flat course must not call noise a spike


class SpikeDetector:
    """Tells spikes from the course of the loss.

    Args:
        window: updates that mean and deviation are taken of; spikes do not join them.
        zscore: deviations above the mean from which on it is a spike.
    """

    def __init__(self, window: int, zscore: float) -> None:
        self.zscore = zscore
        self._past: deque[float] = deque(maxlen=window)

    @property
    def past(self) -> list[float]:
        return list(self._past)

    def restore(self, past: Sequence[float]) -> None:
        self._past.clear()
        self._past.extend(past)

    def see(self, loss: float) -> float | None:
        """The z-score of a spike, or None; a loss that is no number is an infinite spike."""
        if not math.isfinite(loss):
            return math.inf
        if len(self._past) >= _MIN_UPDATES:
            mean = sum(self._past) / len(self._past)
            variance = sum((value - mean) ** 2 for value in self._past) / len(self._past)
            score = (loss - mean) / max(math.sqrt(variance), _FLOOR * abs(mean), 1e-9)
            if score >= self.zscore:
                return score
        self._past.append(loss)
        return None
