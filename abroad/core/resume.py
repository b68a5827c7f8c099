"""Outputs that grow record by record and survive a crash, yet appear whole or not at all.

Records go to `<out>.abroad/partial-<identity>.jsonl`, each written before the
next and on disk within a second; `finish` turns that into `<out>`. A later run with the same identity
(model, settings) continues from either file; one with another identity starts
anew in a file of its own, so that results of two models are never mixed and
neither run deletes the other's unfinished work. What an earlier version left in
`<out>.partial` is continued too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from abroad.core.helpers import found, helper, helper_folder, old_helper
from abroad.core.io import JsonlAppender, atomic_write, write_json, write_jsonl
from abroad.core.jsonl import read_jsonl
from abroad.core.locks import held
from abroad.core.progress import tell

Refine = Callable[[Iterable[dict[str, Any]]], Iterable[dict[str, Any]]]
_IDENTITY = "resume.json"
ASK_AGAIN = "ask_again"
"""Field of a record that says, where it is true, that there is no result yet: it stands in the output, and a later run
of the same command makes it again."""
_LAG = 1.0
"""Seconds: what comes faster waits together for the disk, which takes milliseconds for each wait."""


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
    return _holds(found(out, _IDENTITY), identity)


def _holds(path: Path, identity: dict[str, Any]) -> bool:
    # Compared as JSON, since a tuple is read back as a list.
    return path.exists() and json.loads(path.read_text("utf-8")) == json.loads(json.dumps(identity))


def read_identity(out: Path) -> dict[str, Any] | None:
    """The identity that what lies at `out` was made with; None where it is not known."""
    path = found(out, _IDENTITY)
    identity: dict[str, Any] | None = json.loads(path.read_text("utf-8")) if path.exists() else None
    return identity


def write_identity(out: Path, identity: dict[str, Any] | None) -> None:
    """Say with which identity `out` was made; None: it is not known."""
    write_json(helper(out, _IDENTITY), identity)


def seed_partial(out: Path, identity: dict[str, Any], records: Iterable[dict[str, Any]]) -> None:
    """Lay records of an earlier run (with their `input_digest`) where a `ResumableOutput` will find them."""
    write_jsonl(partial_file(out, identity), records)


def partial_file(out: Path, identity: dict[str, Any]) -> Path:
    """Where the unfinished records of an identity lie; those of another one lie elsewhere, and stay."""
    return helper(out, f"partial-{digest(identity)}.jsonl")


def unsharded_files(out: Path, identity: dict[str, Any], earlier: Path | None = None) -> list[Path]:
    """Files in which a run that kept its records in one file left those of an identity, unfinished.

    Args:
        earlier: another path, at which an earlier version wrote the same records.
    """
    found = [partial_file(out, identity)]
    for path in (out, *([earlier] if earlier is not None else [])):
        if _holds(old_helper(path, _IDENTITY), identity):
            unfinished = old_helper(path, "partial")
            found.append(unfinished if unfinished.exists() else path)
    return [path for path in dict.fromkeys(found) if path.exists()]


class ResumableOutput:
    """Append records that each answer one key of `wanted`; use as a context manager.

    Args:
        identity: whatever must be equal for earlier records to be kept.
        wanted: key -> digest of the input the record answers; a record whose
            `input_digest` differs is made again; records of other keys stay for a run that wants them.
        earlier: another path, at which an earlier version wrote the same records; they are copied.
    Attributes:
        done: keys already answered.
    """

    def __init__(
        self,
        out: str | Path,
        identity: dict[str, Any],
        wanted: dict[str, str],
        key: str = "id",
        earlier: Path | None = None,
    ) -> None:
        self.out = Path(out)
        self.partial = partial_file(self.out, identity)
        self._identity, self._wanted, self._key = identity, wanted, key
        self._appender: JsonlAppender | None = None
        self._earlier, self._held = earlier, contextlib.ExitStack()
        self._was_finished = False
        self.done: set[str] = set()

    def _take_up(self, earlier: Path | None) -> None:
        """Bring what was made with this identity to `partial`; say what of another identity stays beside it."""
        self.partial.parent.mkdir(parents=True, exist_ok=True)
        for other in sorted(self.partial.parent.glob("partial-*.jsonl")):
            if other != self.partial and self.partial.parent == helper_folder(self.out):
                tell(f"{self.out}: unfinished work of another model or other settings stays in {other}")
        if self.partial.exists():
            return
        old = old_helper(self.out, "partial")
        if old.exists() and _holds(old_helper(self.out, _IDENTITY), self._identity):
            old.rename(self.partial)
        elif self.out.exists() and keeps_identity(self.out, self._identity):
            # A copy, since the file itself may be kept as the earlier result.
            with self.out.open("rb") as finished, atomic_write(self.partial, binary=True) as stream:
                shutil.copyfileobj(finished, stream)
            self.out.unlink()
            self._was_finished = True
        elif earlier is not None and _holds(old_helper(earlier, _IDENTITY), self._identity):
            unfinished = old_helper(earlier, "partial")
            source = unfinished if unfinished.exists() else earlier
            if source.exists():
                with atomic_write(self.partial, binary=True) as stream:
                    stream.write(source.read_bytes())

    def __enter__(self) -> ResumableOutput:
        self._held.enter_context(held(self.out))
        try:
            return self._open()
        except BaseException:
            self._held.close()
            raise

    def _open(self) -> ResumableOutput:
        self._take_up(self._earlier)
        appender = JsonlAppender(self.partial, self._key, _LAG)  # cuts off a torn last line
        if self.partial.exists():
            self.done = {key for key, record in self._current().items() if record.get(ASK_AGAIN) is not True}
            others = appender.done - self._wanted.keys()
            if others and not self._was_finished:
                tell(f"{self.out}: unfinished work on {len(others)} other records stays in {self.partial}")
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
        self._held.close()

    def _current(self) -> dict[str, dict[str, Any]]:
        """Key -> the record that answers what is wanted; others of the partial file are of other inputs."""
        return {str(r[self._key]): r for r in read_jsonl(self.partial) if self._is_wanted(r)}

    def _is_wanted(self, record: dict[str, Any]) -> bool:
        return self._wanted.get(str(record[self._key])) == record.get("input_digest")

    def finish(self, order: Iterable[str] | None = None, refine: Refine = iter) -> None:
        """Turn the partial file into the output, in the given order of keys if one is given.

        Args:
            order: of the keys.
            refine: what becomes of the records on their way.
        """
        with held(self.out):
            records = self._current()
            others = [r for r in read_jsonl(self.partial) if str(r[self._key]) not in self._wanted]
            write_identity(self.out, None)  # killed here, the output is of no identity and the partial file still there
            kept = (records[key] for key in (records if order is None else order) if key in records)
            write_jsonl(self.out, refine(kept))
            write_identity(self.out, self._identity)
            if others and not self._was_finished:  # unfinished work on other inputs, which a later run may want
                write_jsonl(self.partial, others)
            else:
                self.partial.unlink()
