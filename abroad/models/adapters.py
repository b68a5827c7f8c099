"""Directories of adapters: their weights as arrays, and a compressed one made a standard peft directory."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.core.io import file_sha256
from abroad.models.compeft import TernaryChange, read_change
from abroad.models.initial import METHOD, initial_adapter
from abroad.models.source import ADAPTER, COMPRESSED, INITIAL

DRAWN_FROM = ("seed", "lora_rank", "lora_alpha", "lora_dropout", "rope_factor", "lora_targets")
"""Settings of a training run that decide the adapter it begins with."""
Draw = Callable[[Path, dict[str, Any]], dict[str, np.ndarray]]
"""(directory of the compressed adapter, values of `DRAWN_FROM`) -> the adapter it began with, in earlier versions."""


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Tensors of a safetensors file as float32 arrays by name."""
    from safetensors.torch import load_file

    return {name: tensor.float().numpy() for name, tensor in load_file(path).items()}


def write_adapter(folder: Path, arrays: dict[str, np.ndarray], like: Path) -> None:
    """A peft directory with these weights and the other files of an adapter directory `like`."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    for file in like.iterdir():
        if file.is_file() and file.suffix in (".json", ".jinja", ".txt", ".model", ".md"):
            shutil.copy2(file, folder / file.name)
    tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in arrays.items()}
    save_file(tensors, folder / ADAPTER, metadata={"format": "pt"})


def decompressed(folder: Path, cache: Path, draw: Draw) -> Path:
    """The standard peft directory of a compressed one, made once and kept in the cache.

    Args:
        draw: makes the adapter it began with, where that neither lies in `folder` nor follows from seed and shapes.
    Raises:
        InputError: damaged, or its beginning cannot be drawn again here.
    """
    digest = file_sha256(folder / COMPRESSED)[:16]
    target = cache / "adapters" / digest
    if (target / ADAPTER).is_file() and (target / "adapter_config.json").is_file():
        return target
    change, header = read_change(folder / COMPRESSED)
    partial = target.with_name(target.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    write_adapter(partial, change.applied_to(_beginning(folder, change, header, draw)), folder)
    if target.exists():
        shutil.rmtree(target)
    partial.rename(target)
    return target


def _beginning(folder: Path, change: TernaryChange, header: dict[str, Any], draw: Draw) -> dict[str, np.ndarray]:
    """The initial adapter: the file if it lies there, else drawn from its seed as training did."""
    if (folder / INITIAL).is_file():
        arrays = load_arrays(folder / INITIAL)
    elif header.get("drawn") == METHOD:
        arrays = initial_adapter(int(header["seed"]), change.shapes)
    else:
        arrays = draw(folder, {name: header.get(name) for name in DRAWN_FROM})
    if {name: value.shape for name, value in arrays.items()} != change.shapes:
        raise InputError(f"{folder}: its base model has other layers than the one it was trained on")
    if arrays_hash(arrays) != header["initial_hash"]:
        raise InputError(
            f"{folder}: the adapter it began with cannot be drawn again here; "
            f"expected {INITIAL} beside it (ask whoever released it)"
        )
    return arrays


def arrays_hash(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of float32 arrays in the order of their names."""
    import hashlib

    total = hashlib.sha256()
    for name in sorted(arrays):
        total.update(name.encode() + np.ascontiguousarray(arrays[name], dtype=np.float32).tobytes())
    return total.hexdigest()
