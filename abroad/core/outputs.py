"""The one gate for all that a command writes: an output never destroys what abroad did not write.

`guard` refuses, before anything is read or computed: an output that is also an input, by whatever spelling or link;
two outputs that are one file; a file or folder that this command did not write as this kind of result, or that was
changed since (`--force` overrides this one rule); devices and pipes; a folder where a file is expected, and the other
way round; endings that the command does not know; a path among the helpers of another output. Marks in `OUT.abroad/`
(`abroad.core.marks`) tell a later run what is abroad's, and of which command. A folder `OUT.abroad/` with files in it
and no such mark is somebody else's, and is refused likewise.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from abroad.core.errors import InputError
from abroad.core.helpers import SUFFIX, helper_folder, old_helper
from abroad.core.locks import held
from abroad.core.marks import BEGUN, WRITING, WRITTEN, Claim, Writer, helpers_in, is_unchanged, read_json, writer_of

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
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
        commands: those that may write to what another of them wrote; else a command writes to its own results alone.
        streams: whether it may go to standard output (`-`), beside which nothing is kept for another run.
    """

    what: str
    endings: tuple[str, ...] = ()
    folder: bool = False
    beside: Callable[[Path], tuple[Path, ...]] = lambda path: ()
    recognise: Callable[[Path], bool] = lambda path: False
    grows: bool = False
    marked: bool = True
    shared: bool = False
    commands: tuple[str, ...] = ()
    streams: bool = True


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
        force: overwrite what this command did not write; never an input, a device or a folder.
        command: is noted in the marks; what another one wrote is refused.
    Raises:
        InputError: an output is refused; nothing has been touched.
    """
    outputs = [each for output in outputs for each in _with_neighbours(output)]
    check_outputs(outputs, inputs, force, command)
    marked = [output for output in outputs if output.kind.marked and _is_first_process()]
    claims: list[Claim] = []
    with contextlib.ExitStack() as locks:
        for output in marked:
            if not output.kind.shared:
                locks.enter_context(held(output.path, command))
        try:
            for output in marked:
                claims.append(_claim(output, command))
            yield
        finally:
            for claim in reversed(claims):
                claim.release()


def check_outputs(
    outputs: Sequence[Output], inputs: Iterable[str | Path] = (), force: bool = False, command: str = ""
) -> None:
    """Raise for the first output that must not be written.

    Raises:
        InputError: says which, why, and what to do.
    """
    read = [path for path in map(Path, inputs) if _is_there(path)]
    for number, output in enumerate(outputs):
        _check_type(output)
        _check_inputs(output, read, command)
        for other in outputs[:number]:
            _check_pair(output, other)
        _check_ending(output)
    for output in outputs:
        if not force and (objection := _objection(output, command)) is not None:
            raise InputError(
                f"{output}: it is there already, {objection}; give another name, or --force to overwrite it"
            )
        if not force and output.kind.marked and (foreign := _foreign_helpers(output)):
            raise InputError(
                f"{output}: {helper_folder(output.path)}, where its helpers go (run record, cache), holds files that "
                f"abroad did not write ({', '.join(foreign[:3])}); move them away, give another name, or --force to "
                "write among them"
            )


def check_order(outputs: Iterable[Output], inputs: Iterable[Path], command: str = "") -> None:
    """Raise where an output is there and an input is not: whoever mixed them up must not be told of --force.

    Raises:
        InputError: names both.
    """
    absent = next((path for path in inputs if str(path) != "-" and not _is_there(path)), None)
    taken = next(
        (
            output
            for output in outputs
            if _is_there(output.path) and output.path.is_file() and not is_ours(output, command)
        ),
        None,
    )
    if absent is not None and taken is not None:
        raise InputError(
            f"{taken}: it is there already, but {absent}, which is to be read, is not; "
            "are input and output the wrong way round?"
        )


def is_ours(output: Output, command: str = "") -> bool:
    """Whether the command may overwrite what lies there: nothing, or its own result, which nobody changed."""
    return _objection(output, command) is None


def _objection(output: Output, command: str) -> str | None:
    """Why what lies at the path must stay; None where the command may overwrite it."""
    path, kind = output.path, output.kind
    if not os.path.lexists(path):
        return None
    foreign = "and abroad did not write it or it was changed since"
    if kind.folder and (not path.is_dir() or not any(path.iterdir())):
        return None if path.is_dir() else foreign
    if not kind.marked:
        return None if kind.recognise(path) else foreign
    writer = Writer(command, output.option)
    writing, wrote = writer_of(path, WRITING), writer_of(path, WRITTEN)
    if writing is not None and _may_follow(kind, writer, writing):  # a run that was killed
        return None
    other = next((each for each in (wrote, writing) if each is not None), None)
    if other is not None and not _may_follow(kind, writer, other):
        return f"a result of {other}"
    if wrote is not None:
        return None if kind.grows or is_unchanged(path) else foreign
    # Earlier versions kept no hash of what they wrote.
    known = kind.recognise(path) or any(isinstance(read_json(old_helper(path, name)), dict) for name in _OLD)
    return None if known else foreign


def _may_follow(kind: Kind, writer: Writer, earlier: Writer) -> bool:
    if writer.command in kind.commands and earlier.command in kind.commands:
        earlier = Writer(writer.command, earlier.option)
    return writer.is_as(earlier)


def _foreign_helpers(output: Output) -> list[str]:
    """Names of what lies in `OUT.abroad/`, where no mark says that abroad writes there."""
    folder = helper_folder(output.path)
    if not folder.is_dir() or (os.path.lexists(output.path) and output.kind.recognise(output.path)):
        return []
    names = helpers_in(folder)
    return [] if names & {WRITING, WRITTEN, BEGUN} else sorted(names)


def _claim(output: Output, command: str) -> Claim:
    kind = output.kind
    try:
        writer = Writer(command, output.option)
        return Claim(output.path, writer, kind.folder, kind.grows, _foreign_helpers(output))
    except InputError as error:
        raise InputError(f"{output}: {error}") from None
    except OSError as error:
        raise unwritable(output, error) from None


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
    if any(part.endswith(SUFFIX) for part in (*path.absolute().parts, *Path(os.path.realpath(path)).parts)):
        raise InputError(
            f"{output}: a folder whose name ends in {SUFFIX} holds the helpers of an output (run record, cache); "
            "give a path outside of it"
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


def _check_inputs(output: Output, inputs: Sequence[Path], command: str) -> None:
    path, helpers = output.path, helper_folder(output.path)
    for read in inputs:
        if same_file(path, read):
            raise InputError(f"{output}: would overwrite {read}, which this command reads; give another name")
        if _inside(read, helpers) or (output.kind.folder and read.is_file() and _inside(read, path)):
            raise InputError(f"{output}: {read}, which this command reads, lies in what it writes; give another name")
        if read.is_dir() and not output.kind.folder and _inside(path, read) and not is_ours(output, command):
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
