"""What is in a file whose name need not say it: gzip is unpacked, UTF-16 and UTF-32 are read as UTF-8.

Both are told by the first bytes: people rename files and pipe them, and editors and spreadsheets write UTF-16. Where
lines end as on the first Macintoshes, in a carriage return alone, they end in a line feed instead.
"""

from __future__ import annotations

import codecs
import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

from abroad.core.errors import InputError
from abroad.core.limits import MAX_IN_MEMORY, BoundedGzip, EndingGzip, RewindableStream, too_large

GZIP = b"\x1f\x8b"
HEAD = 4_096
_BUFFER = 1 << 16
_MARKS = (  # UTF-32's of little end begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WHERE_NULLS_ARE = {(1, 2, 3): "utf-32-le", (0, 1, 2): "utf-32-be", (1, 3): "utf-16-le", (0, 2): "utf-16-be"}
"""Of two (UTF-16) or one characters of ASCII, with which JSON and headers of tables begin (RFC 4627, section 3)."""


def wide_encoding(head: bytes) -> str | None:
    """The name of UTF-16 or UTF-32 if a text begins so, with its mark or with characters of ASCII; else None."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    return _WHERE_NULLS_ARE.get(tuple(index for index, byte in enumerate(head[:4]) if not byte))


def unpacked_start(data: bytes) -> bytes:
    """The first bytes of what is in a gzip file, by its own first bytes; the same bytes where it is none."""
    if not data.startswith(GZIP):
        return data
    try:
        return zlib.decompressobj(wbits=31).decompress(data, _BUFFER)
    except zlib.error:
        return b""


def unpacked(data: bytes, name: str) -> bytes:
    """What is in a gzip file; the same bytes where it is none.

    Raises:
        InputError: it is damaged or cut off, or unpacks to more than memory holds.
    """
    if not data.startswith(GZIP):
        return data
    stream = io.BufferedReader(cast(Any, BoundedGzip(io.BytesIO(data), name)), _BUFFER)
    try:
        content = stream.read(MAX_IN_MEMORY + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(
            f"{name}: a gzip file that is damaged or cut off ({error}); see what gunzip makes of it"
        ) from None
    if len(content) > MAX_IN_MEMORY:
        raise too_large(name)
    return content


@contextlib.contextmanager
def open_plain(path: Path) -> Iterator[IO[bytes]]:
    """As `plain_stream`, of a file."""
    with path.open("rb") as raw:
        yield plain_stream(raw, str(path))


def plain_stream(raw: IO[bytes], name: str) -> IO[bytes]:
    """A binary stream of the text in UTF-8 that can be wound back; of a damaged gzip file, of what comes before that.

    Args:
        raw: binary and seekable.
        name: of the file, for messages.
    """
    packed = raw.read(len(GZIP)) == GZIP
    raw.seek(0)
    stream = cast(IO[bytes], io.BufferedReader(EndingGzip(raw, name), _BUFFER)) if packed else raw
    return _with_line_feeds(as_utf8(stream))


def _with_line_feeds(stream: IO[bytes]) -> IO[bytes]:
    head = stream.read(HEAD)
    stream.seek(0)
    if b"\r" not in head.rstrip(b"\r") or b"\n" in head or b"\0" in head:
        return stream
    return cast(IO[bytes], io.BufferedReader(_LineFeeds(stream), _BUFFER))


def as_utf8(stream: IO[bytes]) -> IO[bytes]:
    """The stream, or one of its text in UTF-8 where it holds UTF-16 or UTF-32; both can be wound back."""
    encoding = wide_encoding(stream.read(4))
    stream.seek(0)
    return stream if encoding is None else cast(IO[bytes], io.BufferedReader(_Utf8(stream, encoding), _BUFFER))


def damage_of(stream: IO[bytes]) -> str | None:
    """What is wrong where a stream of ours ended; None of a sound one."""
    damage: str | None = getattr(getattr(stream, "raw", None), "damage", None)
    return damage


class _LineFeeds(RewindableStream):
    """A stream with a line feed for each carriage return."""

    _what = "text of carriage returns"

    def _begin(self) -> None:
        """Nothing is kept from block to block."""

    @property
    def damage(self) -> str | None:
        """Of the stream that it reads."""
        return damage_of(self._source)

    def readinto(self, buffer: Any) -> int:
        block = self._source.read(len(buffer)).replace(b"\r", b"\n")
        buffer[: len(block)] = block
        return len(block)


class _Utf8(RewindableStream):
    """A stream of UTF-16 or UTF-32 as UTF-8; it ends where it can be read no further, and `damage` says why."""

    _what = "text of another encoding"

    def __init__(self, stream: IO[bytes], encoding: str) -> None:
        self._encoding = encoding
        super().__init__(stream)

    def _begin(self) -> None:
        self._decode = codecs.getincrementaldecoder(self._encoding)().decode
        self._rest, self._ended, self._damage = b"", False, ""

    @property
    def damage(self) -> str | None:
        """What is wrong where it ended; None of a sound file, or of one that was not read so far."""
        return damage_of(self._source) or self._damage or None

    def readinto(self, buffer: Any) -> int:
        while not self._rest and not self._ended:
            block = self._source.read(_BUFFER)
            self._ended = not block
            try:
                text = self._decode(block, self._ended)
            except UnicodeDecodeError as error:
                text = error.object[: error.start].decode(self._encoding)
                self._ended, self._damage = True, f"no {self._encoding.upper()[:6]} from here on; the rest is not read"
            self._rest = text.encode()
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count
