"""A model that is not trained for the task and is shown examples, as a member of the registry of extractors."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from abroad.core.context import Context
from abroad.core.field import find_field
from abroad.core.progress import tell
from abroad.core.registry import Capability
from abroad.core.settings import Positive
from abroad.engines.choice import EngineChoice
from abroad.engines.lazy import LazyEngine
from abroad.extraction.base import Extractor, ExtractorKind
from abroad.extraction.fewshot.entry import make_extractor
from abroad.extraction.fewshot.run import FewShotSettings
from abroad.extraction.fewshot.styles import load_style


class FewShotModelSettings(FewShotSettings, EngineChoice):
    """Which model is asked, and how."""

    structured: bool | None = Field(  # type: ignore[assignment]  # what asks is made of this with one of both
        None, description="Bind answers to their form; without it where the engine can."
    )
    style: str = Field("instruct", description="Style of the prompt.")
    prompt: Path | None = Field(None, description="A prompt of your own (Jinja2) in place of the style's.")
    tokens_per_character: Positive | None = Field(
        None, description="New tokens for each character of a document; else the style's."
    )
    examples: Path | None = Field(None, description="Documents to take examples from; else our own.")
    field: Path | None = Field(None, description="File of the field that is asked for; null: natural products.")
    images_from: Path | None = Field(
        None, description="Folder that relative paths of images count from; else that of the first input."
    )
    embedder: str | None = Field(None, description="Encoder of a retriever that takes one.")


def _load(name: str, settings: FewShotModelSettings) -> Extractor:
    spec = settings.spec
    if settings.resolution:
        spec.require(Capability.IMAGES, "reading images")
    bound = Capability.CONSTRAINTS in spec.capabilities if settings.structured is None else settings.structured
    asking = FewShotSettings.of(settings, structured=bound)
    style = load_style(settings.style, settings.prompt, settings.tokens_per_character, find_field(settings.field))
    examples = settings.examples
    context = Context(say=tell)
    extractor = make_extractor(LazyEngine(spec, context), style, asking, None, examples, settings.embedder, context)
    extractor.images_from = settings.images_from or Path()
    return extractor


KIND = ExtractorKind("a model that is shown examples", FewShotModelSettings, Capability.ENGINE, _load)
