"""The engine `openai` as a member of the registry: language models that a server holds."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from abroad.core.registry import Capability, lazy
from abroad.core.settings import Count, NotNegative, Positive
from abroad.engines.base import EngineKind
from abroad.engines.spec import EngineSettings


def _address(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"expected the address of a server, http://HOST:PORT/v1, found {url!r}")
    return url


class OpenAiSettings(EngineSettings):
    """Settings of the engine `openai`."""

    base_url: Annotated[str, AfterValidator(_address)] | None = Field(
        None, description="The server, http://HOST:PORT/v1; without it OPENAI_BASE_URL, else vLLM's default."
    )
    timeout: Positive = Field(600.0, description="Seconds without a byte after which a request has failed.")
    deadline: Positive = Field(1200.0, description="Seconds for the tries of a request that get no answer in time.")
    attempts: Count = Field(6, description="Tries of one request.")
    first_wait: NotNegative = Field(1.0, description="Seconds before the second try, doubled from then on.")

    layout: ClassVar[tuple[str, ...]] = ("base_url", "timeout", "deadline", "attempts", "first_wait")


# It passes constraints on, but a server may ignore them.
KIND = EngineKind(
    OpenAiSettings, Capability.IMAGES | Capability.LOGPROBS, lazy("abroad.engines.openai.engine:OpenAiEngine.from_name")
)
