"""The exceptions a user can meet, each with the exit code it ends a command with."""

from typing import Self


class AbroadError(Exception):
    """Root of all errors raised on purpose; the message tells the user what to do."""

    exit_code = 1


class InputError(AbroadError):
    """Wrong usage or input: the message names the file, line or record and what was expected."""

    exit_code = 2


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
    def of(cls, error: ImportError) -> Self | None:
        """The error to tell of a failed import; None if it is of no optional package."""
        from abroad.core.extras import EXTRAS

        module = (error.name or "").partition(".")[0]
        return cls(module, EXTRAS[module], "this command") if module in EXTRAS else None
