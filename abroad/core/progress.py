"""Progress on standard error: a bar at a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any


def tell(message: str) -> None:
    """Say something for the person who waits, on standard error."""
    print(message, file=sys.stderr, flush=True)


class Progress:
    """Counts work done and shows it; use as a context manager.

    Args:
        what: what is being done, in a few words ("generating abstracts").
        total: how many steps there are; None if unknown.
        done: how many were done by an earlier run.
        every: seconds between plain lines when standard error is not a terminal.
    """

    def __init__(self, what: str, total: int | None, done: int = 0, every: float = 15.0) -> None:
        self.what, self.total, self.every = what, total, every
        self.start_at = self.done = done
        self._bar: Any = None
        self._started = self._last = time.monotonic()

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=Console(stderr=True),
            )
            self._bar.start()
            self._task = self._bar.add_task(self.what, total=self.total, completed=self.done, note="")
        return self

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Count steps; `note` is a short figure to show beside them ("loss 0.41, 310 tokens/s")."""
        self.done += steps
        if self._bar is not None:
            self._bar.update(self._task, completed=self.done, note=note)
        elif time.monotonic() - self._last > self.every:
            self._line(note)

    def _line(self, note: str) -> None:
        self._last = time.monotonic()
        elapsed = self._last - self._started
        made = self.done - self.start_at
        left = f", about {elapsed / made * (self.total - self.done):.0f} s left" if self.total and made else ""
        of = f"/{self.total}" if self.total else ""
        print(f"  {self.what}: {self.done}{of}{left}{', ' + note if note else ''}", file=sys.stderr, flush=True)

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
