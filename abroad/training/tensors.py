"""Tensors as files, written whole or not at all, and their hash."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any


def copy_whole(source: Path, target: Path) -> None:
    """Copy a file; the target appears when all of it is there."""
    partial = target.with_name(target.name + ".part")
    shutil.copyfile(source, partial)
    partial.replace(target)


def save_tensors(tensors: dict[str, Any], path: Path) -> None:
    """Write tensors by their names (safetensors)."""
    from safetensors.torch import save_file

    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    save_file({name: value.contiguous() for name, value in tensors.items()}, partial, metadata={"format": "pt"})
    shutil.move(partial, path)


def tensors_hash(tensors: dict[str, Any]) -> str:
    """SHA-256 over names and bytes, in the order of the names."""
    import torch

    total = hashlib.sha256()
    for name in sorted(tensors):
        total.update(name.encode())
        total.update(tensors[name].contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return total.hexdigest()
