"""The `abroad` command and its groups."""

from __future__ import annotations

import importlib

import typer

from abroad.cli.common import CommandGroup
from abroad.cli.paths import App
from abroad.core.version import version

app = App(
    cls=CommandGroup,
    help="Turn the literature of an under-explored biomedical field into a database of relations.",
    epilog="Example: abroad extract documents.jsonl --out predictions.jsonl",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"abroad {version()}")
        raise typer.Exit()


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """Turn the literature of an under-explored biomedical field into a database of relations."""


_GROUPS = (
    "run",
    "config",
    "field",
    "lotus",
    "sample",
    "documents",
    "synth",
    "teach",
    "train",
    "tune",
    "extract",
    "extractor",
    "fewshot",
    "rank",
    "inspect",
    "knowledge",
    "annotate",
    "evaluate",
    "leaderboard",
    "release",
    "models",
    "doctor",
)
for name in _GROUPS:
    importlib.import_module(f"abroad.cli.{name}").register(app)
