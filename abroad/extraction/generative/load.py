"""A generative extractor of a model's name: its files, its engine, and what tells it from others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.field import load_field
from abroad.core.progress import tell
from abroad.core.registry import Capability
from abroad.engines.base import Engine
from abroad.engines.spec import DEFAULT_ENGINE, ENGINES, EngineSpec, text_identity
from abroad.extraction.generative.decoding import Decoding, check_decoding, read_decoding
from abroad.extraction.generative.extractor import GenerativeExtractor
from abroad.extraction.generative.notation import Notation
from abroad.models.identity import weights_digest
from abroad.models.load import load_tokenizer
from abroad.models.resolve import resolve_model
from abroad.models.source import ModelSource, describe_model
from abroad.models.vision import read_resolution

FIELD_FILE = "field.yaml"
"""Beside an adapter, the field that it was trained on, if that is not the built-in one."""


def extractor_of(
    model: Any, tokenizer: Any, decoding: Decoding, notation: Notation | None = None, reader: Any = None
) -> GenerativeExtractor:
    """A generative extractor over a model at hand, such as one in training; it has no identity to go on by."""
    from abroad.engines.transformers.engine import TransformersEngine

    engine = TransformersEngine(model, tokenizer)
    engine.images = reader  # of images, where the model reads them
    return GenerativeExtractor(engine, tokenizer, decoding, {}, notation)


def load_generative_extractor(
    model: str,
    decoding: Decoding,
    base: str | None = None,
    quantization: str = "none",
    batch_size: int = 16,
    engine: tuple[str, Mapping[str, Any]] = (DEFAULT_ENGINE, {}),
) -> GenerativeExtractor:
    """A generative extractor over a model by name or path (adapters are merged).

    Args:
        engine: its name and settings, as `abroad.engines.spec.read_settings` takes them: contrastive and
            speculative decoding are among them.
    Raises:
        InputError: no such model or setting, or settings that do not go with the decoding.
    """
    name, values = engine
    ENGINES.require(name, Capability.WEIGHTS, "extraction with a fine-tuned model")
    own = {"base": base, "quantization": quantization if quantization != "none" else None}
    chosen = {**{key: value for key, value in own.items() if value is not None}, **values}
    spec = EngineSpec.read(name, model, batch_size, chosen)
    return extractor_over(spec, decoding)


def extractor_over(spec: EngineSpec, decoding: Decoding, engine: Engine | None = None) -> GenerativeExtractor:
    """A generative extractor of the model of an engine.

    Args:
        engine: that engine, which may be still to be made; without it, it is made now.
    Raises:
        InputError: no such model, or an engine that cannot decode like this.
    """
    base = getattr(spec.settings, "base", None)
    source = resolve_model(spec.model, base)
    check_decoding(decoding, spec)
    identity: dict[str, Any] = {"base": source.base}
    differing = text_identity(spec.name, spec.model, spec.settings.replace(base=None) if base else spec.settings)
    identity |= {key: value for key, value in differing.items() if (key, value) != ("engine", DEFAULT_ENGINE)}
    identity |= {"model": str(source.adapter or source.base), "weights": weights_digest(source)}
    for key, other in spec.settings.further_models.items():
        identity[f"{key}_weights"] = weights_digest(resolve_model(other))
    notation = notation_of(source)
    identity |= {} if notation.field.is_built_in else {"field": notation.field.model_dump(mode="json")}
    made = engine or spec.make(Context(say=tell))
    extractor = GenerativeExtractor(made, load_tokenizer(source), decoding, identity, notation)
    extractor.show_images(read_resolution(source.adapter))
    return extractor


def is_trained(spec: EngineSpec) -> bool:
    """Whether a model shows by its files that it was fine-tuned for the task: an adapter, or a release.

    Raises:
        InputError: no such model.
    """
    source = describe_model(spec.model, getattr(spec.settings, "base", None))
    return source.adapter is not None or read_decoding(Path(spec.model)) is not None


def notation_of(source: ModelSource) -> Notation:
    """How a fine-tuned model writes relations: by the field that lies beside its adapter, or the built-in one."""
    file = Path(source.adapter) / FIELD_FILE if source.adapter is not None else None
    return Notation(load_field(file) if file is not None and file.exists() else None)
