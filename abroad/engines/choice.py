"""Which model a job works with, and which engine runs it: the settings that every such job has in common."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from abroad.core.errors import InputError
from abroad.core.registry import Capability, member_of
from abroad.core.settings import Count, Settings
from abroad.engines.spec import DEFAULT_ENGINE, ENGINES, EngineSpec

ENGINE_SETTINGS_HELP = (
    "A setting of the engine, as often as needed: tensor_parallel=4, amateur_keeps=64, draft=ngram; "
    "an unknown key lists them."
)


class EngineChoice(Settings):
    """A model, and what runs it."""

    engine: Annotated[str, member_of(ENGINES)] = Field(
        DEFAULT_ENGINE, description="What runs the model: transformers, vllm, or openai (any server of that API)."
    )
    engine_settings: dict[str, Any] = Field({}, description=ENGINE_SETTINGS_HELP)
    model: str = Field(
        "smollm2-135m", description="A local path, a name of the hub, or smollm2-135m (which comes as a package)."
    )
    batch_size: Count = Field(16, description="Texts at once; with a server, requests at once.")

    @model_validator(mode="after")
    def _known_engine(self) -> Self:
        check_engine(self.engine, self.engine_settings)
        return self

    @property
    def spec(self) -> EngineSpec:
        """The engine, still to be made."""
        return EngineSpec.read(self.engine, self.model, self.batch_size, self.engine_settings)

    @property
    def text_identity(self) -> dict[str, Any]:
        """What decides a text beside its prompt."""
        return self.spec.identity


def check_engine(engine: str, values: dict[str, Any], needs: Capability = Capability.NONE, purpose: str = "") -> None:
    """Check an engine's name and settings within the settings of a job.

    Args:
        engine: Its name.
        values: Its settings.
        needs: What it must be able to do.
        purpose: What for, for the message.

    Raises:
        ValueError: No such engine or setting, a value out of range, or an engine that cannot do what is needed.
    """
    try:
        ENGINES.require(engine, needs, purpose)
        ENGINES.read(engine, values)
    except InputError as error:
        raise ValueError(str(error)) from None
