"""The built-in extractor, and those of `abroad extractor train`, as members of the registry of extractors."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from abroad.core.registry import Capability
from abroad.core.settings import Settings, Share
from abroad.extraction.base import Extractor, ExtractorKind

_PACKAGED = "builtin"  # the name in the registry of the extractor that comes with the package
_SCORER = "scorer.json"  # lies in every directory that `abroad extractor train` wrote


class PairSettings(Settings):
    """Which relations stay."""

    min_score: Share | None = Field(None, description="Leave out relations that are less probable.")
    precision: Share | None = Field(
        None, description="Take the threshold that gave this precision on held-out documents, instead."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.min_score is not None and self.precision is not None:
            raise ValueError("expected min_score or precision, not both")
        return self


def _recognises(folder: Path) -> bool:
    return (folder / _SCORER).is_file()


def _load(name: str, settings: PairSettings) -> Extractor:
    from abroad.extraction.builtin.pairs import load_pair_extractor

    folder = None if name == _PACKAGED else name
    return load_pair_extractor(folder, settings.min_score, settings.precision)


KIND = ExtractorKind(
    "the built-in extractor and those trained like it",
    PairSettings,
    Capability.CALIBRATED | Capability.NATURAL_PRODUCTS,
    _load,
    _recognises,
)
