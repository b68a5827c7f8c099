"""Log-probabilities of given continuations under a causal LM held in this process.

What prompts share (instructions, examples, a document) is computed once a batch: the sequences are sorted, so
that those with a common beginning are neighbours, and the key-value cache of that beginning is copied to all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from abroad.engines.base import Prompt, Score, check_pairs
from abroad.engines.tokens import common_start, join_tokens

MIN_SHARED = 16  # tokens; below, a second pass costs more than it saves
_MIN_ROWS = 4  # a batch of fewer is not closed for the sake of a longer common beginning


@dataclass(frozen=True, slots=True)
class _Row:
    """Token ids of prompt and continuation; those from `start` on are the continuation's."""

    index: int
    ids: tuple[int, ...]
    start: int


def score_continuations(
    model: Any,
    encode: Callable[[str, bool], Sequence[int]],
    prompts: Sequence[Prompt],
    continuations: Sequence[str],
    context_length: int,
    batch_size: int,
) -> list[Score | None]:
    """The score of each continuation after its prompt; None where the two do not fit the context.

    Args:
        encode: (text, whether with special tokens) -> ids.
    Raises:
        InputError: not as many prompts as continuations, or an empty one.
    """
    check_pairs(prompts, continuations)
    found: list[Score | None] = [None] * len(prompts)
    rows = []
    for index, (prompt, continuation) in enumerate(zip(prompts, continuations, strict=True)):
        ids, start = join_tokens(encode, prompt, continuation)
        if len(ids) <= context_length:
            rows.append(_Row(index, ids, start))
    for batch in _batches(sorted(rows, key=lambda row: row.ids), batch_size):
        for row, value in zip(batch, _score_batch(model, batch), strict=True):
            found[row.index] = Score(value, len(row.ids) - row.start)
    return found


def _batches(rows: Sequence[_Row], size: int) -> Iterator[list[_Row]]:
    """Neighbours together; a batch is closed early where the next row would halve what all of it share."""
    batch: list[_Row] = []
    shared = 0
    for row in rows:
        left = min(shared, common_start(batch[0].ids, row.ids)) if batch else len(row.ids)
        if len(batch) == size or (len(batch) >= _MIN_ROWS and left < shared / 2):
            yield batch
            batch, left = [], len(row.ids)
        batch.append(row)
        shared = left
    if batch:
        yield batch


def read_once(model: Any, ids: Sequence[int], rows: int) -> Any:
    """The key-value cache of the ids, copied to so many rows."""
    import torch

    with torch.inference_mode():
        cache = model(input_ids=torch.tensor([ids], device=model.device), use_cache=True).past_key_values
    cache.batch_repeat_interleave(rows)
    return cache


def _score_batch(model: Any, rows: Sequence[_Row]) -> list[float]:
    """Sums of the log-probabilities of each row's continuation."""
    import torch

    # A position before each continuation is left in the second pass: its logits are needed.
    prefix = min(min(common_start(rows[0].ids, row.ids), row.start - 1) for row in rows)
    prefix = prefix if prefix >= MIN_SHARED and len(rows) > 1 else 0
    width = max(len(row.ids) for row in rows) - prefix
    # Padded on the right: a causal model looks at nothing to the right of a token.
    ids = torch.tensor([[*row.ids[prefix:], *[0] * (width + prefix - len(row.ids))] for row in rows])
    ids = ids.to(model.device)
    with torch.inference_mode():
        cache = None
        if prefix:
            cache = read_once(model, rows[0].ids[:prefix], len(rows))
        logits = model(
            input_ids=ids,
            attention_mask=ids.new_ones(len(rows), prefix + width),
            past_key_values=cache,
            use_cache=cache is not None,
        ).logits
        sums = []
        for row, values in zip(rows, logits, strict=True):
            wanted = torch.tensor(row.ids[row.start :], device=values.device)
            steps = values[row.start - 1 - prefix : len(row.ids) - 1 - prefix].float().log_softmax(-1)
            sums.append(float(steps.gather(-1, wanted[:, None]).sum()))
    return sums
