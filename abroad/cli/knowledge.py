"""`abroad knowledge`: the aggregated database, from its build to a page that shows it."""

from __future__ import annotations

import importlib

import typer

from abroad.cli.common import group

_COMMANDS = ("knowledge_build", "knowledge_ask", "knowledge_browse")


def register(app: typer.Typer) -> None:
    commands = group(
        "Merge predictions into a database: ask it, look at it, hand it on.",
        example="abroad knowledge build predictions.jsonl --out np.duckdb",
    )
    for name in _COMMANDS:
        importlib.import_module(f"abroad.cli.{name}").register(commands)
    app.add_typer(commands, name="knowledge")
