"""The exceptions a user can meet, each with the exit code it ends a command with."""


class AbroadError(Exception):
    """Root of all errors raised on purpose; the message tells the user what to do."""

    exit_code = 1


class InputError(AbroadError):
    """Wrong usage or input: the message names the file, line or record and what was expected."""

    exit_code = 2


class MissingDependencyError(AbroadError):
    """An optional part is not installed; the message holds the command that adds it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs the package '{package}', which is not installed: pip install 'abroad[{extra}]'"
        )
