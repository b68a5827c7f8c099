"""`abroad doctor`: what is there, what is missing, and the command that adds it."""

from __future__ import annotations

import typer


def doctor() -> None:
    """Say what this machine has of what abroad can use, and how to add what is missing.

    Example: abroad doctor
    """
    from abroad.pipeline.doctor import examine

    findings = examine()
    rows = [(finding.state, finding.part, finding.detail or "not installed") for finding in findings]
    widths = [max(map(len, column)) + 2 for column in zip(*rows, strict=True)]
    for finding, row in zip(findings, rows, strict=True):
        cells = "".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        typer.echo(f"{cells}{finding.purpose}")
        if finding.state == "missing" and finding.fix:
            typer.echo(f"{'':<{widths[0] + widths[1]}}add it with: {finding.fix}")


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)
