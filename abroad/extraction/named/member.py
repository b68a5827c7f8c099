"""A field's file, whose names are looked for, as a member of the registry of extractors."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from abroad.core.errors import InputError
from abroad.core.registry import Capability
from abroad.core.settings import Settings
from abroad.extraction.base import Extractor, ExtractorKind

_NAME = "names"  # in the registry
_ENDINGS = (".yaml", ".yml")


class NamedSettings(Settings):
    """What is taken for related."""

    within: Literal["sentence", "document"] = Field(
        "sentence", description="Where two names stand together that are taken for related."
    )


def _check(name: str, settings: NamedSettings) -> None:
    if name == _NAME:
        raise InputError(f"{name}: expected the file of a field, which `abroad field new` writes")


def _load(name: str, settings: NamedSettings) -> Extractor:
    from abroad.extraction.named.extractor import load_named_extractor

    return load_named_extractor(Path(name), settings.within)


KIND = ExtractorKind(
    "the names of a field",
    NamedSettings,
    Capability.DIRECTORY,
    _load,
    lambda path: path.is_file() and path.suffix.lower() in _ENDINGS,
    check=_check,
)
