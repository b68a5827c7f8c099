"""Questions put by threads, their answers as they come; what is under way when a run ends is waited for.

An answer that a server has begun is paid for. So Ctrl-C and SIGTERM begin nothing more, neither another question nor
another try, and end the run when all that was sent is answered; a second one ends it at once.
"""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Callable, Iterable, Iterator

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.core.interrupt import Interruption
from abroad.engines.base import Generation, GenerationRequest

_AHEAD = 2  # requests asked for or answered and not yet taken, for each thread
_LOOK = 0.2  # seconds between two looks for a signal

Ask = Callable[[GenerationRequest, threading.Event], Generation]
"""(request, what is set when no further try is to be made) -> the answer."""


class Stopped(AbroadError):
    """A question that is not put again, since the run ends."""


def answers(ask: Ask, requests: Iterable[GenerationRequest], threads: int, context: Context) -> Iterator[Generation]:
    """Yield answers as they are ready, and raise the first error when what was under way is answered.

    No more requests are taken than `_AHEAD` of who takes the answers, so that memory does not grow with their number.

    Raises:
        KeyboardInterrupt: a signal came; all answers that were under way have been yielded.
        AbroadError: of `ask`.
    """
    stream, team = iter(requests), _Team(ask, threads)
    failure: BaseException | None = None
    with Interruption() as interruption:
        try:
            while True:
                if interruption.came is not None and not team.stop.is_set():
                    team.end()
                    if team.left:
                        context.say(
                            f"ending, once {team.left} answers under way have come; a second Ctrl-C ends at once"
                        )
                elif failure is None and not team.stop.is_set():
                    for request in itertools.islice(stream, threads * _AHEAD - team.left):
                        team.put(request)
                if not team.left:
                    break
                outcome = team.next()
                if isinstance(outcome, Generation):
                    yield outcome
                elif isinstance(outcome, BaseException) and not isinstance(outcome, Stopped) and failure is None:
                    failure = outcome
                    team.cancel()
            interruption.end()
        except GeneratorExit:
            interruption.end()
            raise
        finally:
            team.end()
    if failure is not None:
        raise failure


class _Team:
    """Threads that end with the process, whatever they wait for.

    Attributes:
        left: requests whose outcome was not taken yet.
        stop: set when no further try is to be made.
    """

    def __init__(self, ask: Ask, size: int) -> None:
        self._ask, self._size, self._threads = ask, size, 0
        self._todo: queue.SimpleQueue[GenerationRequest | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Generation | BaseException] = queue.SimpleQueue()
        self.left, self.stop, self._failed = 0, threading.Event(), False

    def put(self, request: GenerationRequest) -> None:
        self.left += 1
        self._todo.put(request)
        if self._threads < min(self._size, self.left):
            self._threads += 1
            threading.Thread(target=self._work, name="completion", daemon=True).start()

    def next(self) -> Generation | BaseException | None:
        """An outcome; None if there is none yet."""
        try:
            outcome = self._done.get(timeout=_LOOK)
        except queue.Empty:
            return None
        self.left -= 1
        return outcome

    def cancel(self) -> None:
        """Begin nothing more."""
        while True:
            try:
                self._todo.get_nowait()
            except queue.Empty:
                return
            self.left -= 1

    def end(self) -> None:
        """Begin nothing more, nor another try of what is begun; threads end with what they do."""
        if not self.stop.is_set():
            self.cancel()
            self.stop.set()
            for _ in range(self._threads):
                self._todo.put(None)

    def _work(self) -> None:
        while (request := self._todo.get()) is not None:
            try:
                self._done.put(Stopped("not asked") if self._failed else self._ask(request, self.stop))
            except BaseException as error:
                self._failed = True
                self._done.put(error)
