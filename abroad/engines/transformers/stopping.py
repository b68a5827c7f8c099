"""Where a row ends: at its own stop strings, its own budget, or where it goes round in a loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from abroad.engines.base import GenerationRequest

_LONGEST_LOOP, _LOOPED = 48, 4


def loops(tokens: list[int]) -> bool:
    """Whether the text goes round: its last tokens are one run of up to 48 tokens, four times over."""
    for size in range(1, _LONGEST_LOOP + 1):
        if len(tokens) < max(size * _LOOPED, _LONGEST_LOOP):
            return False
        if all(tokens[-place] == tokens[-place - size] for place in range(1, size * (_LOOPED - 1) + 1)):
            return True
    return False


def row_stopper(requests: Sequence[GenerationRequest], width: int, tokenizer: Any) -> Callable[..., Any]:
    """A stopping criterion that ends a row at its own stop strings or length."""
    import torch

    def stop(input_ids: Any, scores: Any, **_: Any) -> Any:
        done = []
        for row, request in enumerate(requests):
            generated = input_ids[row, width:]
            ended = len(generated) >= request.max_new_tokens or (request.stop_loops and loops(generated.tolist()))
            if not ended and request.stop:
                # A stop string spans few tokens; the tail is enough and keeps a step cheap.
                tail = tokenizer.decode(generated[-24:], skip_special_tokens=True)
                ended = any(string in tail for string in request.stop)
            done.append(ended)
        return torch.tensor(done, device=input_ids.device)

    return stop
