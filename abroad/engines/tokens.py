"""Prompt and continuation as token ids, and where the continuation begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from abroad.engines.base import Prompt


def join_tokens(
    encode: Callable[[str, bool], Sequence[int]], prompt: Prompt, continuation: str
) -> tuple[tuple[int, ...], int]:
    """(ids of prompt and continuation, where the continuation's begin).

    Both are tokenised together, as the text that a model reads is; a token across the seam counts as the
    continuation's, and so does none that stands first in the text: it has no probability.
    """
    if not isinstance(prompt, str):
        return (*prompt, *encode(continuation, False)), max(len(prompt), 1)
    whole, head = tuple(encode(prompt + continuation, True)), tuple(encode(prompt, True))
    return whole, max(min(common_start(whole, head), len(whole) - 1), 1)


def common_start(a: Sequence[int], b: Sequence[int]) -> int:
    """How many ids the two begin with alike."""
    for index, (left, right) in enumerate(zip(a, b, strict=False)):
        if left != right:
            return index
    return min(len(a), len(b))
