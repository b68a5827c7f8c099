"""A language model that was fine-tuned for the task, as a member of the registry of extractors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.registry import Capability
from abroad.extraction.base import Extractor, ExtractorKind
from abroad.extraction.generative.decoding import Decoding, GenerativeSettings, read_decoding


def _own_settings(folder: Path) -> Mapping[str, Any]:
    decoding = read_decoding(folder)
    return {} if decoding is None else decoding.model_dump()


def _check(name: str, settings: GenerativeSettings) -> None:
    """Refuse a chat model as it was published: it would answer with anything, and take long to say so.

    An adapter and a release (it says how it is decoded) were trained; of another whole model the user has to say so.
    """
    from abroad.models.chat import has_chat_template
    from abroad.models.source import describe_model
    from abroad.models.vision import reads_images

    source = describe_model(name, settings.base)
    if settings.resolution and not reads_images(source):
        raise InputError(f"resolution {settings.resolution}: {name} reads text only; expected resolution 0")
    if settings.trained or source.adapter is not None or read_decoding(Path(name)) is not None:
        return
    if has_chat_template(source):
        raise InputError(
            f"{name}: a chat model that was not trained for this task, which would answer with anything: "
            "`abroad fewshot` shows it examples, `abroad train` trains it; --trained, or trained: true in a config, "
            "if it was trained elsewhere"
        )


def _load(name: str, settings: GenerativeSettings) -> Extractor:
    from abroad.extraction.generative.load import load_generative_extractor

    extractor = load_generative_extractor(
        name,
        Decoding.of(settings),
        base=settings.base,
        quantization=settings.quantization,
        batch_size=settings.batch_size,
        engine=(settings.engine, settings.engine_settings),
    )
    as_trained = extractor.resolution
    extractor.show_images(as_trained if settings.resolution is None else settings.resolution, settings.images_from)
    return extractor


KIND = ExtractorKind(
    "a language model",
    GenerativeSettings,
    Capability.LANGUAGE_MODEL | Capability.ENGINE,
    _load,
    own_settings=_own_settings,
    check=_check,
)
