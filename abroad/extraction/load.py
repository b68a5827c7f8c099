"""Which extractor a name or a directory means, and how it is loaded. Nothing else in abroad decides that.

Nothing heavy is imported before an extractor is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.extraction.base import Extractor
from abroad.extraction.generative.decoding import Decoding, read_decoding

BUILTIN = "builtin"
"""The name of the extractor that comes with the package."""

_SCORER = "scorer.json"  # lies in every directory that `abroad extractor train` wrote
_DECODING = tuple(field.name for field in fields(Decoding))


@dataclass(frozen=True)
class ExtractorKind:
    """What is known of an extractor before it is loaded.

    Attributes:
        description: for messages ("a language model").
        settings: names of the settings that `load_extractor` takes for it.
        load: makes the extractor of a name and settings.
    """

    description: str
    settings: tuple[str, ...]
    load: Callable[[str, Mapping[str, Any]], Extractor]


def extractor_kind(name: str | Path = BUILTIN) -> ExtractorKind:
    """The kind of extractor that a name or a directory means; nothing is loaded."""
    if str(name) == BUILTIN or (Path(name) / _SCORER).is_file():
        return _PAIRS
    return _LANGUAGE_MODEL


def load_extractor(name: str | Path = BUILTIN, **settings: Any) -> Extractor:
    """Load an extractor by its name or directory.

    Args:
        name: One of

            - `"builtin"`: the extractor that comes with the package (no GPU, no language model);
            - a directory that `abroad extractor train` wrote;
            - a language model fine-tuned for the task: a directory of `abroad train` or `abroad release`, a
              model or adapter directory, a `.gguf` file, or a name of the Hugging Face hub.
        **settings: Of the built-in extractor and of those trained like it:

            - `min_score`: relations that are less probable are left out, 0 to 1;
            - `precision`: instead, the threshold that gave this precision on held-out documents, 0 to 1.

            Of a language model:

            - `beams`, `max_new_tokens` (tokens), `length_penalty`, `early_stopping`, `force_end`, `ngram_block`
              and `chunk_overlap` (tokens): how it is decoded, see `Decoding`; else as its release says;
            - `base`: the base model of an adapter, if not the one it names;
            - `quantization`: `"none"` or `"nf4"`;
            - `batch_size`: rows at once;
            - `engine`: `"transformers"` or `"vllm"`, and `engine_settings`, a mapping.

    Returns:
        The extractor; `extractor.extract(documents)` yields a `Prediction` for each `Document`.

    Raises:
        InputError: There is no such extractor or setting, or a value out of range.
        MissingDependencyError: An optional package that it needs is not installed.

    Example:
        >>> import abroad
        >>> extractor = abroad.load_extractor("builtin", precision=0.85)
        >>> document = abroad.Document.from_text("Usnic acid was isolated from Usnea barbata.")
        >>> [prediction] = extractor.extract([document])
    """
    kind = extractor_kind(name)
    unknown = sorted(set(settings) - set(kind.settings))
    if unknown:
        raise InputError(
            f"{name}: no setting {unknown[0]!r} of {kind.description}; expected one of: {', '.join(kind.settings)}"
        )
    return kind.load(str(name), settings)


def _load_pairs(name: str, settings: Mapping[str, Any]) -> Extractor:
    from abroad.extraction.builtin.manifest import check_manifest
    from abroad.extraction.builtin.pairs import load_pair_extractor

    given = {key: value for key, value in settings.items() if value is not None}
    for key, value in given.items():
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            raise InputError(f"{key}: expected a number from 0 to 1, found {value!r}")
    if len(given) > 1:
        raise InputError("expected min_score or precision, not both")
    if name != BUILTIN:
        check_manifest(Path(name))
    return load_pair_extractor(None if name == BUILTIN else name, **given)


def _load_language_model(name: str, settings: Mapping[str, Any]) -> Extractor:
    from abroad.extraction.generative.load import load_generative_extractor

    decoding = read_decoding(Path(name)) or Decoding()
    decoding = replace(decoding, **{key: value for key, value in settings.items() if key in _DECODING})
    return load_generative_extractor(
        name,
        decoding,
        base=settings.get("base"),
        quantization=settings.get("quantization", "none"),
        batch_size=settings.get("batch_size", 16),
        engine=(settings.get("engine", "transformers"), settings.get("engine_settings") or {}),
    )


_PAIRS = ExtractorKind("the built-in extractor and those trained like it", ("min_score", "precision"), _load_pairs)
_LANGUAGE_MODEL = ExtractorKind(
    "a language model",
    (*_DECODING, "base", "quantization", "batch_size", "engine", "engine_settings"),
    _load_language_model,
)
