"""How a LoRA adapter begins: each matrix is drawn by itself, from the seed and its own name.

So the beginning follows from names and shapes alone: on any device, for a base in any precision, whole or shared by
several processes, and again without the base model, which compression relies on (65 billion weights are not read to
draw 0.1 billion numbers). The distribution is peft's: A uniform within 1 / sqrt(inputs), B zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

METHOD = "matrix"
"""Names this way of drawing in files that rest on it; earlier ones were drawn by torch, all matrices in one go."""


def initial_matrix(seed: int, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """float32 values, shape (outputs, inputs), of a matrix by the name peft stores it under."""
    if ".lora_A." not in name:
        return np.zeros(shape, dtype=np.float32)
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    # The generator's raw numbers are the same in every version of NumPy; its distributions need not be.
    raw = np.random.PCG64(int.from_bytes(digest, "big")).random_raw(int(np.prod(shape)))
    unit = (raw >> np.uint64(11)) * 2.0**-53
    return ((2 * unit - 1) / np.sqrt(shape[-1])).astype(np.float32).reshape(shape)


def initial_adapter(seed: int, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """The whole adapter by the names that peft stores."""
    return {name: initial_matrix(seed, name, shape) for name, shape in shapes.items()}
