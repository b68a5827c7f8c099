"""The engine `vllm` as a member of the registry: language models in this process, by vLLM."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from abroad.core.registry import Capability, lazy
from abroad.core.settings import Count, Positive, PositiveShare
from abroad.engines.base import EngineKind
from abroad.engines.weights import WeightsSettings


class VllmSettings(WeightsSettings):
    """Settings of the engine `vllm`."""

    tensor_parallel: Count = Field(1, description="GPUs that each layer is spread over.")
    pipeline_parallel: Count = Field(1, description="GPUs that the layers are spread over.")
    dtype: str = Field("auto", description='Type of the weights; "auto" takes the model\'s, on a CPU float32.')
    quantization: str | None = Field(
        None, description="Of the weights, as vLLM names it; without it as the model says."
    )
    max_model_len: Count | None = Field(None, description="Tokens of prompt and text together; without it the model's.")
    memory_share: PositiveShare = Field(
        0.9, description="Share of a GPU's memory; an amateur takes its room of the rest."
    )
    cpu_cache_gib: Positive = Field(2.0, description="Key-value cache on a CPU, in GiB.")

    layout: ClassVar[tuple[str, ...]] = (
        "tensor_parallel",
        "pipeline_parallel",
        "memory_share",
        "cpu_cache_gib",
        *WeightsSettings.layout,  # with a draft, vLLM samples another text of the same distribution
    )

    @property
    def gpus(self) -> int:
        return self.tensor_parallel * self.pipeline_parallel


KIND = EngineKind(
    VllmSettings,
    (
        Capability.CONSTRAINTS
        | Capability.CONTRASTIVE
        | Capability.SPECULATIVE
        | Capability.LOGPROBS
        | Capability.TOKEN_IDS
        | Capability.IMAGES
        | Capability.WEIGHTS
    ),
    lazy("abroad.engines.vllm.engine:VllmEngine.from_name"),
)
