"""Commands by name: whether `abroad ...` as a page has it is a command with these options and arguments."""

from __future__ import annotations

from typing import Any

import typer

from abroad.cli import app

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


def mistakes(words: list[str]) -> str | None:
    """What is wrong with the names in a call: unknown commands and options, options without their value, too few
    arguments or too many; nothing is run, and no value is looked at."""
    try:
        command, rest = find(words)
    except LookupError as error:
        return str(error)
    if rest == ["--help"] or rest == ["--version"]:
        return None
    if hasattr(command, "commands"):
        return f"`abroad {' '.join(words)}` names a group of commands"
    context = typer.Context(command, info_name=command.name)
    try:
        values, left, _ = command.make_parser(context).parse_args(args=rest)
    except Exception as error:
        # Of click, or of the copy of it that newer versions of typer have inside.
        if not hasattr(error, "format_message"):
            raise
        return f"abroad {' '.join(words)}: {error.format_message()}"
    missing = [p.name for p in command.params if p.required and not values.get(p.name) and not p.envvar]
    if left or missing:
        return f"abroad {' '.join(words)}: left over {left}, missing {missing}"
    return None
