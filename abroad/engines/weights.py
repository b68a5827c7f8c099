"""What can be set of every engine of ours that holds the weights itself."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from abroad.core.registry import Capability
from abroad.core.settings import Count
from abroad.engines.contrastive import ContrastiveSettings
from abroad.engines.spec import EngineSettings


class WeightsSettings(ContrastiveSettings, EngineSettings):
    """Settings of engines that hold the weights, whichever they are."""

    base: str | None = Field(None, description="Base model of an adapter that does not name its own.")
    amateur: str | None = Field(
        None, description="Contrastive decoding: a smaller model with the same tokenizer, whose habits are taken out."
    )
    amateur_keeps: Count | None = Field(
        None,
        description="The amateur sees the last so many tokens of the prompt only; alone, the model is its own amateur.",
    )
    draft: str | None = Field(
        None,
        description=(
            'Speculative decoding: a smaller model of the same tokenizer, "ngram" to copy from the prompt, or "suffix" '
            "(vllm) to copy from earlier texts too."
        ),
    )
    draft_tokens: Count = Field(5, description="Tokens that the draft proposes at once.")

    layout: ClassVar[tuple[str, ...]] = ("draft", "draft_tokens")

    @property
    def uses(self) -> Capability:
        contrastive = self.amateur is not None or self.amateur_keeps is not None
        used = Capability.CONTRASTIVE if contrastive else Capability.NONE
        return used | (Capability.SPECULATIVE if self.draft is not None else Capability.NONE)

    @property
    def further_models(self) -> dict[str, str]:
        return {"amateur": self.amateur} if self.amateur else {}
