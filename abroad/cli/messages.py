"""Messages for the person at the terminal, in which temporary files go by the names of what they hold."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import typer

STANDARD_OUTPUT = "standard output"
_NAMES: dict[str, str] = {}


def say(message: str) -> None:
    """Print for the person at the terminal: to standard error, so that standard output stays data."""
    for path, name in _NAMES.items():
        message = message.replace(path, name)
    typer.echo(message, err=True)


@contextlib.contextmanager
def named(path: Path, name: str) -> Iterator[None]:
    """Say `name` for a path that means nothing to the person at the terminal."""
    _NAMES[str(path)] = name
    try:
        yield
    finally:
        del _NAMES[str(path)]


def name_of(path: Path) -> str | None:
    """What is said for a path; None where that is the path itself."""
    return _NAMES.get(str(path))
