"""What a run must remember of each record and memory does not hold: in a database on disk, for the time of the run.

SQLite keeps half a megabyte of it in memory, whatever its size.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Self

from abroad.core.full_disk import disk_error
from abroad.core.jsonl import BadJson, parse_json

_CACHE = "cache_size=-500"  # KiB


class SeenIds:
    """Ids that were seen; use as a context manager.

    Args:
        path: of the database, which is removed in the end; None for one of the system's temporary files.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._base = _Database(path)
        self._base.execute("CREATE TABLE seen (id TEXT PRIMARY KEY, place INTEGER) WITHOUT ROWID")

    def add(self, id: str, place: int = 0) -> int | None:
        """Note an id with the place of its first record; that place if it was seen before, None if it is new."""
        if self._base.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (id, place)).rowcount > 0:
            return None
        first: int = self._base.execute("SELECT place FROM seen WHERE id = ?", (id,)).fetchone()[0]
        return first

    def __contains__(self, id: str) -> bool:
        return self._base.execute("SELECT 1 FROM seen WHERE id = ?", (id,)).fetchone() is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()


class FirstOf:
    """What the first record of each key is; use as a context manager."""

    def __init__(self) -> None:
        self._base = _Database(None)
        self._base.execute("CREATE TABLE first (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")

    def setdefault(self, key: str, value: Any) -> Any:
        """As that of a dict; values are JSON."""
        text = json.dumps(value)
        if self._base.execute("INSERT OR IGNORE INTO first VALUES (?, ?)", (key, text)).rowcount > 0:
            return value
        return json.loads(self._base.execute("SELECT value FROM first WHERE key = ?", (key,)).fetchone()[0])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()


class Versions:
    """Records by key, of which a key may have several versions; use as a context manager."""

    def __init__(self) -> None:
        self._base = _Database(None)
        self._base.execute("CREATE TABLE record (key TEXT, version TEXT, value TEXT, PRIMARY KEY (key, version))")

    def put(self, key: str, version: str, value: Any) -> None:
        """Keep a record, a value of JSON, after those of its key that are there; it replaces that of its version."""
        text = json.dumps(value)
        self._base.execute("INSERT OR REPLACE INTO record VALUES (?, ?, ?)", (key, version, text))

    def get(self, key: str) -> list[Any]:
        """The records of a key, in their order."""
        found = self._base.execute("SELECT value FROM record WHERE key = ? ORDER BY rowid", (key,))
        return [json.loads(row[0]) for row in found.fetchall()]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()


class EarlierRecords:
    """Where each record of earlier files lies, by id and input; the records themselves stay where they are.

    Of several records of one input the last counts. A line that is torn or no record is passed over.

    Args:
        files: JSONL of records with `id` and `input_digest`.
        path: of the database, which is removed in the end.
    Attributes:
        any: whether there are such records.
    """

    def __init__(self, files: Sequence[Path], path: Path) -> None:
        self._files = list(dict.fromkeys(files))
        self.any = bool(self._files)
        self._open: tuple[int, IO[bytes]] | None = None
        self._base = _Database(path if self.any else None)
        self._base.execute(
            "CREATE TABLE place (id TEXT, digest TEXT, file INTEGER, start INTEGER, found INTEGER DEFAULT 0, "
            "PRIMARY KEY (id, digest)) WITHOUT ROWID"
        )
        for number, file in enumerate(self._files):
            start = 0
            with file.open("rb") as stream:
                for line in stream:
                    if (key := _key(line)) is not None:
                        self._base.execute("INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?, 0)", (*key, number, start))
                    start += len(line)

    def find(self, id: str, digest: str) -> dict[str, Any] | None:
        """The record of an input, if there is one."""
        row = self._base.execute("SELECT file, start FROM place WHERE id = ? AND digest = ?", (id, digest)).fetchone()
        if row is None:
            return None
        self._base.execute("UPDATE place SET found = 1 WHERE id = ? AND digest = ?", (id, digest))
        number, start = row
        if self._open is None or self._open[0] != number:
            self._close()
            self._open = (number, self._files[number].open("rb"))
        stream = self._open[1]
        stream.seek(start)
        record: dict[str, Any] = parse_json(stream.readline())
        return record

    def left(self, files: Sequence[Path]) -> int:
        """How many records of some of the files nobody has found."""
        chosen = set(files)
        numbers = [number for number, path in enumerate(self._files) if path in chosen]
        unfound = self._base.execute("SELECT file, COUNT(*) FROM place WHERE NOT found GROUP BY file").fetchall()
        return sum(count for number, count in unfound if number in numbers)

    def _close(self) -> None:
        if self._open is not None:
            self._open[1].close()
            self._open = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._base.close()


def _key(line: bytes) -> tuple[str, str] | None:
    """(id, digest of the input) of a record; None of what is none."""
    if not line.endswith(b"\n"):
        return None
    try:
        record = parse_json(line)
        return str(record["id"]), str(record.get("input_digest", ""))
    except (BadJson, KeyError, TypeError, AttributeError):
        return None


class _Database:
    """A database that nobody reads again: nothing is journalled, nothing waits for the disk."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        if path is not None:
            path.unlink(missing_ok=True)
        # An empty name is a temporary file of SQLite's own, that goes when it is closed.
        self._connection = sqlite3.connect(path if path is not None else "", isolation_level=None)
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE", _CACHE):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.execute("BEGIN")

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, values)
        except sqlite3.OperationalError as error:
            raise disk_error(error, self._path) from None

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)
