"""A language model that was fine-tuned for the task, as a member of the registry of extractors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from abroad.core.registry import Capability
from abroad.core.settings import Count
from abroad.engines.spec import DEFAULT_ENGINE, ENGINES
from abroad.extraction.base import Extractor, ExtractorKind
from abroad.extraction.generative.decoding import Decoding, read_decoding


@dataclass(frozen=True)
class GenerativeSettings(Decoding):
    """How relations are decoded, and what runs the model.

    Attributes:
        base: base model of an adapter, if not the one it names.
        quantization: "none" or "nf4".
        batch_size: rows at once; beams count.
        engine: what runs the model; it must hold the weights.
        engine_settings: of the engine, as `--set` has them.
    """

    base: str | None = None
    quantization: str = "none"
    batch_size: Count = 16
    engine: str = DEFAULT_ENGINE
    engine_settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ENGINES.require(self.engine, Capability.WEIGHTS, "extraction with a fine-tuned model")
        ENGINES.read(self.engine, self.engine_settings)

    @property
    def decoding(self) -> Decoding:
        """How relations are decoded."""
        return Decoding(**{item.name: getattr(self, item.name) for item in fields(Decoding)})


def _own_settings(folder: Path) -> Mapping[str, Any]:
    decoding = read_decoding(folder)
    return {} if decoding is None else asdict(decoding)


def _load(name: str, settings: GenerativeSettings) -> Extractor:
    from abroad.extraction.generative.load import load_generative_extractor

    return load_generative_extractor(
        name,
        settings.decoding,
        base=settings.base,
        quantization=settings.quantization,
        batch_size=settings.batch_size,
        engine=(settings.engine, settings.engine_settings),
    )


KIND = ExtractorKind(
    "a language model",
    GenerativeSettings,
    Capability.LANGUAGE_MODEL | Capability.ENGINE,
    _load,
    own_settings=_own_settings,
)
