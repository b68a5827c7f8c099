"""A generative extractor of a model's name: its files, its engine, and what tells it from others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from abroad.core.errors import InputError
from abroad.engines.spec import make_engine, read_settings, text_identity
from abroad.extraction.generative.decoding import Decoding, check_decoding
from abroad.extraction.generative.extractor import GenerativeExtractor
from abroad.models.identity import weights_digest
from abroad.models.load import load_tokenizer
from abroad.models.resolve import resolve_model


def load_generative_extractor(
    model: str,
    decoding: Decoding,
    base: str | None = None,
    quantization: str = "none",
    batch_size: int = 16,
    engine: tuple[str, Mapping[str, Any]] = ("transformers", {}),
) -> GenerativeExtractor:
    """A generative extractor over a model by name or path (adapters are merged).

    Args:
        engine: its name and settings, as `abroad.engines.spec.read_settings` takes them: contrastive and
            speculative decoding are among them.
    Raises:
        InputError: no such model or setting, or settings that do not go with the decoding.
    """
    source = resolve_model(model, base)
    name, values = engine
    own = {"base": base, "quantization": quantization if quantization != "none" else None}
    if name not in ("transformers", "vllm"):
        raise InputError(f"engine {name!r}: extraction with a fine-tuned model takes transformers or vllm")
    chosen = {**{key: value for key, value in own.items() if value is not None}, **values}
    settings = read_settings(name, chosen)
    check_decoding(decoding, settings)
    identity = {"model": str(source.adapter or source.base), "base": source.base, "weights": weights_digest(source)}
    differing = text_identity(name, model, read_settings(name, {**chosen, "base": None}))
    identity |= {key: value for key, value in differing.items() if (key, value) != ("engine", "transformers")}
    identity |= {"model": str(source.adapter or source.base), "weights": weights_digest(source)}
    if amateur := getattr(settings, "amateur", None):
        identity["amateur_weights"] = weights_digest(resolve_model(amateur))
    return GenerativeExtractor(
        make_engine(name, model, batch_size, settings), load_tokenizer(source), decoding, identity
    )
