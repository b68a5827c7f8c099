"""A run of `abroad train` as compression reads it: the adapter before and after."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.models.adapters import DRAWN_FROM, arrays_hash, load_arrays
from abroad.models.compeft import TernaryChange, compress, write_change
from abroad.models.initial import METHOD, initial_adapter
from abroad.models.source import ADAPTER, COMPRESSED, INITIAL
from abroad.release.settings import GridSettings

_KEPT = (".json", ".jinja", ".txt", ".model")
"""Of the files of a run, what a compressed adapter needs too."""


def read_run(run: Path) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, Any]]:
    """(initial adapter, trained adapter, what draws the initial one again) of a run of `abroad train`.

    Raises:
        InputError: the run lacks one of them, or its initial adapter is another than was recorded.
    """
    for name in (ADAPTER, INITIAL, "training.json"):
        if not (run / name).is_file():
            raise InputError(
                f"{run / name}: no such file; compression needs the adapter as it was drawn, which "
                "`abroad train` keeps beside the trained one"
            )
    record = json.loads((run / "training.json").read_text("utf-8"))
    facts = {name: record["settings"].get(name) for name in DRAWN_FROM}
    initial = load_arrays(run / INITIAL)
    facts["initial_hash"] = arrays_hash(initial)
    drawn = initial_adapter(facts["seed"], {name: value.shape for name, value in initial.items()})
    if arrays_hash(drawn) == facts["initial_hash"]:  # else by an earlier version
        facts["drawn"] = METHOD
    return initial, load_arrays(run / ADAPTER), facts


def trained_in(run: Path) -> str:
    """Quantisation of the base model that a run was trained with."""
    record = json.loads((run / "training.json").read_text("utf-8"))
    return str(record["settings"].get("quantization", "none"))


def write_compressed(run: Path, out: Path, change: TernaryChange, facts: dict[str, Any]) -> int:
    """Write a compressed adapter with what it needs of its run; the bytes of the change."""
    out.mkdir(parents=True, exist_ok=True)
    for file in run.iterdir():
        if file.is_file() and file.suffix in _KEPT and file.name != INITIAL:
            shutil.copy2(file, out / file.name)
    return write_change(out / COMPRESSED, change, facts)


def compress_as_told(run: Path, settings: GridSettings, out: Path) -> dict[str, float]:
    """Compress by the one density and scale of the settings: from the adapter's files alone, without its base model.

    Returns:
        Bytes of the change, and how many times smaller than the adapter in 16 bits that is.
    Raises:
        InputError: several densities or scales, of which only documents could choose one; or as `read_run`.
    """
    if len(settings.densities) != 1 or len(settings.scales) != 1:
        raise InputError("expected --dev DOCS to choose on, or one density and one scale: --densities 20 --scales 4")
    initial, tuned, facts = read_run(run)
    size = write_compressed(run, out, compress(initial, tuned, settings.densities[0], settings.scales[0]), facts)
    return {"bytes": size, "ratio": 2 * sum(value.size for value in tuned.values()) / size}
