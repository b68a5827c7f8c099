"""Which model a job works with, and which engine runs it: the settings that every such job has in common."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from abroad.core.errors import InputError
from abroad.core.settings import Count, Settings
from abroad.engines.spec import EngineSpec, read_settings, text_identity

ENGINE_SETTINGS_HELP = (
    "A setting of the engine, as often as needed: tensor_parallel=4, amateur_keeps=64, draft=ngram; "
    "an unknown key lists them."
)


class EngineChoice(Settings):
    """A model, and what runs it."""

    engine: str = Field("transformers", description="transformers, vllm, or openai (any server of that API).")
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
        return EngineSpec(self.engine, self.model, self.batch_size, read_settings(self.engine, self.engine_settings))

    @property
    def text_identity(self) -> dict[str, Any]:
        """What decides a text beside its prompt."""
        return text_identity(self.engine, self.model, read_settings(self.engine, self.engine_settings))


def check_engine(engine: str, values: dict[str, Any]) -> None:
    """Check an engine's name and settings within the settings of a job.

    Raises:
        ValueError: No such engine or setting, or a value out of range.
    """
    try:
        read_settings(engine, values)
    except InputError as error:
        raise ValueError(str(error)) from None
