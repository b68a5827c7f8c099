"""The checksums of a trained extractor, in a file beside its own: a damaged file is told and never loaded."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from abroad.core.errors import InputError
from abroad.core.io import file_sha256, write_json

MANIFEST = "manifest.json"


def write_manifest(folder: Path, names: Sequence[str]) -> None:
    """Write the checksums of some files of a folder, when all of them are there."""
    write_json(folder / MANIFEST, {"sha256": {name: file_sha256(folder / name) for name in names}})


def check_manifest(folder: Path) -> None:
    """Compare the files with their checksums; a model of an earlier version has none.

    Raises:
        InputError: a file is missing or is not what it was when the model was made.
    """
    path = folder / MANIFEST
    if not path.exists():
        return
    try:
        files = dict(json.loads(path.read_text(encoding="utf-8"))["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{path}: damaged; copy the extractor again, or train it again") from None
    for name, digest in files.items():
        file = folder / Path(str(name)).name
        if not file.is_file():
            raise InputError(f"{file}: missing; copy the extractor again, or train it again")
        if file_sha256(file) != digest:
            raise InputError(
                f"{file}: damaged: not what was written when the extractor was made; copy it again, or train it again"
            )
