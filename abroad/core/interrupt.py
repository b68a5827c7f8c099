"""Ctrl-C and SIGTERM while what must not be lost is under way: the first is noted, the second ends at once."""

from __future__ import annotations

import contextlib
import signal
import threading
from types import FrameType
from typing import Any

_CUT_SHORT = "what was answered is kept, what was under way is not"


class Terminated(KeyboardInterrupt):
    """The end that SIGTERM asked for."""

    exit_code = 143


class Interruption:
    """Notes the first signal that asks for an end; use as a context manager around what can end by itself.

    Only the main thread hears signals, and a program's own handlers stay: then nothing is noted.

    Attributes:
        came: the signal, if one came.
    """

    def __init__(self) -> None:
        self.came: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
                if signal.getsignal(number) == usual:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.came is not None:
            raise _error(number, _CUT_SHORT)
        self.came = number

    def end(self) -> None:
        """Raise what the signal would have raised, if one came.

        Raises:
            KeyboardInterrupt: one came; of SIGTERM it is a Terminated.
        """
        if self.came is not None:
            raise _error(self.came)

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            if signal.getsignal(number) == self._note:
                with contextlib.suppress(ValueError):  # a generator that ends in another thread
                    signal.signal(number, before)


def _error(number: int, *words: str) -> KeyboardInterrupt:
    return Terminated(*words) if number == signal.SIGTERM else KeyboardInterrupt(*words)
