"""What is done about an update that is out of the ordinary: it is made, skipped, undone, or ends the run.

A number that is not finite never reaches a step. Spikes of the loss are told from those of the gradient, as LLM360 K2
tells them (arXiv 2501.07124): a large gradient with a small update is benign, a loss that stays high for more than
`spike_patience` updates is malignant, and then the run returns to before it and leaves its data out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from abroad.training.settings import TrainSettings
from abroad.training.spikes import SpikeDetector
from abroad.training.state import TrainerState

MAX_ATTEMPTS = 10
"""Roll-backs without a new good update, or updates running that are not finite: after so many a run cannot go on."""

Action = Literal["step", "skip", "roll back", "abort"]


@dataclass(frozen=True)
class Verdict:
    """What is thought of an update before it is made.

    Attributes:
        action: what becomes of it.
        kind: "loss" or "gradient" of a spike, "not finite", or empty for an update like the others.
        zscore: standard deviations above the mean of what spiked.
        since: the first update of a spike of the loss.
        malignant: not finite, or a spike that has lasted too long.
        begins: a spike of the loss begins, or a number is not finite: the state that met it is kept.
    """

    action: Action = "step"
    kind: str = ""
    zscore: float = 0.0
    since: int | None = None
    malignant: bool = False
    begins: bool = False


class Guard:
    """Watches loss, gradient norm and size of the updates of a run, and decides by its policy.

    Every process of a run sees the same numbers, and so decides the same.
    """

    def __init__(self, settings: TrainSettings) -> None:
        self._policy, self._patience = settings.spike_policy, settings.spike_patience
        make = (settings.spike_window, settings.spike_zscore)
        self._losses, self._norms, self._sizes = (SpikeDetector(*make) for _ in range(3))
        self.since: int | None = None
        self._rolled_back = self._not_finite = self._furthest = 0

    def restore(self, state: TrainerState) -> None:
        """Take the course of a run up where a state left it."""
        for detector, past in zip(self._detectors, (state.losses, state.norms, state.sizes), strict=True):
            detector.restore(past)
        self.since = state.spiking_since

    def noted(self, state: TrainerState) -> TrainerState:
        """The state with the course of the run up to now."""
        losses, norms, sizes = (tuple(detector.past) for detector in self._detectors)
        return replace(state, losses=losses, norms=norms, sizes=sizes, spiking_since=self.since)

    def judge(self, number: int, loss: float, norm: float) -> Verdict:
        """What becomes of an update of this loss and norm of the gradient."""
        if not (math.isfinite(loss) and math.isfinite(norm)):
            return self.refuse(number)
        self._not_finite = 0
        high, steep = self._losses.see(loss), self._norms.see(norm)
        if high is None:
            self.since = None
            if number > self._furthest:
                self._furthest, self._rolled_back = number, 0
            return Verdict(kind="gradient", zscore=steep) if steep is not None else Verdict()
        first = self.since is None
        since = self.since = number if self.since is None else self.since
        malignant = number - since >= self._patience
        return Verdict(self._act(malignant), "loss", high, since, malignant, first)

    def refuse(self, number: int) -> Verdict:
        """What becomes of an update that is not finite; never a step."""
        self._not_finite += 1
        action = self._act(malignant=True)
        if action == "step":
            action = "skip"
        if action == "skip" and self._not_finite >= MAX_ATTEMPTS:
            action = "abort"
        return Verdict(action, "not finite", math.inf, number if self.since is None else self.since, True, True)

    def is_benign(self, verdict: Verdict, size: float) -> bool:
        """Whether a spike of the gradient did nothing: the update that was made of it is no larger than others."""
        large = self._sizes.see(size)
        return verdict.kind == "gradient" and large is None

    def _act(self, malignant: bool) -> Action:
        if self._policy == "rollback" or (self._policy == "k2" and malignant):
            self._rolled_back += 1
            return "roll back" if self._rolled_back <= MAX_ATTEMPTS else "abort"
        return "skip" if self._policy == "skip" else "step"

    @property
    def _detectors(self) -> tuple[SpikeDetector, SpikeDetector, SpikeDetector]:
        return self._losses, self._norms, self._sizes
