"""`abroad doctor`: what is there, what is missing, and the command that adds it."""

from __future__ import annotations

import typer


def doctor() -> None:
    """Say what this machine has of what abroad can use, and how to add what is missing.

    Example: abroad doctor
    """
    from abroad.pipeline.doctor import examine

    for finding in examine():
        detail = finding.detail or "not installed"
        typer.echo(f"{finding.state:<8}{finding.part:<16}{detail:<28}{finding.purpose}")
        if finding.state == "missing" and finding.fix:
            typer.echo(f"{'':<8}{'':<16}add it with: {finding.fix}")


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)
