"""Outputs that grow record by record and survive a crash, yet appear whole or not at all.

Records go to `<out>.partial`, each on disk before the next; `finish` turns that
into `<out>`. A later run with the same identity (model, settings) continues
from either file; one with another identity starts anew, so that results of two
models are never mixed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from abroad.core.io import JsonlAppender, write_json, write_jsonl
from abroad.core.jsonl import read_jsonl


def digest(*parts: Any) -> str:
    """A short, stable hash of JSON-able values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


@contextlib.contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait until no other process holds `path`, and hold it; a process that dies lets go.

    Where the system has no such locks (Windows), nothing is held.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    with path.open("rb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def keeps_identity(out: Path, identity: dict[str, Any]) -> bool:
    """Whether what lies at `out` was made with this identity."""
    path = _identity_file(out)
    # Compared as JSON, since a tuple is read back as a list.
    return path.exists() and json.loads(path.read_text("utf-8")) == json.loads(json.dumps(identity))


def write_identity(out: Path, identity: dict[str, Any]) -> None:
    write_json(_identity_file(out), identity)


def seed_partial(out: Path, identity: dict[str, Any], records: Iterable[dict[str, Any]]) -> None:
    """Lay records of an earlier run (with their `input_digest`) where a `ResumableOutput` will find them."""
    write_jsonl(_partial_file(out), records)
    write_identity(out, identity)


def _identity_file(out: Path) -> Path:
    return out.with_name(out.name + ".resume.json")


def _partial_file(out: Path) -> Path:
    return out.with_name(out.name + ".partial")


class ResumableOutput:
    """Append records that each answer one key of `wanted`; use as a context manager.

    Args:
        identity: whatever must be equal for earlier records to be kept.
        wanted: key -> digest of the input the record answers; a record whose
            `input_digest` differs is dropped and made again.
    Attributes:
        done: keys already answered.
    """

    def __init__(self, out: str | Path, identity: dict[str, Any], wanted: dict[str, str], key: str = "id") -> None:
        self.out = Path(out)
        self.partial = _partial_file(self.out)
        self._wanted, self._key = wanted, key
        self._appender: JsonlAppender | None = None
        self._take_up(identity)
        self.done: set[str] = set()

    def _take_up(self, identity: dict[str, Any]) -> None:
        same = keeps_identity(self.out, identity)
        if same and self.out.exists() and not self.partial.exists():
            self.out.rename(self.partial)
        elif not same:
            self.partial.unlink(missing_ok=True)
            self.partial.parent.mkdir(parents=True, exist_ok=True)
            write_identity(self.out, identity)

    def __enter__(self) -> ResumableOutput:
        appender = JsonlAppender(self.partial, self._key)  # cuts off a torn last line
        if self.partial.exists():
            records = read_jsonl(self.partial)
            current = [r for r in records if self._wanted.get(str(r[self._key])) == r.get("input_digest")]
            if len(current) < len(records):
                write_jsonl(self.partial, current)
            self.done = {str(record[self._key]) for record in current}
        self._appender = appender.__enter__()
        return self

    def append(self, record: dict[str, Any]) -> None:
        """Keep a record; its key must be wanted."""
        assert self._appender is not None, "use ResumableOutput as a context manager"
        key = str(record[self._key])
        self._appender.append({**record, "input_digest": self._wanted[key]})
        self.done.add(key)

    def __exit__(self, *error: object) -> None:
        if self._appender is not None:
            self._appender.__exit__()
            self._appender = None

    def finish(self, order: Iterable[str] | None = None) -> None:
        """Turn the partial file into the output, in the given order of keys if one is given."""
        if order is None:
            self.partial.replace(self.out)
            return
        records = {str(record[self._key]): record for record in read_jsonl(self.partial)}
        write_jsonl(self.out, (records[key] for key in order if key in records))
        self.partial.unlink()
