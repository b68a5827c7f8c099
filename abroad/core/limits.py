"""What compressed data may grow to: a file of kilobytes must not fill memory or run for hours.

Deflate packs at most 1:1032, text about 1:10; far more than that is no text, whatever it claims to be.
"""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from typing import IO, Any

from abroad.core.errors import InputError

MAX_IN_MEMORY = 256 << 20
"""Bytes that data may unpack to which is held in memory as a whole."""
MAX_RATIO = 200
"""How many times its compressed size a stream may grow to, beyond `_FREE` bytes."""
_FREE = 64 << 20
_BLOCK = 1 << 20


class RewindableStream(io.RawIOBase):
    """A stream made from another as it is read, which can be wound back to its start and nowhere else."""

    _what = "this stream"

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._begin()

    def _begin(self) -> None:
        """Everything from the start of the source, which stands there."""
        raise NotImplementedError

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """To the start, from where everything is made again."""
        if offset or whence != io.SEEK_SET:
            raise io.UnsupportedOperation(f"{self._what} can only be wound back to its start")
        self._source.seek(0)
        self._begin()
        return 0


class BoundedGzip(RewindableStream):
    """A gzip stream, read block by block, that ends with an error where it grows beyond all measure.

    Reads may raise:
        InputError: `name` unpacks to more than `MAX_RATIO` times its size.
    """

    _what = "a gzip stream"

    def __init__(self, raw: IO[bytes], name: str) -> None:
        self._name = name
        super().__init__(raw)

    def _begin(self) -> None:
        self._gzip, self._size = gzip.GzipFile(fileobj=self._source), 0

    def readinto(self, buffer: Any) -> int:
        data = self._gzip.read1(len(buffer))  # a longer read would lose what comes before the end of a cut-off file
        count = len(data)
        buffer[:count] = data
        self._size += count
        if self._size > max(_FREE, MAX_RATIO * self._source.tell()):
            raise too_large(self._name)
        return count


class EndingGzip(BoundedGzip):
    """As `BoundedGzip`; a file that is damaged or cut off ends where it can be read no further.

    Attributes:
        damage: what is wrong there; None of a sound file, or of one that was not read so far.
    """

    damage: str | None = None

    def readinto(self, buffer: Any) -> int:
        if self.damage is not None:
            return 0
        try:
            return super().readinto(buffer)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self.damage = f"the gzip file is damaged or cut off here ({error}); the rest is not read"
            return 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.damage = None
        return super().seek(offset, whence)


def inflated(data: bytes, name: str) -> None:
    """Check that zlib data unpacks to what memory holds; data that is damaged passes.

    Raises:
        InputError: it does not.
    """
    unpacker, size = zlib.decompressobj(), 0
    while data and not unpacker.eof:
        try:
            size += len(unpacker.decompress(data, _BLOCK))
        except zlib.error:
            return
        if size > MAX_IN_MEMORY:
            raise too_large(name)
        data = unpacker.unconsumed_tail


def check_zip(data: bytes, name: str) -> None:
    """Check by its own directory that an archive unpacks to what memory holds; a member never gives more than that.

    Raises:
        InputError: it does not.
        zipfile.BadZipFile: no archive.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MAX_IN_MEMORY:
            raise too_large(name)


def too_large(name: str) -> InputError:
    """The error for data that unpacks to too much."""
    return InputError(f"{name}: unpacks to far more than a file of texts does (a 'zip bomb'?); it is not read")
