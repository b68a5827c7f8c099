"""The engine `vllm` as a member of the registry: language models in this process, by vLLM."""

from __future__ import annotations

from abroad.core.registry import Capability, lazy
from abroad.engines.base import EngineKind
from abroad.engines.spec import VllmSettings

KIND = EngineKind(
    VllmSettings,
    (
        Capability.CONSTRAINTS
        | Capability.CONTRASTIVE
        | Capability.SPECULATIVE
        | Capability.LOGPROBS
        | Capability.TOKEN_IDS
        | Capability.WEIGHTS
    ),
    lazy("abroad.engines.vllm.engine:VllmEngine.from_name"),
)
