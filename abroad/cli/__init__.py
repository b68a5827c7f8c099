"""The command line: one typer module for each group of commands, stages imported lazily."""

from __future__ import annotations

from abroad.cli.app import app


def main() -> None:
    """Entry point of the `abroad` command."""
    app()
