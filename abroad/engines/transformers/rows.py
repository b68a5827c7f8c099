"""The rows of a batch, each handed over when it ends, so that a run that is killed loses only those under way.

`generate` of transformers returns when the longest row ends. It calls its stopping criteria at each token, in which the
others can be seen to end; it runs in a thread, so that their answers can be used meanwhile.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from abroad.engines.base import GenerationRequest

_LONGEST_LOOP, _LOOPED = 48, 4
T = TypeVar("T")


class RowStopper:
    """A stopping criterion that ends a row at its own stop strings or length, and tells when a row has ended.

    Args:
        width: tokens of the padded prompts.
        ended: told the number of a row and its new tokens, once, when it has ended.
        abandoned: set when nobody wants the rest; all rows then end.
    """

    def __init__(
        self,
        requests: Sequence[GenerationRequest],
        width: int,
        tokenizer: Any,
        ended: Callable[[int, list[int]], None] = lambda row, tokens: None,
        abandoned: threading.Event | None = None,
    ) -> None:
        self._requests, self._width, self._tokenizer = requests, width, tokenizer
        self._ended, self._abandoned, self._done = ended, abandoned, set[int]()

    def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        import torch

        if self._abandoned is not None and self._abandoned.is_set():
            return torch.ones(len(self._requests), dtype=torch.bool, device=input_ids.device)
        stopped = []
        for row, request in enumerate(self._requests):
            generated = input_ids[row, self._width :]
            own = row in self._done or self._stops(request, generated)
            if row not in self._done and (own or int(generated[-1]) == self._tokenizer.eos_token_id):
                self._done.add(row)
                self._ended(row, generated.tolist())
            stopped.append(own)
        return torch.tensor(stopped, device=input_ids.device)

    def _stops(self, request: GenerationRequest, generated: Any) -> bool:
        if len(generated) >= request.max_new_tokens or (request.stop_loops and loops(generated.tolist())):
            return True
        if not request.stop:
            return False
        # A stop string spans few tokens; the tail is enough and keeps a step cheap.
        tail = self._tokenizer.decode(generated[-24:], skip_special_tokens=True)
        return any(string in tail for string in request.stop)


def handed_over(work: Callable[[Callable[[T], None], threading.Event], None]) -> Iterator[T]:
    """Yield what `work` hands over, while it goes on in a thread of its own; raises what it raises.

    Args:
        work: takes the function that hands a value over, and an event that is set when no more is wanted.
    """
    ready: queue.SimpleQueue[tuple[T | None, BaseException | None] | None] = queue.SimpleQueue()
    abandoned = threading.Event()

    def run() -> None:
        try:
            work(lambda value: ready.put((value, None)), abandoned)
        except BaseException as error:
            ready.put((None, error))
        else:
            ready.put(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        while (got := ready.get()) is not None:
            value, error = got
            if error is not None:
                raise error
            yield value  # type: ignore[misc]  # a value, where there is no error
    finally:
        abandoned.set()
        thread.join()


def loops(tokens: list[int]) -> bool:
    """Whether the text goes round: its last tokens are one run of up to 48 tokens, four times over."""
    for size in range(1, _LONGEST_LOOP + 1):
        if len(tokens) < max(size * _LOOPED, _LONGEST_LOOP):
            return False
        if all(tokens[-index] == tokens[-index - size] for index in range(1, size * (_LOOPED - 1) + 1)):
            return True
    return False
