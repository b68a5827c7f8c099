"""`abroad annotate push`, `pull`, `adjudicate`: predictions to curators, their decisions back."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.annotate_user import KEY_HELP, URL_HELP
from abroad.cli.common import report_rejects, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import folder, writes
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.core.field import Field
    from abroad.core.schema import Document, Prediction
    from abroad.knowledge.query import PairFilter
    from annotation.argilla.pull import Pulled
    from annotation.argilla.push import PushReport, PushSettings

PUSH = "annotation.argilla.push:PushSettings"
TARGET = Options(PUSH, only=("dataset", "workspace", "field"))
_URL = typer.Option(None, help=URL_HELP)
_KEY = typer.Option(None, help=KEY_HELP)


@takes(
    settings=Options(PUSH),
    wanted=Options(
        "abroad.knowledge.query:PairFilter",
        only=("organism", "compound", "head", "tail", "relation", "taxon", "new", "min_probability", "since"),
        helps={"new": "Take documents of new pairs alone: both names are in the index, the pair is not."},
    ),
)
def push(
    documents: Path | None = typer.Argument(
        None, metavar="DOCS", help="Documents (as `abroad extract` reads them); or --from a knowledge base."
    ),
    database: Path | None = typer.Option(
        None, "--from", metavar="np.duckdb", help="A knowledge base: push the documents that help it most."
    ),
    top: int = typer.Option(200, min=1, help="So many documents of --from are pushed: new to the batch, and probable."),
    predictions: Path | None = typer.Option(
        None, "--pred", metavar="PRED.jsonl", help="Predictions of `abroad extract` to show with them."
    ),
    sample: Path | None = typer.Option(
        None, metavar="SAMPLE.tsv", help="Order that --order gme takes, in place of that of the predicted relations."
    ),
    url: str | None = _URL,
    api_key: str | None = _KEY,
    *,
    settings: PushSettings,
    wanted: PairFilter,
) -> None:
    """Show documents with their predictions to curators; the same documents again are updated, never doubled.

    Example: abroad annotate push docs.jsonl --pred pred.jsonl --order gme --overlap 0.2

    \b
    More examples:
      abroad annotate push --from np.duckdb --new --top 200
    """
    from abroad.core.field import find_field
    from annotation.argilla.connection import connect
    from annotation.argilla.order import read_sample_ranks
    from annotation.argilla.push import push as send
    from annotation.desk import field_file

    source = _source(documents, database, predictions)
    context = Context(say=say)
    ranks = read_sample_ranks(sample) if sample else None
    with contextlib.ExitStack() as stack:
        if documents is not None:
            shown, found = _read(documents, predictions, context)
        else:
            shown, found, own = _chosen(source, wanted, top)
            settings = settings if settings.field else settings.replace(field=stack.enter_context(field_file(own)))
        if not (field := find_field(settings.field)).is_built_in:
            field.check_documents(shown, source)
        client = connect(url, api_key)  # after the files, so that what is wrong with these is told first
        report = send(client, shown, found, settings, context, ranks)
    report_rejects(context, predictions or source, "rejects-of-push.jsonl")
    _print_report(report, settings.curators)
    say(f"curate them at {client.api_url}; then: abroad annotate pull --out DIR")


@writes(out=folder("decisions"))
@takes(target=TARGET)
def pull(
    out: Path = typer.Option(..., metavar="DIR", help="Directory for the decisions and documents."),
    offline: list[Path] = typer.Option(
        [], "--from", metavar="FILE.json", help="What the offline page saved; repeatable."
    ),
    drafts: bool = typer.Option(False, "--drafts", help="Count drafts as if they were submitted."),
    server: bool = typer.Option(True, help="Ask the server; --no-server with --from alone."),
    url: str | None = _URL,
    api_key: str | None = _KEY,
    *,
    target: PushSettings,
) -> None:
    """Bring decisions back: curated.jsonl (merged), curators/NAME.jsonl, conflicts.jsonl, predicted.jsonl.

    decisions.jsonl holds every answer, and every line that could not be read as it was typed.

    Example: abroad annotate pull --out curated
    """
    from abroad.core.errors import InputError
    from annotation.argilla.pull import read_offline, together, write_pulled

    context = Context(say=say)
    parts = [read_offline(path, context) for path in offline]
    if server:
        parts.append(_pull(url, api_key, target, context))
    if not parts:
        raise InputError("--no-server: expected files of the offline page with --from")
    out.mkdir(parents=True, exist_ok=True)
    merged, report = write_pulled(together(parts), out, drafts)
    report_rejects(context, out)
    typer.echo(
        f"{report.documents} curated documents of {report.curators} curators: {report.submitted} answers submitted, "
        f"{report.drafts} drafts, {report.discarded} discarded; {report.conflicts} conflicts"
    )
    if report.flagged:
        say(f"{report.flagged} lines to look at: 'flagged' in {out / 'decisions.jsonl'}")
    if merged.conflicts:
        say(f"conflicts: {out / 'conflicts.jsonl'}; `abroad annotate adjudicate` asks for a decision")


@takes(target=TARGET)
def adjudicate(url: str | None = _URL, api_key: str | None = _KEY, *, target: PushSettings) -> None:
    """Push what curators disagree on as a batch of its own, both answers shown; its decision wins at the next pull.

    Example: abroad annotate adjudicate
    """
    from abroad.core.field import find_field
    from annotation.argilla.adjudicate import adjudicate as send
    from annotation.argilla.connection import connect
    from annotation.argilla.pull import pull as fetch

    field = find_field(target.field)
    client = connect(url, api_key)
    pulled = fetch(client, target.dataset, target.workspace, Context(), field)
    sent = send(client, pulled, target.dataset, target.workspace)
    typer.echo(f"{len(sent)} conflicts to decide" + (f": dataset {target.dataset}-adjudication" if sent else ""))


def _print_report(report: PushReport, curators: int) -> None:
    typer.echo(
        f"{len(report.pushed)} documents pushed ({report.created} new, {report.updated} updated, "
        f"{report.overlapping} for {curators} curators)"
    )
    if report.answered:
        typer.echo(f"{len(report.answered)} left as they are: a curator has answered them")


def _source(documents: Path | None, database: Path | None, predictions: Path | None) -> Path:
    """What is pushed from: documents or a knowledge base, and one of them alone."""
    from abroad.core.errors import InputError

    source = documents or database
    if source is None or (documents is not None and database is not None):
        raise InputError("expected documents, or --from with a knowledge base, and not both")
    if database is not None and predictions is not None:
        raise InputError("--pred: a knowledge base has its predictions itself; expected --from alone")
    return source


def _read(documents: Path, predictions: Path | None, context: Context) -> tuple[list[Document], list[Prediction]]:
    from abroad.documents.inputs import read_documents
    from abroad.documents.predictions import read_predictions

    return read_documents(documents, context), read_predictions(predictions, context) if predictions else []


def _chosen(database: Path, wanted: PairFilter, top: int) -> tuple[list[Document], list[Prediction], Field]:
    """The documents whose curation helps a knowledge base most, in that order, what was extracted, and its field."""
    from abroad.knowledge.curation import best_documents, documents_of
    from abroad.knowledge.kinds import kind_of
    from abroad.knowledge.store import readable

    with readable(database) as store:
        both, field = documents_of(store, best_documents(store, wanted, top)), kind_of(store).field
    return [document for document, _ in both], [prediction for _, prediction in both], field


def _pull(url: str | None, api_key: str | None, target: PushSettings, context: Context) -> Pulled:
    from abroad.core.field import find_field
    from annotation.argilla.connection import connect
    from annotation.argilla.pull import pull as fetch

    field = find_field(target.field)
    return fetch(connect(url, api_key), target.dataset, target.workspace, context, field)


def register(group: typer.Typer) -> None:
    group.command("push", cls=SettingsCommand)(push)
    group.command("pull", cls=SettingsCommand)(pull)
    group.command("adjudicate", cls=SettingsCommand)(adjudicate)
