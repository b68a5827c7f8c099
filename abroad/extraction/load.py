"""The registry of extractors, and which of them a name or a directory means. Nothing else in abroad decides that.

Nothing heavy is imported before an extractor is asked for.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abroad.core.arguments import depth_of_caller
from abroad.core.errors import InputError, Note, nearest, short
from abroad.core.registry import Capability, Registry, read_values
from abroad.extraction.base import Extractor, ExtractorKind
from abroad.models.source import PACKAGED, describe_model

BUILTIN = "builtin"
"""The name of the extractor that comes with the package."""

LANGUAGE_MODEL = "language-model"
"""What a name is that no other kind knows."""

EXTRACTORS: Registry[ExtractorKind] = Registry(
    "extractor",
    "abroad.extractors",
    {
        BUILTIN: "abroad.extraction.builtin.member:KIND",
        "fewshot": "abroad.extraction.fewshot.member:KIND",
        "joint": "abroad.extraction.joint.member:KIND",
        LANGUAGE_MODEL: "abroad.extraction.generative.member:KIND",
        "names": "abroad.extraction.named.member:KIND",
    },
)
"""What turns documents into predictions."""


def extractor_kind(name: str | Path = BUILTIN) -> ExtractorKind:
    """The kind of extractor that a name or a directory means; nothing is loaded.

    A name of the registry means that member; a directory or a file, the kind that recognises it; anything else is a
    language model.
    """
    if str(name) in EXTRACTORS:
        return EXTRACTORS.get(str(name))
    folder = Path(name)
    for member in EXTRACTORS.names() if folder.exists() else ():
        try:
            kind = EXTRACTORS.get(member)
        except InputError as error:  # a broken package of somebody else is no reason not to read our own
            warnings.warn(str(error), Note, stacklevel=depth_of_caller())
            continue
        if kind.recognises(folder):
            return kind
    return EXTRACTORS.get(LANGUAGE_MODEL)


def load_extractor(name: str | Path = BUILTIN, **settings: Any) -> Extractor:
    """Load an extractor by its name or directory.

    Args:
        name: One of

            - `"builtin"`: the extractor that comes with the package (no GPU, no language model);
            - `"fewshot"`: a language model as it is, shown examples in its prompt;
            - a directory that `abroad extractor train` wrote;
            - a field's file: names of its sources that stand in one sentence are taken for related;
            - the name of an extractor of another package, or a directory that it recognises;
            - a language model fine-tuned for the task: a directory of `abroad train` or `abroad release`, a
              model or adapter directory, a `.gguf` file, or a name of the Hugging Face hub.
        **settings: Of the built-in extractor and of those trained like it:

            - `min_score`: relations that are less probable are left out, 0 to 1;
            - `precision`: instead, the threshold that gave this precision on held-out documents, 0 to 1.

            Of a language model:

            - `num_beams`, `max_new_tokens` (tokens), `length_penalty`, `early_stopping`, `force_end`,
              `no_repeat_ngram_size` and `chunk_overlap` (tokens): how it is decoded, see `Decoding`; else as its
              release says;
            - `base`: the base model of an adapter, if not the one it names;
            - `quantization`: `"none"`, `"nf4"` or `"int8"`;
            - `batch_size`: rows at once;
            - `engine`: `"transformers"`, `"vllm"` or another that holds the weights, and `engine_settings`, a mapping;
            - `trained`: that it was fine-tuned for the task, though its files are those of a chat model as published.

            Of `"fewshot"`: `model`, `style`, `shots` and the others of `FewShotModelSettings`.

    Returns:
        The extractor; `extractor.extract(documents)` yields a `Prediction` for each `Document`.

    Raises:
        InputError: There is no such extractor or setting, a value is out of range, or it is a chat model that was not
            trained for the task.
        MissingDependencyError: An optional package that it needs is not installed.

    Example:
        >>> import abroad
        >>> extractor = abroad.load_extractor("builtin", precision=0.85)
        >>> document = abroad.Document.from_text("Usnic acid was isolated from Usnea barbata.")
        >>> [prediction] = extractor.extract([document])
    """
    kind, checked = check_extractor(name, settings)
    extractor = kind.load(str(name), checked)
    if not callable(getattr(extractor, "extract", None)):
        raise InputError(f"extractor {name}: expected an extractor from its `load`, found {short(extractor)}")
    return extractor


def check_extractor(name: str | Path, settings: Mapping[str, Any]) -> tuple[ExtractorKind, Any]:
    """Check that a name and settings mean an extractor that can be had, as far as that is seen without loading it.

    Args:
        name: As `load_extractor` takes it.
        settings: Likewise.

    Returns:
        Its kind, and the settings, validated.

    Raises:
        InputError: As `load_extractor`.
    """
    if not isinstance(name, str | Path):
        raise InputError(f"expected the name or the folder of an extractor, found {type(name).__name__}")
    if not str(name).strip():
        raise InputError("expected the name or the folder of an extractor, found no text")
    kind = extractor_kind(name)
    if Capability.LANGUAGE_MODEL in kind.capabilities:
        _check_model(name, settings.get("base"))
    checked = check_settings(name, settings)
    kind.check(str(name), checked)
    return kind, checked


def _check_model(name: str | Path, base: str | None) -> None:
    """Refuse a name of no language model; what no other kind knows is taken for one, so say what can be had."""
    try:
        describe_model(str(name), base)
    except InputError as error:
        if str(name) in PACKAGED or Path(name).exists():  # it is one, and something is wrong with it
            raise InputError(f"{error}; nor is it an extractor of another kind") from None
        raise InputError(f"{name}: no such extractor; {_what_there_is(str(name))}") from None


def _what_there_is(name: str) -> str:
    # Kinds whose own name is not that of an extractor.
    nameless = {*EXTRACTORS.able(Capability.LANGUAGE_MODEL), *EXTRACTORS.able(Capability.DIRECTORY)}
    names = [member for member in EXTRACTORS.names() if member not in nameless]
    folder = Path(name).parent
    folders = [str(path) for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    near = nearest(name, [*names, *PACKAGED, *folders])
    return (
        f"{f'did you mean {near}? E' if near else 'e'}xpected one of: {', '.join(names)}; a directory of "
        "`abroad extractor train`, `abroad train` or `abroad release`; a field's file; or a language model that "
        "was fine-tuned for the task: a folder of a model or an adapter, "
        f"a .gguf file, {', '.join(PACKAGED)}, or owner/model of the hub"
    )


def check_settings(name: str | Path, settings: Mapping[str, Any]) -> Any:
    """The settings of an extractor, validated; nothing is loaded.

    Returns:
        An object of the class `Settings` of its kind: what is given, else what a directory asks for itself.

    Raises:
        InputError: There is no such setting, or a value out of range.
    """
    kind = extractor_kind(name)
    former: dict[str, str] = getattr(kind.Settings, "all_former_names", dict)()
    given = {key: value for key, value in settings.items() if value is not None}
    own = {key: value for key, value in kind.own_settings(Path(name)).items() if key not in map(former.get, given)}
    return read_values(kind.Settings, {**own, **given}, str(name), kind.description)
