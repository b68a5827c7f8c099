"""Commands parsed: whether `abroad ...` as a page has it would run, as far as its words tell."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import typer

from abroad.cli import app
from abroad.core.errors import AbroadError
from tests.docs.blocks import ROOT

ROOT_COMMAND = typer.main.get_command(app)


def all_options() -> set[str]:
    """Every option of every command."""

    def below(command: Any) -> set[str]:
        own = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        return own.union(*(below(child) for child in getattr(command, "commands", {}).values()))

    return below(ROOT_COMMAND) | {"--help"}


def find(words: list[str]) -> tuple[Any, list[str]]:
    """(command, the words after its name); a group if the words name no command of it.

    Raises:
        LookupError: a word that is no command.
    """
    command: Any = ROOT_COMMAND
    rest = list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        if rest[0] not in command.commands:
            if "run" in command.commands and command is not ROOT_COMMAND:  # `abroad train DOCS`
                command = command.commands["run"]
                break
            raise LookupError(f"no command {rest[0]!r} in `abroad {' '.join(words)}`")
        command = command.commands[rest.pop(0)]
    if hasattr(command, "commands") and rest and rest != ["--help"] and "run" in command.commands:
        command = command.commands["run"]
    return command, rest


def mistakes(words: list[str], folder: Path = ROOT) -> str | None:
    """What is wrong with a call of `abroad`, which is parsed in full, and not run.

    Words become values as in the command itself: unknown commands and options, missing and further arguments, values of
    another type, out of range or none of the choices, and settings that no config and no engine takes.

    Args:
        folder: where its configs are looked for.
    """
    try:
        command, rest = find(words)
    except LookupError as error:
        return str(error)
    if rest == ["--help"] or rest == ["--version"]:
        return None
    if hasattr(command, "commands"):
        return f"`abroad {' '.join(words)}` names a group of commands"
    try:
        with contextlib.chdir(folder):
            context = command.make_context(command.name, list(rest))
            _settings(command, context)
    except AbroadError as error:
        return f"abroad {' '.join(words)}: {error}"
    except Exception as error:
        # Of click, or of the copy of it that newer versions of typer have inside.
        if not hasattr(error, "format_message"):
            raise
        return f"abroad {' '.join(words)}: {error.format_message()}"
    return None


def _settings(command: Any, context: Any) -> None:
    """Make the settings of a call, as the command is handed them; a config that is not there counts as empty."""
    config = context.params.get("config")
    config = config if config is not None and Path(config).is_file() else None
    for taken in (getattr(command, "_taken", None) or {}).values():
        taken.options.settings(taken.given(context), config)
