"""The engine `transformers` as a member of the registry: language models in this process, by transformers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from abroad.core.registry import Capability, lazy
from abroad.core.settings import Count
from abroad.engines.base import EngineKind
from abroad.engines.spec import WeightsSettings
from abroad.engines.transformers.contrastive import ContrastiveSettings


class TransformersSettings(ContrastiveSettings, WeightsSettings):
    """Settings of the engine `transformers`."""

    quantization: Literal["none", "nf4"] = Field("none", description='"nf4" (QLoRA\'s 4 bits), or "none".')
    amateur: str | None = Field(
        None, description="Contrastive decoding: a smaller model with the same tokenizer, whose habits are taken out."
    )
    amateur_keeps: Count | None = Field(
        None,
        description="The amateur sees the last so many tokens of the prompt only; alone, the model is its own amateur.",
    )

    @property
    def uses(self) -> Capability:
        contrastive = self.amateur is not None or self.amateur_keeps is not None
        return super().uses | (Capability.CONTRASTIVE if contrastive else Capability.NONE)

    @property
    def further_models(self) -> dict[str, str]:
        return {"amateur": self.amateur} if self.amateur else {}


KIND = EngineKind(
    TransformersSettings,
    (
        Capability.BEAMS
        | Capability.NGRAM_BLOCK
        | Capability.CONSTRAINTS
        | Capability.CONTRASTIVE
        | Capability.SPECULATIVE
        | Capability.LOGPROBS
        | Capability.TOKEN_IDS
        | Capability.WEIGHTS
    ),
    lazy("abroad.engines.transformers.engine:TransformersEngine.from_name"),
)
