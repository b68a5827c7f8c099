"""Progress on standard error: a bar at a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from abroad.core.pace import Pace

_FIRST_WORD = 4.0
"""Seconds after which work says that it goes on."""


_state = {"word": 0.0, "bars": 0.0}


def tell(message: str) -> None:
    """Say something for the person who waits, on standard error."""
    heard()
    print(message, file=sys.stderr, flush=True)


def heard() -> None:
    """Remember that something was said."""
    _state["word"] = time.monotonic()


def last_word() -> float:
    """When something was said, by `time.monotonic`; 0 if nothing was."""
    return _state["word"]


def is_shown() -> bool:
    """Whether a bar is on the terminal."""
    return _state["bars"] > 0


class Progress:
    """Counts work done and shows it; use as a context manager.

    Where standard error is no terminal, a first line comes after 4 seconds, whether a step was done or not, and others
    after `every` seconds. How long the rest takes is told once the steps so far tell it (`abroad.core.pace`).

    Args:
        what: what is being done, in a few words ("generating abstracts").
        total: how many steps there are; None if unknown.
        done: how many were done by an earlier run.
        every: seconds between plain lines when standard error is not a terminal.
        clock: seconds, for tests.
    """

    def __init__(
        self,
        what: str,
        total: int | None,
        done: int = 0,
        every: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.what, self.total, self.every, self._clock = what, total, every, clock
        self.start_at = self.done = done
        self._bar: Any = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._said = False
        self._last = clock()
        self._advanced = self._last
        self._pace = Pace(self._last, done, total, every / 30)

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from abroad.core.progress_bar import make_bar

            self._bar = make_bar(self.seconds_left)
            self._bar.start()
            _state["bars"] += 1
            self._task = self._bar.add_task(self.what, total=self.total, completed=self.done, note="")
        else:
            self._timer = threading.Timer(_FIRST_WORD, self._first_line)
            self._timer.daemon = True
            self._timer.start()
        return self

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count steps; `note` is a short figure to show beside them ("loss 0.41, 310 tokens/s")."""
        with self._lock:
            self.done += steps
            now = self._clock()
            self._advanced = now
            self._pace.add(now, self.done)
            if self._bar is not None:
                self._bar.update(self._task, completed=self.done, note=note)
            elif now - self._last > self.every:
                self._line(note)

    def seconds_left(self) -> float | None:
        """What the rest takes at the pace of the steps so far; None where nobody knows."""
        pace = self._pace.seconds()
        if not self.total or pace is None:
            return None
        left = max(self.total - self.done, 0)
        waited = min(self._clock() - self._advanced, pace)
        return max(pace * left - waited, 0.0)

    def _first_line(self) -> None:
        with self._lock:
            if not self._said:
                self._line("")

    def _line(self, note: str) -> None:
        self._last, self._said = self._clock(), True
        seconds = self.seconds_left()
        left = f", about {seconds:.0f} s left" if seconds is not None else ""
        of = f"/{self.total}" if self.total else ""
        tell(f"  {self.what}: {self.done}{of}{left}{', ' + note if note else ''}")

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._bar is not None:
            self._bar.stop()
            _state["bars"] -= 1
            heard()
