"""The exceptions a user can meet, each with the exit code it ends a command with, and words that messages share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

MAX_DIGITS = 4_300
"""Digits of an integer that Python reads (`sys.int_info`); no number of ours has as many."""
LONG_INTEGER = f"an integer of more than {MAX_DIGITS:,} digits"


class AbroadError(Exception):
    """Root of all errors raised on purpose; the message tells the user what to do."""

    exit_code = 1


class InputError(AbroadError):
    """Wrong usage or input: the message names the file, line or record and what was expected."""

    exit_code = 2


class Note(UserWarning):
    """Something that a user should know, and that stops nothing; a command says it as a note."""


class FormerNameWarning(FutureWarning):
    """A setting was given by the name it had in an earlier version, which is still read."""


class MissingDependencyError(AbroadError):
    """An optional part is not installed; the message holds the command that adds it."""

    def __init__(self, package: str, extra: str | None, purpose: str) -> None:
        """Name the package and the command.

        Args:
            package: What is missing.
            extra: The extra of abroad that brings it; None where it is installed by its own name.
            purpose: What needs it ("a data frame").
        """
        from abroad.core.extras import install_hint

        command = f"pip install {package}" if extra is None else install_hint(extra)
        super().__init__(f"{purpose} needs the package '{package}', which is not installed: {command}")

    @classmethod
    def of(cls, error: ImportError) -> MissingDependencyError | None:
        """What to tell of a failed import; None if it is of no optional package."""
        from abroad.core.extras import EXTRAS

        module = (error.name or "").partition(".")[0]
        extra = EXTRAS.get(module)
        return cls(module, extra, "this command") if extra is not None else None


def short(value: Any, length: int = 60) -> str:
    """A value as a message can show it."""
    try:
        text = repr(value)
    except ValueError:  # an integer that Python refuses to write out
        return LONG_INTEGER
    return text if len(text) <= length else f"{text[: length - 3]}..."


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Which of the names was probably meant, if one is like it."""
    import difflib

    near = difflib.get_close_matches(name, known, 1)
    return near[0] if near else None


def expected(name: str, known: Sequence[str]) -> str:
    """What to say of a name that is none of those known: the nearest, then all."""
    if not known:
        return "it has none"
    near = nearest(name, known)
    return f"{f'did you mean {near}? E' if near else 'e'}xpected one of: {', '.join(known)}"
