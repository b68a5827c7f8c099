"""A field's file, whose names are looked for, as a member of the registry of extractors."""

from __future__ import annotations

from pathlib import Path

from abroad.core.errors import InputError
from abroad.core.registry import Capability
from abroad.core.settings import NoSettings
from abroad.extraction.base import Extractor, ExtractorKind

_NAME = "names"  # in the registry
_ENDINGS = (".yaml", ".yml")


def _check(name: str, settings: NoSettings) -> None:
    if name == _NAME:
        raise InputError(f"{name}: expected the file of a field, which `abroad field new` writes")


def _load(name: str, settings: NoSettings) -> Extractor:
    from abroad.extraction.named.extractor import load_named_extractor

    return load_named_extractor(Path(name))


KIND = ExtractorKind(
    "the names of a field",
    NoSettings,
    Capability.DIRECTORY,
    _load,
    lambda path: path.is_file() and path.suffix.lower() in _ENDINGS,
    check=_check,
)
