"""The engine `openai` as a member of the registry: language models that a server holds."""

from __future__ import annotations

from abroad.core.registry import Capability, lazy
from abroad.engines.base import EngineKind
from abroad.engines.spec import OpenAiSettings

# It passes constraints on, but a server may ignore them.
KIND = EngineKind(
    OpenAiSettings, Capability.IMAGES | Capability.LOGPROBS, lazy("abroad.engines.openai.engine:OpenAiEngine.from_name")
)
