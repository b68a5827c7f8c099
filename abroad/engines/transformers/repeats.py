"""N-gram block over what is generated: transformers' own rule counts the prompt too, which names are copied from."""

from __future__ import annotations

from typing import Any


class BlockRepeats:
    """A logits processor: no run of `size` generated tokens comes twice.

    Args:
        start: tokens of the (padded) prompt.
    """

    def __init__(self, size: int, start: int) -> None:
        from transformers import NoRepeatNGramLogitsProcessor

        self._rule, self._start = NoRepeatNGramLogitsProcessor(size), start

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        return self._rule(input_ids[:, self._start :], scores)
