"""A run of `abroad train` as compression reads it: the adapter before and after."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.models.adapters import DRAWN_FROM, arrays_hash, load_arrays
from abroad.models.initial import METHOD, initial_adapter
from abroad.models.source import ADAPTER, INITIAL


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
