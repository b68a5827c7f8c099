"""A full disk is one error, whoever meets it: SQLite has errors of its own for it."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def sqlite_errors_told(path: Path | None) -> Iterator[None]:
    """Raise an `OSError` (`ENOSPC`) where SQLite can write no more.

    Args:
        path: of the database; None for one of the system's temporary files.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        raise disk_error(error, path) from None


def disk_error(error: sqlite3.OperationalError, path: Path | None) -> Exception:
    """The error to raise for one of SQLite: of the disk as Python has it, any other as it is."""
    if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return error
    where = path if path is not None else f"{tempfile.gettempdir()} (temporary files; TMPDIR names another folder)"
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(where))
