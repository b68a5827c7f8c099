"""The engine `transformers` as a member of the registry: language models in this process, by transformers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from abroad.core.registry import Capability, lazy
from abroad.engines.base import EngineKind
from abroad.engines.weights import WeightsSettings


class TransformersSettings(WeightsSettings):
    """Settings of the engine `transformers`."""

    quantization: Literal["none", "nf4", "int8"] = Field(
        "none", description='Read the weights in 4 bits ("nf4", as QLoRA) or 8 ("int8"), or as they are ("none").'
    )


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
        | Capability.IMAGES
        | Capability.WEIGHTS
    ),
    lazy("abroad.engines.transformers.engine:TransformersEngine.from_name"),
)
