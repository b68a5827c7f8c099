"""Read and write documents, predictions and other records; files are whole or absent.

Two ways of writing: `atomic_write` for files that are made at once, and
`JsonlAppender` for results that arrive record by record and must survive a
crash. Records that cannot be read are set aside in a `Rejects`, never lost
silently and never fatal while others can go on.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.helpers import helper
from abroad.core.jsonl import parse_json, without_halves
from abroad.core.outputs import check_file, unwritable
from abroad.core.plain import open_plain
from abroad.core.record_fields import DocumentMaker
from abroad.core.records import read_stream
from abroad.core.schema import Document, OneField, Prediction
from abroad.core.scratch import SeenIds

T = TypeVar("T", Document, Prediction)


@contextlib.contextmanager
def atomic_write(path: str | Path, binary: bool = False) -> Iterator[Any]:
    """Open a file for writing that replaces `path` only if the block ends without an exception.

    Raises:
        InputError: a folder or a device lies there, or nothing can be written there.
    """
    path = Path(path)
    check_file(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb" if binary else "w", encoding=None if binary else "utf-8") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        # mkstemp makes files private; outputs are ordinary files under the user's umask.
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_json(path: str | Path, value: Any) -> None:
    """Write a value as indented JSON; the file is whole or absent."""
    with atomic_write(path) as stream:
        stream.write(without_halves(json.dumps(value, ensure_ascii=False, indent=2)) + "\n")


def write_jsonl(path: str | Path, records: Iterable[Any]) -> None:
    """Write JSON-able records, one a line; the file is whole or absent."""
    with atomic_write(path) as stream:
        for record in records:
            stream.write(dump_line(record))


def write_rejects(context: Context, path: Path, name: str = "rejects.jsonl") -> Path | None:
    """Write what was set aside to `<path>.abroad/rejects.jsonl`, or remove a stale one; returns the file if written."""
    target = helper(path, name)
    if not context.rejects:
        target.unlink(missing_ok=True)
        return None
    write_jsonl(target, context.rejects.items)
    return target


def dump_line(record: Any) -> str:
    """A record as a line of JSONL, with its line end; half of a surrogate pair becomes U+FFFD."""
    return without_halves(json.dumps(record, ensure_ascii=False)) + "\n"


class JsonlAppender:
    """Append records to a JSONL file, each on disk before the next; a torn last line is cut off.

    Use as a context manager. `done` holds the keys of the records already there.

    Args:
        every: seconds that the disk may lag behind: a process that is killed loses nothing, a power cut so much. 0:
            each record is waited for.
    """

    def __init__(self, path: str | Path, key: str = "id", every: float = 0.0) -> None:
        self.path = Path(path)
        self._every, self._synced = every, 0.0
        self.done: set[str] = set()
        self._stream: IO[bytes] | None = None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._keep_whole_lines(key)

    def _keep_whole_lines(self, key: str) -> None:
        end = 0
        with self.path.open("rb") as stream:
            for line in stream:
                try:
                    record = parse_json(line)
                    if not line.endswith(b"\n"):
                        break
                    self.done.add(str(record[key]))
                except (ValueError, KeyError, TypeError):
                    break
                end += len(line)
        if end < self.path.stat().st_size:
            remainder = self.path.read_bytes()[end:]
            if b"\n" in remainder.rstrip(b"\n"):
                number = self.path.read_bytes()[:end].count(b"\n") + 1
                raise InputError(
                    f"{self.path}:{number}: expected a JSON object with '{key}'; "
                    "the file was changed by something else: move it away or mend the line to continue"
                )
            os.truncate(self.path, end)

    def __enter__(self) -> JsonlAppender:
        self._stream = self.path.open("ab", buffering=0)
        return self

    def append(self, record: Any) -> None:
        """Write a record and see that it is on disk; a full disk leaves the file as it was before."""
        self.extend([record])

    def extend(self, records: Iterable[Any]) -> None:
        """Write records and see once that they are on disk; a full disk leaves the file as it was before."""
        assert self._stream is not None, "use JsonlAppender as a context manager"
        lines = "".join(map(dump_line, records)).encode()
        size = self._stream.tell()
        try:
            if self._stream.write(lines) != len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            if (now := time.monotonic()) - self._synced >= self._every:
                os.fsync(self._stream.fileno())
                self._synced = now
        except OSError:
            self._stream.truncate(size)
            raise

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None


def require_file(path: str | Path, what: str = "a file") -> Path:
    """The path, if a non-empty file lies there.

    Raises:
        InputError: no file, a directory, a pipe or a device, or an empty file.
    """
    if path == "":  # which Path takes for the current directory
        raise InputError(f"expected {what}, found an empty path")
    path = Path(path)
    if path.is_dir():
        raise InputError(f"{path}: expected {what}, found a directory")
    if not path.exists():
        raise InputError(f"{path}: no such file; expected {what}")
    if not path.is_file():
        raise InputError(f"{path}: a pipe or a device; expected {what}")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty; expected {what}")
    return path


def read_records(path: str | Path, context: Context | None = None) -> Iterator[tuple[str, str | None, Any]]:
    """Yield (where, key, record) of a JSON object {key: record}, of an array or of JSONL (key None).

    `where` names file and line, or file and key. Broken records are set aside
    in the context if one is given, else they raise.

    Raises:
        InputError: missing or empty file, or JSON that is neither form.
    """
    path = require_file(path, "a JSON object {id: record}, an array, or JSONL, one record a line")
    with open_plain(path) as stream:
        yield from read_stream(stream, str(path), partial(_reject, context))


def _reject(context: Context | None, where: str, reason: str) -> None:
    if context is None:
        raise InputError(f"{where}: {reason}")
    context.rejects.add(where, reason)


def _each(
    path: str | Path,
    context: Context | None,
    convert: Callable[[Any, str | None], T],
    what: str,
) -> Iterator[T]:
    """The records of a file, one after the other: of those of an id the first, all of one field."""
    field, count = OneField(), 0
    with SeenIds() as seen:
        for where, key, record in read_records(path, context):
            try:
                item = convert(record, key)
                field.see(item)
                if seen.add(item.id) is not None:
                    raise InputError(f"the id {item.id!r} stands twice; the first is kept")
            except InputError as error:
                _reject(context, where, str(error))
                continue
            count += 1
            yield item
    if not count:
        reason = context.rejects.first() if context is not None else ""
        raise InputError(f"{path}: no usable {what} in the file{reason}")


def each_document(path: str | Path, context: Context | None = None) -> Iterator[Document]:
    """As `read_documents`, one after the other; those of JSONL are never in memory together."""
    make = DocumentMaker(Path(path).stem)
    yield from _each(path, context, make, "document")
    if context is not None:
        context.rejects.notes += [f"{path}: {note}" for note in make.notes()]


def read_documents(path: str | Path, context: Context | None = None) -> list[Document]:
    """Read documents from a JSON object {id: document}, an array, or JSONL.

    Args:
        context: its rejects are the records that are no documents; notes what was assumed (ids, names of fields).
            Without it the first record that is none raises.
    Raises:
        InputError: the file cannot be read at all, or holds no usable document.
    """
    return list(each_document(path, context))


def write_documents(path: str | Path, documents: Iterable[Document]) -> None:
    """Write documents as JSONL; the file is whole or absent."""
    write_jsonl(path, (document.to_dict() for document in documents))


def each_prediction(path: str | Path, context: Context | None = None) -> Iterator[Prediction]:
    """As `read_predictions`, one after the other; those of JSONL are never in memory together."""
    return _each(path, context, lambda record, _: Prediction.from_dict(record), "prediction")


def read_predictions(path: str | Path, context: Context | None = None) -> list[Prediction]:
    """Read predictions (JSONL); the same rules as `read_documents`."""
    return list(each_prediction(path, context))


def file_sha256(path: str | Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
