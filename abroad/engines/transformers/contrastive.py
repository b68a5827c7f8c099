"""Contrastive decoding: an amateur model's habits are taken out of an expert's choices, without training.

O'Brien and Lewis, "Contrastive decoding improves reasoning in large language models",
arXiv 2309.09117, section 2, equation for s: of the tokens whose expert logit is at least
max + ln(alpha), s = (1 + beta) * expert - beta * amateur; any sampling goes on top.
"""

from __future__ import annotations

import math
from typing import Any

from pydantic import Field

from abroad.core.errors import InputError
from abroad.core.settings import NotNegative, PositiveShare, Settings


class ContrastiveSettings(Settings):
    """Settings of contrastive decoding."""

    alpha: PositiveShare = Field(
        0.1, description="Tokens that are less probable than alpha times the most probable one are left out."
    )
    beta: NotNegative = Field(
        0.5, description="How much of the amateur is taken out; 0 is plain decoding among the plausible tokens."
    )


def contrast(expert: Any, amateur: Any, settings: ContrastiveSettings) -> Any:
    """Contrastive scores, -inf for implausible tokens.

    Args:
        expert: logits, a tensor of shape (batch, vocabulary).
        amateur: logits likewise.
        settings: alpha and beta.

    Returns:
        Scores, a tensor of shape (batch, vocabulary).
    """
    cutoff = expert.max(dim=-1, keepdim=True).values + math.log(settings.alpha)
    scores = (1 + settings.beta) * expert - settings.beta * amateur
    return scores.masked_fill(expert < cutoff, float("-inf"))


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


def check_tokenizers(tokenizer: Any, other: Any, purpose: str) -> None:
    """Check that two tokenizers write text as the same tokens.

    Raises:
        InputError: They do not.
    """
    if tokenizer.get_vocab() != other.get_vocab():
        raise InputError(f"{purpose} with the model's tokenizer; these two differ")
