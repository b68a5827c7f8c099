"""Adapters compressed and whole again: a run becomes a compressed directory, and that a standard peft directory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.core.io import file_sha256
from abroad.release.compeft import FILE, TernaryChange, read_change

ADAPTER, INITIAL = "adapter_model.safetensors", "initial_adapter.safetensors"
_SETTINGS = ("seed", "lora_rank", "lora_alpha", "lora_dropout", "rope_factor")


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Tensors of a safetensors file as float32 arrays by name."""
    from safetensors.torch import load_file

    return {name: tensor.float().numpy() for name, tensor in load_file(path).items()}


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
    facts = {name: record["settings"][name] for name in _SETTINGS}
    return load_arrays(run / INITIAL), load_arrays(run / ADAPTER), {**facts, "initial_hash": _hash(run / INITIAL)}


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


def decompressed(folder: Path, cache: Path) -> Path:
    """The standard peft directory of a compressed one, made once and kept in the cache.

    Raises:
        InputError: damaged, or its beginning cannot be drawn again here.
    """
    digest = file_sha256(folder / FILE)[:16]
    target = cache / "adapters" / digest
    if (target / ADAPTER).is_file() and (target / "adapter_config.json").is_file():
        return target
    change, header = read_change(folder / FILE)
    partial = target.with_name(target.name + ".part")
    shutil.rmtree(partial, ignore_errors=True)
    write_adapter(partial, change.applied_to(_drawn_again(folder, change, header)), folder)
    if target.exists():
        shutil.rmtree(target)
    partial.rename(target)
    return target


def _drawn_again(folder: Path, change: TernaryChange, header: dict[str, Any]) -> dict[str, np.ndarray]:
    """The initial adapter: the file if it lies there, else drawn from its seed as training did."""
    if (folder / INITIAL).is_file():
        arrays = load_arrays(folder / INITIAL)
    else:
        from abroad.training.initial import draw_adapter

        config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
        arrays = draw_adapter(config["base_model_name_or_path"], {name: header[name] for name in _SETTINGS})
    if {name: value.shape for name, value in arrays.items()} != change.shapes:
        raise InputError(f"{folder}: its base model has other layers than the one it was trained on")
    if arrays_hash(arrays) != header["initial_hash"]:
        raise InputError(
            f"{folder}: the adapter it began with cannot be drawn again with this version of torch; "
            f"expected {INITIAL} beside it (ask whoever released it)"
        )
    return arrays


def _hash(path: Path) -> str:
    return arrays_hash(load_arrays(path))


def arrays_hash(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 of float32 arrays in the order of their names."""
    import hashlib

    total = hashlib.sha256()
    for name in sorted(arrays):
        total.update(name.encode() + np.ascontiguousarray(arrays[name], dtype=np.float32).tobytes())
    return total.hexdigest()
