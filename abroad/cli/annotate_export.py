"""`abroad annotate export`: curation without a server, in one HTML file."""

from __future__ import annotations

from pathlib import Path

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.outputs import PAGE, writes


@writes(html=PAGE)
def export(
    documents: Path = typer.Argument(
        ..., metavar="DOCS", help="Documents (as `abroad extract` reads them), in the order to be shown."
    ),
    html: Path = typer.Option(..., metavar="FILE.html", help="The page to write."),
    predictions: Path | None = typer.Option(
        None,
        "--predictions",
        "--pred",
        metavar="PRED.jsonl",
        help="Suggestions, as `abroad extract` writes them; else the documents' relations.",
    ),
    batch: str = typer.Option("1", help="Name of this batch, kept in the decisions."),
    title: str = typer.Option("Curation of relations", help="Of the page."),
    model: str = typer.Option("abroad", help="Name of what made the predictions."),
) -> None:
    """Write one HTML file to curate in: no server, no network. `abroad annotate pull` reads what it saves.

    Example: abroad annotate export documents.jsonl --predictions predictions.jsonl --html curate.html
    """
    from abroad.core.errors import InputError
    from abroad.core.io import Rejects
    from abroad.documents.inputs import read_documents
    from abroad.documents.predictions import read_predictions
    from annotation.offline.page import OfflineSettings, write_offline

    rejects = Rejects()
    try:
        shown = read_documents(documents, rejects)
    except InputError as error:
        if "no abstract" in str(error):
            raise InputError(f"{error}; predictions go to --predictions, their documents come first") from None
        raise
    named = read_predictions(predictions, rejects) if predictions else []
    write_offline(shown, named, html, OfflineSettings(title, batch, model), rejects)
    report_rejects(rejects, html)
    say(f"{html}: {len(shown)} documents; send it to the curators, and give what they save to `abroad annotate pull`")


def register(group: typer.Typer) -> None:
    group.command("export")(export)
