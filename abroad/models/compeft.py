"""ComPEFT (Yadav et al., arXiv 2311.13171): what fine-tuning changed, as signs of its largest entries and one number.

The change is taken against the adapter as it was drawn: half of LoRA's matrices begin at random, and measured
against zero their change would be lost in the beginning. That beginning is drawn again from its seed on loading,
and its hash is compared.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.core.io import atomic_write, require_file
from abroad.models.golomb import decode, encode, rice_width

DENSITIES = (5, 10, 20, 30, 50)
"""Percent of the entries that are kept (the paper's grid)."""
SCALES = (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""Alphas (the paper's grid)."""
_MAGIC = b"abroad-compeft-1\n"
_LONGEST_HEADER = 2**24


@dataclass(frozen=True)
class TernaryChange:
    """The compressed change of an adapter.

    Attributes:
        shapes: name -> shape, in the order in which entries are counted (by name).
        places: int64, rising: entries that are not zero.
        signs: bool, True for plus.
        value: magnitude of all of them, alpha times the standard deviation of the change.
    """

    shapes: dict[str, tuple[int, ...]]
    places: np.ndarray
    signs: np.ndarray
    value: float

    @property
    def size(self) -> int:
        """Entries in all."""
        return sum(int(np.prod(shape)) for shape in self.shapes.values())

    def applied_to(self, initial: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The adapter: `initial` (float32 by name) with the change added."""
        flat = np.concatenate([initial[name].ravel() for name in self.shapes]).astype(np.float32)
        flat[self.places] += np.where(self.signs, self.value, -self.value).astype(np.float32)
        result, start = {}, 0
        for name, shape in self.shapes.items():
            end = start + int(np.prod(shape))
            result[name] = flat[start:end].reshape(shape)
            start = end
        return result


def compress(
    initial: dict[str, np.ndarray], tuned: dict[str, np.ndarray], density: float, scale: float
) -> TernaryChange:
    """Keep the signs of the largest `density` percent of all entries of the change, wherever they are.

    Args:
        initial: float arrays by name.
        tuned: float arrays of the same names and shapes.
        scale: alpha.
    Raises:
        InputError: names or shapes differ, or nothing changed.
    """
    if {name: value.shape for name, value in initial.items()} != {name: value.shape for name, value in tuned.items()}:
        raise InputError("the initial adapter has other matrices than the trained one; expected both of the same run")
    names = sorted(tuned)
    change = np.concatenate([(tuned[name] - initial[name]).ravel() for name in names]).astype(np.float32)
    if not change.any():
        raise InputError("the adapter is as it was drawn; nothing was trained")
    count = max(1, round(len(change) * density / 100))
    places = np.sort(np.argpartition(np.abs(change), len(change) - count)[len(change) - count :]).astype(np.int64)
    shapes = {name: tuple(tuned[name].shape) for name in names}
    return TernaryChange(shapes, places, change[places] > 0, float(scale * change.std(dtype=np.float64)))


def write_change(path: Path, change: TernaryChange, facts: dict[str, Any]) -> int:
    """Write the file; its size in bytes.

    Args:
        facts: what is needed to draw the beginning again; kept in the header.
    """
    width = rice_width(len(change.places) / change.size)
    unary, remainders = encode(change.places, width)
    signs = np.packbits(change.signs).tobytes()
    header = {
        **facts,
        "shapes": {name: list(shape) for name, shape in change.shapes.items()},
        "value": change.value,
        "count": len(change.places),
        "width": width,
        "streams": [len(unary), len(remainders), len(signs)],
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    import zlib

    packed = zlib.compress(text, 9)  # names of matrices repeat
    with atomic_write(path, binary=True) as stream:
        stream.write(_MAGIC + struct.pack("<I", len(packed)) + packed + unary + remainders + signs)
    return path.stat().st_size


def read_change(path: Path) -> tuple[TernaryChange, dict[str, Any]]:
    """The change, and the header it stands under.

    Raises:
        InputError: not such a file, or one that is damaged.
    """
    import zlib

    data = require_file(path, "a compressed adapter (ComPEFT)").read_bytes()
    try:
        if not data.startswith(_MAGIC):
            raise ValueError("another beginning")
        start = len(_MAGIC) + 4
        (length,) = struct.unpack("<I", data[len(_MAGIC) : start])
        text = zlib.decompressobj().decompress(data[start : start + length], _LONGEST_HEADER)
        header = json.loads(text)
        shapes = {str(name): tuple(map(int, shape)) for name, shape in header["shapes"].items()}
        sizes = [int(size) for size in header["streams"]]
        body = data[start + length :]
        if sum(sizes) != len(body) or min(sizes) < 0:
            raise ValueError("its length is wrong")
        unary, remainders, signs = (body[sum(sizes[:n]) : sum(sizes[: n + 1])] for n in range(3))
        count = int(header["count"])
        places = decode(unary, remainders, int(header["width"]), count)
        plus = np.unpackbits(np.frombuffer(signs, dtype=np.uint8))[:count].astype(bool)
        change = TernaryChange(shapes, places, plus, float(header["value"]))
        if len(plus) != count or (count and places[-1] >= change.size):
            raise ValueError("its entries lie outside the adapter")
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, zlib.error) as error:
        raise InputError(f"{path}: not a compressed adapter, or a damaged one ({error})") from None
    return change, header
