"""Outputs that grow record by record and survive a crash, yet appear whole or not at all.

Records go to `<out>.partial`, each on disk before the next; `finish` turns that
into `<out>`. A later run with the same identity (model, settings) continues
from either file; one with another identity starts anew, so that results of two
models are never mixed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from abroad.io import JsonlAppender, write_json, write_jsonl


def digest(*parts: Any) -> str:
    """A short, stable hash of JSON-able values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


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
        self.partial = self.out.with_name(self.out.name + ".partial")
        self._identity_file = self.out.with_name(self.out.name + ".resume.json")
        self._wanted, self._key = wanted, key
        self._appender: JsonlAppender | None = None
        self._take_up(identity)
        self.done: set[str] = set()

    def _take_up(self, identity: dict[str, Any]) -> None:
        same = self._identity_file.exists() and json.loads(self._identity_file.read_text("utf-8")) == identity
        if same and self.out.exists() and not self.partial.exists():
            self.out.rename(self.partial)
        elif not same:
            self.partial.unlink(missing_ok=True)
            self.partial.parent.mkdir(parents=True, exist_ok=True)
            write_json(self._identity_file, identity)

    def __enter__(self) -> ResumableOutput:
        appender = JsonlAppender(self.partial, self._key)  # cuts off a torn last line
        if self.partial.exists():
            records = [json.loads(line) for line in self.partial.read_text("utf-8").splitlines()]
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
        lines = {}
        for line in self.partial.read_text("utf-8").splitlines():
            record = json.loads(line)
            lines[str(record[self._key])] = record
        write_jsonl(self.out, (lines[key] for key in order if key in lines))
        self.partial.unlink()
