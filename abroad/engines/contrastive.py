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
from abroad.core.registry import Capability
from abroad.core.settings import NotNegative, PositiveShare, Settings
from abroad.engines.spec import EngineSettings
from abroad.models.identity import is_same_model
from abroad.models.source import ModelSource


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
        expert: logits, a tensor of shape (batch, vocabulary); -inf for what a constraint forbids, so that the most
            probable token, which plausibility is measured against, is an allowed one.
        amateur: logits likewise; what the expert may not say counts for nothing in them.
        settings: alpha and beta.

    Returns:
        Scores, a tensor of shape (batch, vocabulary).
    """
    forbidden = expert == float("-inf")  # by a constraint; both models choose among what is left
    amateur = amateur.masked_fill(forbidden, 0.0)
    cutoff = expert.max(dim=-1, keepdim=True).values + math.log(settings.alpha)
    scores = (1 + settings.beta) * expert - settings.beta * amateur
    return scores.masked_fill(expert < cutoff, float("-inf"))


def check_methods(settings: EngineSettings) -> None:
    """Check that the methods of decoding that are set go together.

    Raises:
        InputError: They do not.
    """
    if Capability.CONTRASTIVE | Capability.SPECULATIVE in settings.uses:
        raise InputError("contrastive and speculative decoding do not go together: set amateur or draft, not both")


def check_amateur(expert: ModelSource, amateur: ModelSource) -> None:
    """Check that the amateur is another model than the expert: contrasted with itself, a model changes nothing.

    Raises:
        InputError: It is the same.
    """
    if is_same_model(expert, amateur):
        raise InputError(
            "contrastive decoding: the amateur is the model itself, which changes nothing; expected a weaker model, "
            "or amateur_keeps=N, with which the model sees only the last N tokens of the prompt"
        )


def check_tokenizers(tokenizer: Any, other: Any, purpose: str) -> None:
    """Check that two tokenizers write text as the same tokens.

    Raises:
        InputError: They do not.
    """
    if tokenizer.get_vocab() != other.get_vocab():
        raise InputError(f"{purpose} with the model's tokenizer; these two differ")
