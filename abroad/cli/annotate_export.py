"""`abroad annotate export`: curation without a server, in one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import PAGE, writes
from abroad.core.context import Context

if TYPE_CHECKING:
    from annotation.offline.page import OfflineSettings


@writes(html=PAGE)
@takes(settings=Options("annotation.offline.page:OfflineSettings", without=("notes",)))
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
    *,
    settings: OfflineSettings,
) -> None:
    """Write one HTML file to curate in: no server, no network. `abroad annotate pull` reads what it saves.

    Example: abroad annotate export documents.jsonl --predictions predictions.jsonl --html curate.html
    """
    from abroad.core.errors import InputError
    from abroad.core.field import find_field
    from abroad.documents.inputs import read_documents
    from abroad.documents.predictions import read_predictions
    from annotation.offline.page import write_offline

    context = Context(say=say)
    try:
        shown = read_documents(documents, context)
    except InputError as error:
        if _holds_predictions(documents):
            raise InputError(f"{error}; predictions go to --predictions, their documents come first") from None
        raise
    field = find_field(settings.field)
    if not field.is_built_in:  # of natural products the page says what to do
        field.check_documents(shown, documents)
    named = read_predictions(predictions, context) if predictions else []
    write_offline(shown, named, html, settings, context)
    report_rejects(context, html)
    say(f"{html}: {len(shown)} documents; send it to the curators, and give what they save to `abroad annotate pull`")


def _holds_predictions(path: Path) -> bool:
    from abroad.core.errors import InputError
    from abroad.documents.predictions import read_predictions

    try:
        return bool(read_predictions(path))
    except InputError:
        return False


def register(group: typer.Typer) -> None:
    group.command("export", cls=SettingsCommand)(export)
