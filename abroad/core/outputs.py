"""The one gate for all that a command writes: an output never destroys what abroad did not write.

`guard` refuses, before anything is read or computed: an output that is also an input, by whatever spelling or link;
two outputs that are one file; a file or folder that abroad did not write, or that was changed since (`--force`
overrides this one rule); devices and pipes; a folder where a file is expected, and the other way round; endings that
the command does not know. While the command runs, `OUT.abroad/writing.json` says so, and afterwards
`OUT.abroad/written.json` holds the size and hash of what it wrote: the two tell a later run what is abroad's.
A folder `OUT.abroad/` with files in it and no such mark is somebody else's, and is refused likewise.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.helpers import helper_folder, old_helper
from abroad.core.locks import held

WRITING, WRITTEN, BEGUN = "writing.json", "written.json", "begun.json"
"""Marks in `OUT.abroad/`: a command writes; it wrote; it left helpers there and no output, such as unfinished work."""
_LOCKS = ("lock", "lock.json")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_HASHED = 1 << 26
"""Bytes of a file in a folder that is still hashed; of larger ones the size has to do."""
_MAX_NAME = 200
_OLD = ("run.json", "resume.json")
"""Helpers by which earlier versions showed that they wrote a file."""


@dataclass(frozen=True)
class Kind:
    """What is written to a path.

    Attributes:
        what: the kind in words ("predictions as JSONL").
        endings: those that a name may have; a name without any is taken too. Empty: every ending will do.
        folder: whether it is a folder; else a file.
        beside: further files that are written with it.
        recognise: whether abroad wrote what lies there, told by the content alone.
        grows: other commands write to it too, so that its hash proves nothing.
        shared: whether several runs may write to it at once; else the second is refused.
        marked: whether `OUT.abroad/` says that abroad wrote it; else `recognise` alone does.
    """

    what: str
    endings: tuple[str, ...] = ()
    folder: bool = False
    beside: Callable[[Path], tuple[Path, ...]] = lambda path: ()
    recognise: Callable[[Path], bool] = lambda path: False
    grows: bool = False
    marked: bool = True
    shared: bool = False


@dataclass(frozen=True)
class Output:
    """A path to write; `option` is the word for it in messages ("--out")."""

    path: Path
    kind: Kind
    option: str = "--out"

    def __str__(self) -> str:
        return f"{self.option} {self.path}"


@contextlib.contextmanager
def guard(
    outputs: Sequence[Output], inputs: Iterable[str | Path] = (), force: bool = False, command: str = ""
) -> Iterator[None]:
    """Check the outputs, then mark them as abroad's for the time of the block and after it.

    Args:
        inputs: all that the block reads; paths that do not exist are passed over.
        force: overwrite files that abroad did not write; never an input, a device or a folder.
        command: is noted in the marks.
    Raises:
        InputError: an output is refused; nothing has been touched.
    """
    outputs = [each for output in outputs for each in _with_neighbours(output)]
    check_outputs(outputs, inputs, force)
    marked = [output for output in outputs if output.kind.marked and _is_first_process()]
    claims: list[_Claim] = []
    with contextlib.ExitStack() as locks:
        for output in marked:
            if not output.kind.shared:
                locks.enter_context(held(output.path, command))
        try:
            for output in marked:
                claims.append(_Claim(output, command))
            yield
        finally:
            for claim in reversed(claims):
                claim.release()


def check_outputs(outputs: Sequence[Output], inputs: Iterable[str | Path] = (), force: bool = False) -> None:
    """Raise for the first output that must not be written.

    Raises:
        InputError: says which, why, and what to do.
    """
    read = [path for path in map(Path, inputs) if _is_there(path)]
    for number, output in enumerate(outputs):
        _check_type(output)
        _check_inputs(output, read)
        for other in outputs[:number]:
            _check_pair(output, other)
        _check_ending(output)
    for output in outputs:
        if not force and not is_ours(output):
            raise InputError(
                f"{output}: it is there already, and abroad did not write it or it was changed since; "
                "give another name, or --force to overwrite it"
            )
        if not force and output.kind.marked and (foreign := _foreign_helpers(output)):
            raise InputError(
                f"{output}: {helper_folder(output.path)}, where its helpers go (run record, cache), holds files that "
                f"abroad did not write ({', '.join(foreign[:3])}); move them away, give another name, or --force to "
                "write among them"
            )


def check_order(outputs: Iterable[Output], inputs: Iterable[Path]) -> None:
    """Raise where an output is there and an input is not: whoever mixed them up must not be told of --force.

    Raises:
        InputError: names both.
    """
    absent = next((path for path in inputs if str(path) != "-" and not _is_there(path)), None)
    taken = next(
        (output for output in outputs if _is_there(output.path) and output.path.is_file() and not is_ours(output)),
        None,
    )
    if absent is not None and taken is not None:
        raise InputError(
            f"{taken}: it is there already, but {absent}, which is to be read, is not; "
            "are input and output the wrong way round?"
        )


def is_ours(output: Output) -> bool:
    """Whether what lies at the path may be overwritten: nothing, or what abroad wrote and nobody changed."""
    path, kind = output.path, output.kind
    if not os.path.lexists(path):
        return True
    if kind.folder and (not path.is_dir() or not any(path.iterdir())):
        return path.is_dir()
    folder = helper_folder(path)
    if (folder / WRITING).exists():  # a run that was killed
        return True
    written = _read_json(folder / WRITTEN)
    if isinstance(written, dict):
        return kind.grows or _unchanged(path, written.get("files"))
    # Earlier versions kept no hash of what they wrote.
    return kind.recognise(path) or any(isinstance(_read_json(old_helper(path, name)), dict) for name in _OLD)


def _foreign_helpers(output: Output) -> list[str]:
    """Names of what lies in `OUT.abroad/`, where no mark says that abroad writes there."""
    folder = helper_folder(output.path)
    if not folder.is_dir() or (os.path.lexists(output.path) and output.kind.recognise(output.path)):
        return []
    names = _helpers_in(folder)
    return [] if names & {WRITING, WRITTEN, BEGUN} else sorted(names)


def _helpers_in(folder: Path) -> set[str]:
    """Names of what lies there, but for locks and what a killed process left of a mark."""
    names = {path.name for path in folder.iterdir()} - {*_LOCKS}
    return {name for name in names if not (name.startswith(".") and name.endswith(".part"))}


def check_file(path: Path) -> None:
    """Refuse what no file can replace: a folder, a device, a pipe.

    Raises:
        InputError: says what it is.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise unwritable(path, error) from None
    if stat.S_ISDIR(mode):
        raise InputError(f"{path}: expected the name of a file, found a folder")
    if not stat.S_ISREG(mode):
        raise InputError(f"{path}: a device or a pipe, no file; give a file name, or - for standard output")


def unwritable(path: Path | Output, error: OSError) -> Exception:
    """The error to raise for one of the system: of the disk as it is, any other as wrong usage."""
    if error.errno in _FULL:
        return error
    return InputError(f"{path}: cannot be written there ({error.strerror}); give another path")


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths are one file: by links of both kinds, "..", or another spelling."""
    with contextlib.suppress(OSError):
        if one.samefile(other):
            return True
    return os.path.realpath(one) == os.path.realpath(other)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long
        return False


def _is_first_process() -> bool:
    """Of the processes of one run (accelerate, torchrun), the first writes."""
    return os.environ.get("WORLD_SIZE", "1") == "1" or os.environ.get("RANK", "0") == "0"


def _with_neighbours(output: Output) -> list[Output]:
    neighbours = [Output(path, Kind("a file beside it"), output.option) for path in output.kind.beside(output.path)]
    return [output, *neighbours]


def _check_type(output: Output) -> None:
    path = output.path
    if str(path) == "-":
        raise InputError(f"{output}: expected {'a folder' if output.kind.folder else 'a file'}, not standard output")
    if len(os.fsencode(path.name)) > _MAX_NAME:
        raise InputError(
            f"{output.option} {path.name[:40]}...: a name of more than {_MAX_NAME} bytes; its helpers need some of the "
            "255 that a name may have: give a shorter one"
        )
    above = path.absolute().parent
    while not os.path.lexists(above):
        above = above.parent
    if not above.is_dir():
        raise InputError(f"{output}: {above} is no folder; give another path")
    if not output.kind.folder:
        try:
            check_file(path)
        except InputError as error:
            raise InputError(f"{output.option} {error}") from None
    elif os.path.lexists(path) and not path.is_dir():
        raise InputError(f"{output}: expected a folder, found something else")


def _check_inputs(output: Output, inputs: Sequence[Path]) -> None:
    path, helpers = output.path, helper_folder(output.path)
    for read in inputs:
        if same_file(path, read):
            raise InputError(f"{output}: would overwrite {read}, which this command reads; give another name")
        if _inside(read, helpers) or (output.kind.folder and read.is_file() and _inside(read, path)):
            raise InputError(f"{output}: {read}, which this command reads, lies in what it writes; give another name")
        if read.is_dir() and not output.kind.folder and _inside(path, read) and not is_ours(output):
            raise InputError(f"{output}: would overwrite a file of {read}, which this command reads; give another name")


def _check_pair(output: Output, other: Output) -> None:
    if same_file(output.path, other.path):
        raise InputError(f"{output}: the same as {other}; give each output a name of its own")
    for one, two in ((output, other), (other, output)):
        if not one.kind.folder and _inside(two.path, one.path):
            raise InputError(f"{two}: lies in {one}, which is a file; give another name")


def _check_ending(output: Output) -> None:
    endings, ending = output.kind.endings, output.path.suffix.lower()
    if ending and endings and ending not in endings:
        raise InputError(
            f"{output}: unknown ending {ending} for {output.kind.what}; expected a name in {', '.join(endings)}"
        )


def _inside(path: Path, folder: Path) -> bool:
    return Path(os.path.realpath(folder)) in Path(os.path.realpath(path)).parents


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _files(path: Path) -> dict[str, tuple[int, int]]:
    """Name -> size and time of a file (name ""), or of each file in a folder; empty for what is not there."""
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path] if path.is_file() else []
    found = {"" if file == path else file.relative_to(path).as_posix(): file.stat() for file in sorted(files)}
    return {name: (state.st_size, state.st_mtime_ns) for name, state in found.items()}


def _unchanged(path: Path, files: Any) -> bool:
    """Whether the files that were written are as they were, or gone; more may lie in a folder."""
    if path.is_file() and "" not in files:
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
    except (AttributeError, TypeError, ValueError):
        return False
    return True


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Claim:
    """The marks of one output: set when it is made, settled by `release`."""

    def __init__(self, output: Output, command: str) -> None:
        self._output, self._command = output, command
        self._folder = helper_folder(output.path)
        self._before, self._files, self._foreign = self._stat(), self._list(), _foreign_helpers(output)
        if os.path.lexists(self._folder) and not self._folder.is_dir():
            raise InputError(
                f"{output}: {self._folder} is in the way, a file where the helpers of the output (run record, cache) "
                "go; move it away or give another name"
            )
        self._made = [path for path in self._folder.parents if not path.exists()]
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(WRITING, {"command": command})
        except OSError as error:
            self._tidy()
            raise unwritable(output, error) from None

    def release(self) -> None:
        """Note what was written, if anything was; leave no trace of a command that wrote nothing."""
        state = self._stat()
        if state is not None and (state != self._before or self._list() != self._files):
            self._write(WRITTEN, {"command": self._command, "files": self._written()})
        helpers = _helpers_in(self._folder)
        if not (self._folder / WRITTEN).exists() and helpers - {WRITING, BEGUN, *self._foreign}:
            self._write(BEGUN, {"command": self._command})
        else:
            (self._folder / BEGUN).unlink(missing_ok=True)
        (self._folder / WRITING).unlink(missing_ok=True)
        self._tidy()

    def _written(self) -> dict[str, Any]:
        """Name -> size, time and hash of what this command wrote, now or when it ran before; not of other files."""
        path, earlier = self._output.path, _read_json(self._folder / WRITTEN)
        ours = earlier.get("files", {}) if isinstance(earlier, dict) else {}
        written = {}
        for name, (size, modified) in self._list().items():
            if name in ours or not self._output.kind.folder or self._files.get(name) != (size, modified):
                hashed = not self._output.kind.folder or size <= _HASHED
                written[name] = [size, modified, _sha256(path / name) if hashed else None]
        return written

    def _list(self) -> dict[str, tuple[int, int]]:
        return {} if self._output.kind.grows else _files(self._output.path)

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = self._output.path.stat()
        except OSError:
            return None
        return found.st_size, found.st_mtime_ns, found.st_ino

    def _write(self, name: str, value: dict[str, Any]) -> None:
        partial = self._folder / f".{name}.{os.getpid()}.part"
        partial.write_text(json.dumps(value) + "\n", encoding="utf-8")
        partial.replace(self._folder / name)

    def _tidy(self) -> None:
        for folder in (self._folder, *self._made):
            try:
                folder.rmdir()
            except OSError:  # not empty, or never made
                return
