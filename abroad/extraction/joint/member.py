"""Extractors that `abroad extractor train --field` wrote, as a member of the registry of extractors."""

from __future__ import annotations

from pathlib import Path

from abroad.core.errors import InputError
from abroad.core.registry import Capability
from abroad.extraction.base import Extractor, ExtractorKind
from abroad.extraction.builtin.member import PairSettings

_NAME = "joint"  # in the registry
_MODEL = "joint.json"  # lies in every such directory


class JointSettings(PairSettings):
    """Which relations stay."""


def _check(name: str, settings: JointSettings) -> None:
    if name == _NAME:
        raise InputError(f"{name}: expected the directory of one, which `abroad extractor train --field` writes")


def _load(name: str, settings: JointSettings) -> Extractor:
    from abroad.extraction.joint.extractor import load_joint_extractor

    return load_joint_extractor(Path(name), settings.min_score, settings.precision)


KIND = ExtractorKind(
    "an extractor of a field of your own",
    JointSettings,
    Capability.CALIBRATED | Capability.DIRECTORY | Capability.ENTITIES,
    _load,
    lambda folder: (folder / _MODEL).is_file(),
    check=_check,
)
