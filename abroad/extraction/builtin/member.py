"""The built-in extractor, and those of `abroad extractor train`, as members of the registry of extractors."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from abroad.core.errors import InputError
from abroad.core.registry import Capability
from abroad.core.settings import Share
from abroad.extraction.base import Extractor, ExtractorKind

_PACKAGED = "builtin"  # the name in the registry of the extractor that comes with the package
_SCORER = "scorer.json"  # lies in every directory that `abroad extractor train` wrote


@dataclass(frozen=True)
class PairSettings:
    """Which relations stay.

    Attributes:
        min_score: those that are less probable are left out.
        precision: instead, the threshold that gave this precision on held-out documents.
    """

    min_score: Share | None = None
    precision: Share | None = None

    def __post_init__(self) -> None:
        if self.min_score is not None and self.precision is not None:
            raise InputError("expected min_score or precision, not both")


def _recognises(folder: Path) -> bool:
    return (folder / _SCORER).is_file()


def _load(name: str, settings: PairSettings) -> Extractor:
    from abroad.extraction.builtin.pairs import load_pair_extractor

    folder = None if name == _PACKAGED else name
    return load_pair_extractor(folder, settings.min_score, settings.precision)


KIND = ExtractorKind(
    "the built-in extractor and those trained like it", PairSettings, Capability.CALIBRATED, _load, _recognises
)
