"""A word that work goes on, where nothing else has been said for a while: not every long step counts what it does."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from abroad.core import progress

SILENCE = 4.0
"""Seconds without a word after which one comes."""
_BETWEEN = 30.0
"""Seconds between two such words, twice as many after each."""
_LOOK = 0.5
OFF = "ABROAD_NO_HEARTBEAT"
"""Variable of the environment that keeps it quiet, for tests that compare what is said."""


class Heartbeat:
    """Says on standard error that work goes on; use as a context manager around a command.

    Args:
        what: is at work.
        clock: seconds, for tests.
    """

    def __init__(self, what: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._what, self._clock, self._between = what, clock, _BETWEEN
        self._start = self._next = clock()
        self._ended = threading.Event()

    def look(self) -> None:
        """Say a word if it is time for one."""
        now = self._clock()
        if now - max(progress.last_word(), self._start) < SILENCE or now < self._next or progress.is_shown():
            return
        progress.tell(f"  {self._what}: still at work, for {now - self._start:.0f} s now")
        self._next, self._between = now + self._between, 2 * self._between

    def __enter__(self) -> Heartbeat:
        if not os.environ.get(OFF):
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def _watch(self) -> None:
        while not self._ended.wait(_LOOK):
            self.look()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
