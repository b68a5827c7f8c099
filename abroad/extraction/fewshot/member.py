"""A model that is not trained for the task and is shown examples, as a member of the registry of extractors."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from abroad.core.io import Rejects
from abroad.core.registry import Capability
from abroad.core.settings import Count
from abroad.engines.lazy import LazyEngine
from abroad.engines.spec import DEFAULT_ENGINE, EngineSpec
from abroad.extraction.base import Extractor, ExtractorKind
from abroad.extraction.fewshot.entry import make_extractor
from abroad.extraction.fewshot.run import FewShotSettings
from abroad.extraction.fewshot.styles import load_style


@dataclass(frozen=True)
class FewShotModelSettings(FewShotSettings):
    """Which model is asked, and how.

    Attributes:
        structured: answers are bound to their form; None: where the engine can.
        model: base or instruct model: path, hub name, or as the server has it.
        engine: what runs it.
        engine_settings: of the engine, as `--set` has them.
        batch_size: texts at once; with a server, requests at once.
        style: of the prompt.
        prompt: a file of your own (Jinja2) in place of the style's.
        tokens_per_character: new tokens for each character of a document; None: the style's.
        examples: documents to take examples from; None: our own.
        embedder: encoder of a retriever that takes one.
    """

    structured: bool | None = None  # type: ignore[assignment]  # what asks is made of this with one of both
    model: str = "smollm2-135m"
    engine: str = DEFAULT_ENGINE
    engine_settings: dict[str, Any] = field(default_factory=dict)
    batch_size: Count = 16
    style: str = "instruct"
    prompt: Path | None = None
    tokens_per_character: float | None = None
    examples: Path | None = None
    embedder: str | None = None


def _load(name: str, settings: FewShotModelSettings) -> Extractor:
    spec = EngineSpec.read(settings.engine, settings.model, settings.batch_size, settings.engine_settings)
    if settings.resolution:
        spec.require(Capability.IMAGES, "reading images")
    asking = {item.name: getattr(settings, item.name) for item in fields(FewShotSettings)}
    if settings.structured is None:
        asking["structured"] = Capability.CONSTRAINTS in spec.capabilities
    style = load_style(settings.style, settings.prompt, settings.tokens_per_character)
    examples = settings.examples
    return make_extractor(
        LazyEngine(spec), style, FewShotSettings(**asking), None, examples, settings.embedder, Rejects()
    )


KIND = ExtractorKind("a model that is shown examples", FewShotModelSettings, Capability.ENGINE, _load)
