"""Read delimited tables row by row: the columns asked for, as text, with broken rows set aside.

Python's csv reader is used and not polars': it tells the line of a row with too
many or too few fields, which polars pads or cuts in silence, and it needs the
memory of one row only.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any, TextIO

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import require_file
from abroad.core.limits import BoundedGzip
from abroad.core.plain import GZIP, as_utf8, damage_of
from abroad.sources.delimited import read_delimited_rows


@contextmanager
def open_table(path: str | Path, what: str) -> Iterator[TextIO]:
    """Open a text file, compressed by gzip or not, in UTF-8, UTF-16 or UTF-32 (told by its first bytes, not its name).

    Bytes that are not UTF-8 arrive as lone surrogates, so that one of them
    costs a row and not the file.

    Raises:
        InputError: missing or empty file, a directory, or a damaged gzip stream.
    """
    path = require_file(path, what)
    with path.open("rb") as raw:
        compressed = raw.read(len(GZIP)) == GZIP
        raw.seek(0)
        binary: Any = io.BufferedReader(BoundedGzip(raw, str(path)), 1 << 16) if compressed else raw
        # The block runs inside this `try`: reading is what meets the damage.
        try:
            plain = as_utf8(binary)
            yield io.TextIOWrapper(plain, encoding="utf-8-sig", errors="surrogateescape", newline="")
            if (damage := damage_of(plain)) is not None:
                raise InputError(f"{path}: {damage}")
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InputError(f"{path}: damaged or cut-off gzip file ({error}); fetch it again") from None


def read_header(path: str | Path, delimiter: str, what: str) -> list[str]:
    """The names of the columns.

    Raises:
        InputError: as `open_table`, or a first line that is not UTF-8.
    """
    with open_table(path, what) as stream:
        try:
            names = _header(_reader(stream, delimiter))
        except csv.Error as error:
            raise InputError(f"{path}:1: broken first line ({error}); expected {what}") from None
    if not is_unicode("".join(names)):
        raise InputError(f"{path}:1: not UTF-8; expected {what}")
    return names


def read_rows(
    path: str | Path, columns: Sequence[str], delimiter: str, what: str, context: Context
) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield (line, the fields of `columns`) of each row; a broken row is set aside.

    Broken is a row with another number of fields than the header, with quotes
    that do not close, or with bytes in `columns` that are not UTF-8.

    Args:
        columns: names that the header must hold, in the order wanted.
    Raises:
        InputError: the file cannot be read, or lacks a column.
    """
    header = read_header(path, delimiter, what)
    require_columns(path, header, columns, what)
    places = [header.index(name) for name in columns]
    pick = itemgetter(*places) if len(places) > 1 else lambda row: (row[places[0]],)
    width = len(header)
    with open_table(path, what) as stream:
        rows = read_delimited_rows(stream, delimiter)
        next((row for row in rows if row.fields), None)
        for row in rows:
            if row.fault:
                context.rejects.add(f"{path}:{row.line}", f"broken row ({row.fault})")
            elif row.fields and len(row.fields) != width:
                context.rejects.add(f"{path}:{row.line}", f"expected {width} fields, found {len(row.fields)}")
            elif row.fields:
                fields = pick(row.fields)
                if is_unicode("".join(fields)):
                    yield row.line, fields
                else:
                    context.rejects.add(f"{path}:{row.line}", "not UTF-8")


def require_columns(path: str | Path, header: Sequence[str], columns: Sequence[str], what: str) -> None:
    """Raise an InputError that names the columns missing and those found."""
    missing = [name for name in columns if name not in header]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)} (found: {shorten(header)}); expected {what}")


def shorten(names: Sequence[str], most: int = 12) -> str:
    """Names for an error message, on one line of bounded length."""
    shown = [" ".join(name.split())[:40] or "''" for name in names[:most]]
    return ", ".join(shown) + (f", ... {len(names) - most} more" if len(names) > most else "")


def is_unicode(text: str) -> bool:
    """Whether the text came from well-formed UTF-8 (`open_table` marks other bytes as surrogates)."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _header(reader: Any) -> list[str]:
    """The first row that is not a blank line."""
    return next((row for row in reader if row), [])


def _reader(stream: TextIO, delimiter: str) -> Any:
    return csv.reader(stream, delimiter=delimiter, strict=True)
