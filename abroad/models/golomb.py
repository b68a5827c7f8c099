"""Places of few marks among many, in Golomb-Rice code (Golomb 1966; Rice 1979): near the entropy of the marks.

Gaps between marks are split into a quotient, in unary, and a remainder of `width` bits; the three streams (unary,
remainders, and what the caller adds) lie one after another, so that NumPy reads them without a loop.
"""

from __future__ import annotations

import math

import numpy as np

_GOLDEN = (math.sqrt(5) + 1) / 2


def rice_width(share: float) -> int:
    """Bits of the remainder that suit marks of this density (Kiely 2004, https://ipnpr.jpl.nasa.gov/progress_report/42-159/159E.pdf)."""
    if not 0 < share < 1:
        return 0
    return max(0, 1 + math.floor(math.log2(math.log(_GOLDEN - 1) / math.log(1 - share))))


def encode(places: np.ndarray, width: int) -> tuple[bytes, bytes]:
    """(unary stream, remainders) of rising places (int64, shape (n,))."""
    gaps = np.diff(places, prepend=-1) - 1
    quotients = gaps >> width
    ends = np.cumsum(quotients + 1)
    unary = np.ones(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    unary[ends - 1] = 0
    bits = (gaps[:, None] >> np.arange(width)) & 1
    return np.packbits(unary).tobytes(), np.packbits(bits.astype(np.uint8).ravel()).tobytes()


def decode(unary: bytes, remainders: bytes, width: int, count: int) -> np.ndarray:
    """The places, int64 of shape (count,).

    Raises:
        ValueError: the streams hold fewer.
    """
    ends = np.flatnonzero(np.unpackbits(np.frombuffer(unary, dtype=np.uint8)) == 0)[:count]
    bits = np.unpackbits(np.frombuffer(remainders, dtype=np.uint8))[: count * width]
    if len(ends) < count or len(bits) < count * width:
        raise ValueError("the streams are cut short")
    quotients = np.diff(ends, prepend=-1) - 1
    low = bits.reshape(count, width).astype(np.int64) @ (1 << np.arange(width, dtype=np.int64))
    return np.cumsum((quotients.astype(np.int64) << width) + low + 1) - 1
