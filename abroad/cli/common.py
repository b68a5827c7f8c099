"""What every command shares: how errors end it, where messages go, what was set aside."""

from __future__ import annotations

import contextlib
import errno
import sys
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from abroad.cli.messages import named as named
from abroad.cli.messages import say as say
from abroad.cli.paths import App
from abroad.core.context import Context
from abroad.core.errors import AbroadError, FormerNameWarning, InputError, MissingDependencyError, Note
from abroad.core.heartbeat import Heartbeat

_UsageError: Any = typer.BadParameter.__base__  # of the click that typer brings; it has no public name
_OURS = (FormerNameWarning, Note)
_SERVERS = ("serve", "browse")
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_UNUSABLE = (errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EROFS)
"""What is wrong with a path that a person gave, or with its rights."""


class CommandGroup(TyperGroup):
    """Ends a command with our exit codes: 1 failed, 2 wrong input, 130 interrupted."""

    _words = ""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        command = next((word for word in args if word in self.commands), None)
        self._words = " ".join(self._named(args))
        try:
            return super().parse_args(ctx, args)
        except _UsageError as error:
            if command is not None and args[0] != command:
                error.message += f"; options of a command follow it: abroad {command} ..."
            raise

    def _named(self, args: list[str]) -> list[str]:
        """The command that is called, with its group."""
        command = self.commands.get(args[0]) if args else None
        return args[: 1 if args[1:] and args[1] not in getattr(command, "commands", ()) else 2] if command else []

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        try:
            return super().resolve_command(ctx, args)
        except _UsageError as error:
            if args and Path(args[0][:255]).exists():
                error.message += f" It is a file or folder: abroad extract {args[0]} --out FILE?"
            raise

    def invoke(self, ctx: Any) -> Any:
        try:
            with _notes_said(), _at_work(self._words) if ctx.parent is None else contextlib.nullcontext():
                return super().invoke(ctx)
        except AbroadError as error:
            say(f"error: {error}")
            raise typer.Exit(error.exit_code) from None
        except ModuleNotFoundError as error:
            if (told := MissingDependencyError.of(error)) is None:
                raise
            say(f"error: {told}")
            raise typer.Exit(told.exit_code) from None
        except KeyboardInterrupt as error:
            say(f"interrupted: {str(error) or 'everything so far is kept'}; run the same command again to go on")
            raise typer.Exit(getattr(error, "exit_code", 130)) from None
        except BrokenPipeError:
            # The reader (`| head`) has what it wants; point stdout nowhere so that exit does not complain.
            sys.stdout = None
            raise typer.Exit(0) from None
        except UnicodeEncodeError as error:
            # Arguments and names of files that are no text reach us as lone surrogates (PEP 383).
            if not any("\udc80" <= character <= "\udcff" for character in error.object):
                raise
            around = error.object[max(0, error.start - 40) : error.end + 40]
            shown = around.encode("utf-8", "backslashreplace").decode("utf-8")
            say(f"error: expected text in UTF-8 in options and names of files, found {shown!r}: rename it")
            raise typer.Exit(2) from None
        except OSError as error:
            if error.errno in _UNUSABLE and error.filename is not None:
                say(f"error: {str(error.filename)[:200]}: {error.strerror}")
                raise typer.Exit(2) from None
            if error.errno not in _DISK_FULL:
                raise
            say(f"error: {error.filename or 'the output'}: {error.strerror}")
            say("everything so far is kept; make room and run the same command again to go on")
            raise typer.Exit(1) from None


def _at_work(words: str) -> AbstractContextManager[Any]:
    """Words on standard error where a command is silent for long; a server that waits for people may be."""
    if words.endswith(_SERVERS):
        return contextlib.nullcontext()
    return Heartbeat(words or "abroad")


def group(help: str, example: str) -> typer.Typer:
    """A typer app for a group of commands; its help ends with an example of one of them."""
    return App(
        help=help,
        epilog=f"Example: {example}",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


@contextlib.contextmanager
def _notes_said() -> Iterator[None]:
    """Say once each what was noted, former names of settings too; warnings of other libraries go where they go."""
    told: set[str] = set()
    with warnings.catch_warnings():
        for ours in _OURS:
            warnings.simplefilter("always", ours)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, _OURS):
                others(message, category, *where, **more)
            elif str(message) not in told:
                told.add(str(message))
                say(f"note: {message}")

        warnings.showwarning = show
        yield


def warn_of_former_name(former: str, name: str) -> None:
    """Say that a name of an earlier version was read, and what it is called now."""
    say(f"note: {former} is called {name} now; the former name is still read")


def say_notes(context: Context) -> None:
    """Say, once, what was assumed of the inputs."""
    for note in context.rejects.notes:
        say(note)
    context.rejects.notes.clear()


def report_rejects(context: Context, output: Path, name: str = "rejects.jsonl") -> None:
    """Say what was assumed and what was set aside, and write the latter into the output's folder of helpers."""
    from abroad.core.io import write_rejects

    say_notes(context)
    target = write_rejects(context, output, name)
    if target is not None:
        say(context.rejects.summary())
        say(f"all of them, with reasons: {target}")


def parse_sets(assignments: list[str]) -> dict[str, Path]:
    """NAME=FILE pairs, in the order given.

    Raises:
        InputError: no "=" in one, or a name that stands twice.
    """
    files: dict[str, Path] = {}
    for text in assignments:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise InputError(f"{text!r}: expected NAME=FILE, such as plain=train.jsonl")
        if name in files:
            raise InputError(f"{text!r}: the name {name!r} stands twice")
        files[name] = Path(path)
    return files
