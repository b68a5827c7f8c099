"""`abroad knowledge browse`: the database in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.annotate_user import KEY_HELP, URL_HELP
from abroad.cli.common import say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.core.context import Context

if TYPE_CHECKING:
    from annotation.argilla.push import PushSettings


@takes(target=Options("annotation.argilla.push:PushSettings", only=("dataset", "workspace")))
def browse(
    database: Path = typer.Argument(..., metavar="np.duckdb", help="A knowledge base of `abroad knowledge build`."),
    port: int = typer.Option(8321, min=0, max=65535, help="Port of the pages; 0: any that is free."),
    url: str | None = typer.Option(None, help=URL_HELP),
    api_key: str | None = typer.Option(None, help=KEY_HELP),
    *,
    target: PushSettings,
) -> None:
    """Show a database in the browser, on this machine only and without a network; Ctrl-C ends it.

    Search by organism, compound or taxon; each pair has its sentences, and a button that sends it to curation
    (`abroad annotate serve`) and asks what curators said.

    Example: abroad knowledge browse np.duckdb
    """
    from abroad.knowledge.browse.serve import serve
    from annotation.desk import ArgillaDesk

    serve(database, ArgillaDesk(url, api_key, target), port, Context(say=say))


def register(group: typer.Typer) -> None:
    group.command("browse", cls=SettingsCommand)(browse)
