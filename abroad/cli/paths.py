"""Paths on the command line: an empty one is refused, and a pipe is read once, into a temporary file.

Python takes the empty path for the current directory, so that `abroad extract "$FILE"` with an unset variable would
read all that lies there. A named pipe, or what a shell makes of `<(command)`, has no size and can be read a single
time; a command that asks for its size, tells its format and then reads it would find it empty.
"""

from __future__ import annotations

import contextlib
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from abroad.cli.messages import named
from abroad.core.errors import InputError
from abroad.core.progress import Progress

OUTPUTS = "__abroad_outputs__"
MAYBE_PATHS = {
    *("model", "models", "base", "rank_model", "embedder", "compare", "principles", "sets", "suites", "setting"),
    "assignments",
}
"""Parameters that are text, since a name will do as well as a path."""
_CONFIGS = ("config", "file")
"""Parameters that name a config, whose paths count from its folder."""
_BLOCK = 1 << 20


class PathCommand(TyperCommand):
    """A command whose parameters are checked for empty paths, and whose pipes are read into files."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if "" in args or any(word.endswith("=") for word in args):
            given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
            for parameter in self.params:
                value = given.get(parameter.name)
                if "" in (value if isinstance(value, list | tuple) else [value]) and (what := _expected(parameter)):
                    raise InputError(f"{_name_of(parameter)}: expected {what}, found no text")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with contextlib.ExitStack() as stack:
            outputs = getattr(self.callback, OUTPUTS, {})
            for parameter in self.params:
                if _is_path(parameter) and parameter.name not in outputs:
                    ctx.params[parameter.name] = _without_pipes(ctx.params.get(parameter.name), parameter.name, stack)
            return self.invoke_with_files(ctx)

    def invoke_with_files(self, ctx: Any) -> Any:
        """Run the command; every path of an input that is there is one of a file or a folder, or a device."""
        return super().invoke(ctx)


class App(typer.Typer):
    """An app all of whose commands handle paths so."""

    def command(self, name: str | None = None, **more: Any) -> Any:
        """As typer's, with another default class."""
        return super().command(name, **{**more, "cls": more.get("cls") or PathCommand})


def _expected(parameter: Any) -> str | None:
    if _is_path(parameter):
        return "a path"
    name = str(parameter.name).rpartition("__")[2]  # of settings, it stands after that of their parameter
    return "a name or a path" if name in MAYBE_PATHS else None


def _is_path(parameter: Any) -> bool:
    descriptor = getattr(parameter, "type_descriptor", None)  # of typer from 0.27 on
    if descriptor is not None:
        return "Path" in str(descriptor.annotation)
    return getattr(parameter.type, "name", "") == "path"


def _name_of(parameter: Any) -> str:
    return parameter.opts[0] if parameter.opts[0].startswith("-") else str(parameter.metavar or parameter.name.upper())


def _without_pipes(value: Any, name: str, stack: contextlib.ExitStack) -> Any:
    """The value, or the values, with a file for each pipe."""
    if isinstance(value, list | tuple):
        return type(value)(_without_pipes(each, name, stack) for each in value)
    if not isinstance(value, str | Path) or not _is_pipe(Path(value)):
        return value
    if name in _CONFIGS:
        raise InputError(f"{value}: expected a file, found a pipe: relative paths in a config count from its folder")
    return type(value)(stack.enter_context(_spooled(Path(value))))


def _is_pipe(path: Path) -> bool:
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def _spooled(pipe: Path) -> Iterator[Path]:
    """A file of what a pipe holds, of its name, which tells the format."""
    stem = "stdin" if pipe.name == "0" else "pipe" if pipe.name.isdigit() else pipe.name
    with tempfile.TemporaryDirectory(prefix="abroad-pipe-") as folder:
        file = Path(folder) / stem
        with Progress(f"{pipe}: reading the pipe", None), pipe.open("rb") as source, file.open("wb") as target:
            shutil.copyfileobj(source, target, _BLOCK)
        with named(file, str(pipe)):
            yield file
