"""Which options of a command are outputs, and what is written there; every command that writes says so by `writes`.

The other paths of a command are its inputs. `abroad.core.outputs` holds what is refused; here are the option
`--force`, and `-`: the output is written to a temporary file and copied to standard output when all went well.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import typer

from abroad.cli import common, options
from abroad.cli.messages import STANDARD_OUTPUT
from abroad.cli.paths import MAYBE_PATHS, OUTPUTS
from abroad.core.errors import InputError
from abroad.core.outputs import Kind, Output, check_order, guard


def holds(*patterns: str) -> Callable[[Path], bool]:
    """Whether a folder holds a file of one of these names, by which abroad knows its own."""
    return lambda folder: any(next(folder.glob(pattern), None) is not None for pattern in patterns)


JSONL = Kind("JSONL", (".jsonl", ".ndjson"))
PAID = Kind("JSONL", (".jsonl", ".ndjson"), streams=False)
"""Made of answers that may be paid for, and are kept beside it."""
TSV = Kind("a tab-separated table", (".tsv", ".txt", ".tab"))
PAGE = Kind("an HTML page", (".html", ".htm"))
IN_PLACE = Kind("a folder", folder=True, recognise=lambda folder: True, marked=False)
"""A folder in which a command guards single files itself."""
FORCE = typer.Option(False, "--force", help="Overwrite what this command did not write, or you have changed.")
PLOT = Kind("a plot", (".png", ".svg", ".pdf"))


def folder(what: str, *marks: str, grows: bool = False, marked: bool = True) -> Kind:
    """A folder; `marks` are names of files by which one of an earlier version is known."""
    return Kind(what, folder=True, recognise=holds(*marks), grows=grows, marked=marked)


def writes(**outputs: Kind) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare the outputs of a command by the names of their parameters, and send them through the gate."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        hints = get_type_hints(command, include_extras=True)
        signature = inspect.signature(command)
        parameters = [each.replace(annotation=hints[name]) for name, each in signature.parameters.items()]
        takes_force, kind = "force" in signature.parameters, inspect.Parameter.KEYWORD_ONLY
        if not takes_force:
            parameters.append(inspect.Parameter("force", kind, default=FORCE, annotation=bool))
        takes_context = "context" in signature.parameters
        if not takes_context:
            parameters.append(inspect.Parameter("context", kind, annotation=typer.Context))
        optional = {name for name, kind in outputs.items() if kind.streams and not kind.folder}

        @functools.wraps(command)
        def guarded(*, context: typer.Context, force: bool = False, **values: Any) -> Any:
            with _standard_output(values, {name: outputs[name] for name in optional}) as values:
                written = [
                    Output(values[name], kind, _option(name, signature.parameters[name]))
                    for name, kind in outputs.items()
                    if values.get(name) is not None
                ]
                read = [path for name, value in values.items() if name not in outputs for path in _paths(name, value)]
                read += [path for name, value in options.taken(context) for path in _paths(name, value)]
                command_line = _command(context)
                if not force:
                    check_order(written, read, command_line)
                more: dict[str, Any] = {"force": force} if takes_force else {}
                more |= {"context": context} if takes_context else {}
                with guard(written, read, force, command_line):
                    return command(**values, **more)

        guarded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        guarded.__annotations__ = {**hints, "force": bool, "context": typer.Context}
        setattr(guarded, OUTPUTS, outputs)
        return guarded

    return decorate


def _command(context: typer.Context) -> str:
    """The words of a command, however the program itself was called."""
    words: list[str] = []
    at: Any = context
    while at.parent is not None:
        words.insert(0, at.info_name)
        at = at.parent
    return " ".join(["abroad", *words])


def _option(name: str, parameter: inspect.Parameter) -> str:
    given = [word for word in getattr(parameter.default, "param_decls", None) or () if word.startswith("--")]
    return given[0] if given else f"--{name.replace('_', '-')}"


def _paths(name: str, value: Any) -> Iterator[Path]:
    """What a parameter names on disk: paths, names that may be paths, and the files of NAME=FILE."""
    if isinstance(value, list | tuple):
        for item in value:
            yield from _paths(name, item)
    elif isinstance(value, Path):
        yield value
    elif isinstance(value, str) and name in MAYBE_PATHS:
        for text in (value, value.partition("=")[2]):
            with contextlib.suppress(OSError, ValueError):  # too long for a path, or with a null character
                if text and Path(text).exists():
                    yield Path(text)


@contextlib.contextmanager
def _standard_output(values: dict[str, Any], files: dict[str, Kind]) -> Iterator[dict[str, Any]]:
    """The values with a temporary file in place of `-`, which goes to standard output in the end.

    What the command prints meanwhile goes to standard error.
    """
    names = [name for name in files if str(values.get(name)) == "-"]
    if not names:
        yield values
        return
    if len(names) > 1:
        raise InputError(f"--{names[0]} and --{names[1]}: only one output can go to standard output (-)")
    kind = files[names[0]]
    with tempfile.TemporaryDirectory(prefix="abroad-") as directory:
        asked = f".{values.get('format')}"
        ending = asked if asked in kind.endings else kind.endings[0] if kind.endings else ""
        path = Path(directory) / f"output{ending}"
        with common.named(path, STANDARD_OUTPUT), contextlib.redirect_stdout(sys.stderr):
            yield {**values, names[0]: path}
        if path.exists():
            with path.open("rb") as stream:
                sys.stdout.flush()
                shutil.copyfileobj(stream, sys.stdout.buffer)
                sys.stdout.buffer.flush()
