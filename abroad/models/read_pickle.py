"""One pickled file of weights as safetensors: `python -m abroad.models.read_pickle SOURCE TARGET`.

Run by `abroad.models.convert` in a process of its own. Prints the names of the tensors with their bytes as JSON.
"""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path
from typing import Any


def main(source: Path, target: Path) -> int:
    """Convert; the exit code. For a file that holds no weights it is 1, and standard error says why."""
    import torch
    from safetensors.torch import save_file

    try:
        tensors = read(source, torch)
    except Exception as error:  # whatever a broken or hostile file makes torch raise
        print(" ".join(str(error).split())[:300] or type(error).__name__, file=sys.stderr)
        return 1
    # each on its own: safetensors refuses tensors that share memory, such as tied embeddings
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, target, {"format": "pt"})
    print(json.dumps({name: tensor.numel() * tensor.element_size() for name, tensor in tensors.items()}))
    return 0


def read(source: Path, torch: Any) -> dict[str, Any]:
    """Tensors by name.

    Raises:
        ValueError: the file holds something else.
    """
    mapped = zipfile.is_zipfile(source)  # of gigabytes only what is at hand is in memory; not so before torch 1.6
    found = torch.load(source, map_location="cpu", weights_only=True, mmap=mapped)
    if not isinstance(found, dict) or not all(isinstance(k, str) and torch.is_tensor(v) for k, v in found.items()):
        raise ValueError("expected tensors by name, found something else")
    if not found:
        raise ValueError("no tensor in the file")
    return dict(found)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
