"""What public servers answered, kept for every output of a user, so that an identifier is looked up once.

One SQLite file in the user's cache folder, which several processes may use at a time, each answer for 90 days. That a
server has no such thing is kept only where it says so in its own words. A file that cannot be used costs the answers,
never the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from abroad.core.cache import cache_directory
from abroad.core.jsonl import read_jsonl

T = TypeVar("T")
_DAYS = 90
"""After which a record is asked for again: it may have been mended there."""
_AT_ONCE = 500  # keys in one query
_TABLE = "CREATE TABLE IF NOT EXISTS answers (service TEXT, key TEXT, value TEXT, at REAL, PRIMARY KEY (service, key))"


def answers_path() -> Path | None:
    """$ABROAD_ANSWERS, or answers.sqlite in the cache folder; None where the variable is empty: nothing is kept."""
    given = os.environ.get("ABROAD_ANSWERS")
    if given is None:
        return cache_directory() / "answers.sqlite"
    return Path(given) if given else None


class KeptAnswers:
    """Answers of one service at one address.

    Args:
        service: name and address, since another server may answer otherwise.
        path: of the file; by default that of the user.
        clock: seconds since 1970, for tests.
    """

    def __init__(self, service: str, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._service, self._clock = service, clock
        self._path = path or answers_path()

    def get(self, keys: Iterable[str]) -> dict[str, Any]:
        """Key -> value of those that are kept and not too old."""
        wanted, youngest = list(dict.fromkeys(keys)), self._clock() - _DAYS * 86_400
        parts = [wanted[start : start + _AT_ONCE] for start in range(0, len(wanted), _AT_ONCE)]

        def look(connection: sqlite3.Connection) -> dict[str, Any]:
            found = {}
            for part in parts:
                query = f"SELECT key, value FROM answers WHERE service = ? AND at > ? AND key IN ({_marks(part)})"
                for key, value in connection.execute(query, (self._service, youngest, *part)):
                    with contextlib.suppress(ValueError, RecursionError):
                        found[key] = json.loads(value)
            return found

        return self._do(look) or {}

    def put(self, values: Mapping[str, Any]) -> None:
        """Keep values that JSON can hold."""
        rows = [(self._service, key, json.dumps(value), self._clock()) for key, value in values.items()]
        if rows:
            self._do(lambda connection: connection.executemany("REPLACE INTO answers VALUES (?, ?, ?, ?)", rows))

    def take_over(self, path: Path, key: str, value: str) -> None:
        """Keep what an earlier version kept beside an output (JSONL), but for records that say of nothing."""
        if path.is_file():
            with contextlib.suppress(ValueError, KeyError, TypeError):  # torn, or not ours: it is asked for again
                self.put({str(record[key]): record[value] for record in read_jsonl(path) if record[value]})

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T | None:
        """What the work gives in a transaction of its own; None where the file cannot be used."""
        if self._path is None:
            return None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(sqlite3.connect(self._path, timeout=30)) as connection, connection:
                connection.execute(_TABLE)
                return work(connection)
        except (OSError, sqlite3.Error):
            return None


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
