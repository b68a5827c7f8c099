"""What a command notes in `OUT.abroad/` of what it writes to OUT, so that a later one knows whose that is.

`writing.json` says that a command writes, `written.json` which command wrote, with size and hash of its files, and
`begun.json` that it left helpers there and no output, such as unfinished work.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.earlier import PENDING, EarlierResult
from abroad.core.errors import InputError
from abroad.core.helpers import helper_folder

WRITING, WRITTEN, BEGUN = "writing.json", "written.json", "begun.json"
_LOCKS = ("lock", "lock.json")
_HASHED = 1 << 26
"""Bytes of a file in a folder that is still hashed; of larger ones the size has to do."""


@dataclass(frozen=True)
class Writer:
    """Who writes: a command, with the option that names the output; of no name, it is nobody in particular."""

    command: str = ""
    option: str = ""

    def __str__(self) -> str:
        return f"`{self.command} {self.option}`" if self.option.startswith("--") else f"`{self.command}`"

    def to_dict(self) -> dict[str, str]:
        """As it stands in a mark."""
        return {"command": self.command, "option": self.option}

    def is_as(self, other: Writer) -> bool:
        """Whether both write the same kind of result, as far as they say who they are."""
        if not self.command or not other.command:
            return True
        return self.command == other.command and (not self.option or other.option in (self.option, ""))


def writer_of(path: Path, name: str) -> Writer | None:
    """Who stands in a mark of an output; None where there is no such mark, or it is broken."""
    mark = read_json(helper_folder(path) / name)
    if not isinstance(mark, dict):
        return None
    command, option = mark.get("command"), mark.get("option")
    return Writer(command if isinstance(command, str) else "", option if isinstance(option, str) else "")


def helpers_in(folder: Path) -> set[str]:
    """Names of what lies there, but for locks and what a killed process left of a mark."""
    names = {path.name for path in folder.iterdir()} - {*_LOCKS}
    return {name for name in names if not (name.startswith(".") and name.endswith(".part"))}


def read_json(path: Path) -> Any:
    """What stands in a file of JSON; None where it is not there, or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None


def is_unchanged(path: Path) -> bool:
    """Whether the files that were written are as they were, or gone; more may lie in a folder."""
    mark = read_json(helper_folder(path) / WRITTEN)
    files = mark.get("files") if isinstance(mark, dict) else None
    if not isinstance(files, dict) or (path.is_file() and "" not in files):
        return False
    try:
        for name, (size, modified, digest) in files.items():
            file = path / name
            if not file.is_file():
                continue
            found = file.stat()
            same = found.st_size == size and (found.st_mtime_ns == modified or digest in (None, _sha256(file)))
            if not same:
                return False
    except (TypeError, ValueError):
        return False
    return True


class Claim:
    """The marks of one output: set when it is made, settled by `release`.

    Args:
        path: of the output.
        writer: is noted in the marks.
        folder: whether the output is a folder.
        grows: whether other commands write to it too.
        foreign: names of helpers that are somebody else's.
    Raises:
        OSError: nothing can be written there.
        InputError: a file lies where the helpers go.
    """

    def __init__(self, path: Path, writer: Writer, folder: bool, grows: bool, foreign: list[str]) -> None:
        self._path, self._writer, self._is_folder, self._grows = path, writer, folder, grows
        self._folder = helper_folder(path)
        self._before, self._files, self._foreign = self._stat(), self._list(), foreign
        if os.path.lexists(self._folder) and not self._folder.is_dir():
            raise InputError(
                f"{self._folder} is in the way, a file where the helpers of the output (run record, cache) "
                "go; move it away or give another name"
            )
        self._made = [above for above in self._folder.parents if not above.exists()]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            owner = writer_of(path, WRITTEN)
            ours = not grows and owner is not None and owner.is_as(writer) and is_unchanged(path)
            self._earlier = EarlierResult(path, self._list() if ours else {})
            self._write(WRITING, writer.to_dict())
        except OSError:
            self._tidy()
            raise

    def release(self) -> None:
        """Note what was written, if anything was; leave no trace of a command that wrote nothing."""
        state = self._stat()
        if state is not None and (state != self._before or self._list() != self._files):
            self._write(WRITTEN, {**self._writer.to_dict(), "files": self._written()})
        self._earlier.settle()
        helpers = helpers_in(self._folder) - {PENDING}
        if not (self._folder / WRITTEN).exists() and helpers - {WRITING, BEGUN, *self._foreign}:
            self._write(BEGUN, self._writer.to_dict())
        else:
            (self._folder / BEGUN).unlink(missing_ok=True)
        (self._folder / WRITING).unlink(missing_ok=True)
        self._tidy()

    def _written(self) -> dict[str, Any]:
        """Name -> size, time and hash of what this command wrote, now or when it ran before; not of other files."""
        path, earlier = self._path, read_json(self._folder / WRITTEN)
        ours = earlier.get("files", {}) if isinstance(earlier, dict) else {}
        written = {}
        for name, (size, modified) in self._list().items():
            if name in ours or not self._is_folder or self._files.get(name) != (size, modified):
                hashed = not self._is_folder or size <= _HASHED
                written[name] = [size, modified, _sha256(path / name) if hashed else None]
        return written

    def _list(self) -> dict[str, tuple[int, int]]:
        return {} if self._grows else _files(self._path)

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns, found.st_ino

    def _write(self, name: str, value: dict[str, Any]) -> None:
        partial = self._folder / f".{name}.{os.getpid()}.part"
        partial.write_text(json.dumps(value) + "\n", encoding="utf-8")
        partial.replace(self._folder / name)

    def _tidy(self) -> None:
        for folder in (self._folder, *self._made):
            with contextlib.suppress(OSError):  # not empty, or never made
                folder.rmdir()
                continue
            return


def _files(path: Path) -> dict[str, tuple[int, int]]:
    """Name -> size and time of a file (name ""), or of each file in a folder; empty for what is not there."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path] if path.is_file() else []
    found = {"" if file == path else file.relative_to(path).as_posix(): file.stat() for file in sorted(files)}
    return {name: (state.st_size, state.st_mtime_ns) for name, state in found.items()}


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
