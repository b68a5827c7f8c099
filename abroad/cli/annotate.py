"""`abroad annotate`: curation in the browser."""

from __future__ import annotations

import importlib

import typer

from abroad.cli.common import group

_COMMANDS = ("annotate_serve", "annotate_user", "annotate_push", "annotate_agreement", "annotate_export")


def register(app: typer.Typer) -> None:
    commands = group(
        "Curate predictions in the browser and bring the decisions back.",
        example="abroad annotate export documents.jsonl --pred predictions.jsonl --html curate.html",
    )
    for name in _COMMANDS:
        importlib.import_module(f"abroad.cli.{name}").register(commands)
    app.add_typer(commands, name="annotate")
