"""How long a step of some work takes, from the times at which steps were done; silence where they do not tell yet.

The time until the first step is left out: a model may be loaded in it, or a server wake up. What counts is the later
part of the time since then, as later steps may be longer, and a single wait (a server that asks for a pause) counts as
three times the next longest at most. Steps may come in bursts, as those of several processes do.
"""

from __future__ import annotations

_MAX_MARKS = 200
_ENOUGH = 10
"""Waits between steps that tell the pace; of work of few steps, a tenth of its steps."""
_LATER = 2 / 3
_MAX_WAIT = 3.0
"""Times the next longest wait."""
_BURST = 0.1
"""Times the longest wait: what follows a step so soon is of the same burst."""


class Pace:
    """Seconds a step.

    Args:
        start: when work began.
        done: steps that were done before.
        total: steps in all; None where nobody knows.
        resolution: seconds; of what happens within them the first is remembered.
    """

    def __init__(self, start: float, done: int, total: int | None, resolution: float) -> None:
        self._resolution, self._done = resolution, done
        self._wanted = None if total is None else total - done
        self._marks = [(start, done)]  # when a step was done, and how many were before it

    def add(self, now: float, done: int) -> None:
        """Remember that so many steps are done."""
        if now - self._marks[-1][0] > self._resolution and done > self._done:
            self._marks.append((now, self._done))
            if len(self._marks) > _MAX_MARKS:  # every second one is enough, with the start and the first step
                self._marks = [*self._marks[:2], *self._marks[3::2]]
        self._done = done

    def seconds(self) -> float | None:
        """What a step takes; None where nobody knows: so far there were few, or the first one took most of the time."""
        waits = [after[0] - before[0] for before, after in zip(self._marks, self._marks[1:], strict=False)]
        if len(waits) < 2 or not self._is_enough(waits):
            return None
        later = waits[1:]
        longest = _MAX_WAIT * sorted(later if len(later) >= _ENOUGH else waits)[-2]
        bounded = [min(wait, longest) for wait in later]
        place, seconds = len(bounded), 0.0
        while place and (seconds < sum(bounded) * _LATER or bounded[place - 1] < max(bounded[place:]) * _BURST):
            place -= 1
            seconds += bounded[place]
        steps = self._marks[-1][1] - self._marks[1 + place][1]
        return seconds / steps if steps else None

    def _is_enough(self, waits: list[float]) -> bool:
        steps = self._marks[-1][1] - self._marks[1][1]
        few = self._wanted is not None and steps >= self._wanted / _ENOUGH
        return sum(waits[1:]) >= waits[0] and (few or len(waits) > _ENOUGH)
