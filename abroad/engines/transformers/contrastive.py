"""Contrastive decoding in transformers: the amateur reads along, with its own key-value cache."""

from __future__ import annotations

from typing import Any

from abroad.core.errors import InputError
from abroad.engines.contrastive import ContrastiveSettings, contrast


class ContrastiveProcessor:
    """A transformers LogitsProcessor that asks the amateur for the same texts, with its own key-value cache.

    Args:
        amateur: a really trained smaller model with the expert's tokenizer, or the expert itself
            with a shorter prompt.
        mask: of shape (batch, prompt tokens), 0 where the prompt is padded on the left.
        kept: of the prompt, the amateur sees the last so many tokens only; None for all.
    """

    def __init__(self, amateur: Any, mask: Any, settings: ContrastiveSettings, kept: int | None = None) -> None:
        if kept is not None and kept < 1:
            raise InputError(f"expected the amateur to see 1 token of the prompt or more, found {kept}")
        self._amateur, self._settings = amateur, settings
        self._skipped = max(0, mask.shape[1] - kept) if kept is not None else 0
        self._mask = mask[:, self._skipped :]
        self._cache: Any = None
        self._seen = 0

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        import torch

        ids = input_ids[:, self._skipped :]
        new = ids[:, self._seen :]
        mask = torch.cat([self._mask, self._mask.new_ones(ids.shape[0], ids.shape[1] - self._mask.shape[1])], dim=1)
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, self._seen :]
        with torch.inference_mode():
            output = self._amateur(
                input_ids=new,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=self._cache,
                use_cache=True,
            )
        self._cache, self._seen = output.past_key_values, ids.shape[1]
        return contrast(scores.float(), output.logits[:, -1].float(), self._settings)
