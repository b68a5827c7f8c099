"""A language model that was fine-tuned for the task, as a member of the registry of extractors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abroad.core.registry import Capability
from abroad.extraction.base import Extractor, ExtractorKind
from abroad.extraction.generative.decoding import Decoding, GenerativeSettings, read_decoding


def _own_settings(folder: Path) -> Mapping[str, Any]:
    decoding = read_decoding(folder)
    return {} if decoding is None else decoding.model_dump()


def _load(name: str, settings: GenerativeSettings) -> Extractor:
    from abroad.extraction.generative.load import load_generative_extractor

    return load_generative_extractor(
        name,
        Decoding.of(settings),
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
