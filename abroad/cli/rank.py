"""`abroad rank`: candidate relations or outputs put in order by a language model, without training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.options import ENGINE, Options, SettingsCommand, takes
from abroad.cli.outputs import JSONL, PAGE, writes
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.core.schema import Document, Prediction
    from abroad.engines.choice import EngineChoice
    from abroad.ranking.game import GameSettings
    from abroad.ranking.rank import RankSettings


@writes(out=JSONL, report=PAGE)
@takes(
    settings=Options("abroad.ranking.rank:RankSettings", without=("game", "prompts"), section="rank"),
    game=Options("abroad.ranking.game:GameSettings", section="rank.game"),
    choice=ENGINE,
)
def rank(
    documents: Path = typer.Argument(..., metavar="DOCS", help="The documents (as `abroad extract` reads them)."),
    predictions: list[Path] = typer.Argument(
        ..., metavar="PRED.jsonl...", help="Predictions of them; the relations of several files are joined."
    ),
    out: Path = typer.Option(..., metavar="OUT.jsonl", help="The same predictions, ranked."),
    whole: bool = typer.Option(False, "--whole", help="Each file is one output: choose the best for each document."),
    report: Path | None = typer.Option(None, metavar="FILE.html", help="All orders beside the documents' relations."),
    share: float = typer.Option(0.5, min=0.01, max=1, help="Share kept for the F1 of the report."),
    as_json: bool = typer.Option(False, "--json", help="Print the report as one JSON object."),
    seed: int = typer.Option(0, help="Seed of the report's bootstrap."),
    config: Path | None = typer.Option(None, help="YAML with a section 'rank'; options override it."),
    *,
    settings: RankSettings,
    game: GameSettings,
    choice: EngineChoice,
) -> None:
    """Rank predicted relations by equilibrium search between two readings of one model (Consensus Game).

    The model is asked how probable each candidate is as a correct and as an incorrect statement, and how probable
    it is that the candidate is correct; a game brings the two to agree. All four orders stand in the output. With
    --field a candidate is stated as that field's templates say it.

    Example: abroad rank docs.jsonl predictions.jsonl --out ranked.jsonl --by er-d --keep 0.5
    """
    from abroad.core.errors import InputError
    from abroad.core.field import find_field
    from abroad.core.provenance import run_record
    from abroad.core.registry import Capability
    from abroad.documents.inputs import read_documents
    from abroad.documents.predictions import read_predictions
    from abroad.ranking.compare import compare_orders
    from abroad.ranking.rank import rank_file
    from abroad.ranking.report import describe, write_report

    if whole and len(predictions) < 2:
        raise InputError("--whole chooses between outputs: expected two files of predictions or more")
    settings, context = settings.replace(game=game), Context(say=say)
    texts = read_documents(documents, context)
    find_field(settings.field).check_documents(texts, documents)
    outputs = [read_predictions(path, context) for path in predictions]
    _check_ids(documents, texts, predictions, outputs)
    spec = choice.spec
    spec.require(Capability.LOGPROBS, "ranking")
    identity = spec.identity | spec.weights
    how = identity | {"by": settings.by, "keep": settings.keep, "min_probability": settings.min_probability}
    fields = [settings.field] if settings.field is not None and settings.field.exists() else []
    with run_record(out, "rank", how, [documents, *predictions, *fields]) as run:
        done = rank_file(spec.make(context), identity, texts, outputs, settings, out, whole)
        run["result"] = vars(done)
    report_rejects(context, out)
    say(
        f"{out}: {done.kept} relations of {done.candidates} candidates in {done.documents} documents, "
        f"by {settings.by}; {done.failed} failed"
    )
    if report is not None or as_json:
        comparison = compare_orders(texts, read_predictions(out), share, seed=seed)
        if report is not None:
            write_report(comparison, report, choice.model)
        if as_json:
            typer.echo(json.dumps(comparison.to_dict(), ensure_ascii=False))
        else:
            for line in describe(comparison):
                typer.echo(line)
            say(f"report: {report}")


def _check_ids(path: Path, documents: list[Document], paths: list[Path], outputs: list[list[Prediction]]) -> None:
    """Say which predictions are of no document; refuse files that have nothing to do with each other."""
    from abroad.core.errors import InputError

    known = {document.id for document in documents}
    predicted = {prediction.id for output in outputs for prediction in output}
    if unknown := sorted(predicted - known):
        say(f"{len(unknown)} predictions are of documents not in {path} and are left out: {unknown[0]}, ...")
    if not predicted & known:
        raise InputError(f"{path}: none of its documents has a prediction in {paths[0]}")


def register(app: typer.Typer) -> None:
    app.command("rank", cls=SettingsCommand)(rank)
