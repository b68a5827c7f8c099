"""`abroad rank`: candidate relations or outputs put in order by a language model, without training."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from abroad.cli.common import ENGINE_SETTINGS_HELP, report_rejects, say
from abroad.cli.outputs import JSONL, PAGE, writes


@writes(out=JSONL, report=PAGE)
def rank(
    documents: Path = typer.Argument(..., metavar="DOCS", help="The documents (JSON or JSONL)."),
    predictions: list[Path] = typer.Argument(
        ..., metavar="PRED.jsonl...", help="Predictions of them; the relations of several files are joined."
    ),
    out: Path = typer.Option(..., metavar="OUT.jsonl", help="The same predictions, ranked."),
    model: str = typer.Option("smollm2-135m", help="Language model that ranks: a name or a path."),
    by: str = typer.Option("er-d", help="likelihood, product, er-g or er-d."),
    keep: float = typer.Option(1.0, min=0, max=1, help="Share of each document's relations to keep, one at least."),
    least: float = typer.Option(0.0, min=0, max=1, help="Leave out relations with a lower value in this order."),
    whole: bool = typer.Option(False, "--whole", help="Each file is one output: choose the best for each document."),
    report: Path | None = typer.Option(None, metavar="FILE.html", help="All orders beside the documents' relations."),
    share: float = typer.Option(0.5, min=0.01, max=1, help="Share kept for the F1 of the report."),
    as_json: bool = typer.Option(False, "--json", help="Print the report as one JSON object."),
    engine: str = typer.Option("transformers", help="transformers, vllm or openai (with log-probabilities)."),
    setting: list[str] = typer.Option([], "--set", metavar="KEY=VALUE", help=ENGINE_SETTINGS_HELP),
    batch_size: int = typer.Option(16, min=1, help="Texts at once."),
    steps: int = typer.Option(5000, min=1, help="Of the game at most."),
    seed: int = typer.Option(0, help="Of the report's bootstrap."),
) -> None:
    """Rank predicted relations by equilibrium search between two readings of one model (Consensus Game).

    The model is asked how probable each candidate is as a correct and as an incorrect statement, and how probable
    it is that the candidate is correct; a game brings the two to agree. All four orders stand in the output.

    Example: abroad rank docs.jsonl predictions.jsonl --out ranked.jsonl --by er-d --keep 0.5
    """
    from abroad.core.errors import InputError
    from abroad.core.io import Rejects, read_documents, read_predictions
    from abroad.core.provenance import run_record
    from abroad.engines.spec import make_engine, parse_assignments, read_settings, text_identity
    from abroad.models.identity import weights_digest
    from abroad.models.resolve import resolve_model
    from abroad.ranking.compare import compare_orders
    from abroad.ranking.game import GameSettings
    from abroad.ranking.rank import RankSettings, rank_file
    from abroad.ranking.report import describe, write_report

    if whole and len(predictions) < 2:
        raise InputError("--whole chooses between outputs: expected two files of predictions or more")
    settings = RankSettings(by=by, keep=keep, least=least, game=GameSettings(steps=steps))
    rejects = Rejects()
    texts = read_documents(documents, rejects)
    outputs = [read_predictions(path, rejects) for path in predictions]
    known = {document.id for document in texts}
    if unknown := sorted({p.id for run in outputs for p in run} - known):
        say(f"{len(unknown)} predictions are of documents not in {documents} and are left out: {unknown[0]}, ...")
    if not any(p.id in known for run in outputs for p in run):
        raise InputError(f"{documents}: none of its documents has a prediction in {predictions[0]}")
    engine_settings = read_settings(engine, parse_assignments(setting))
    identity = text_identity(engine, model, engine_settings)
    if engine != "openai":  # a server does not show its weights
        identity["weights"] = weights_digest(resolve_model(model, getattr(engine_settings, "base", None)))
    with run_record(out, "rank", identity | {"by": by, "keep": keep, "least": least}, [documents, *predictions]) as run:
        scorer = make_engine(engine, model, batch_size, engine_settings, say)
        done = rank_file(scorer, identity, texts, outputs, settings, out, whole)
        run["result"] = vars(done)
    report_rejects(rejects, out)
    say(
        f"{out}: {done.kept} relations of {done.candidates} candidates in {done.documents} documents, by {by}; "
        f"{done.failed} failed"
    )
    if report is not None or as_json:
        comparison = compare_orders(texts, read_predictions(out), share, seed=seed)
        if report is not None:
            write_report(comparison, report, model)
        if as_json:
            typer.echo(json.dumps(comparison.to_dict(), ensure_ascii=False))
        else:
            for line in describe(comparison):
                typer.echo(line)
            say(f"report: {report}")


def register(app: typer.Typer) -> None:
    app.command("rank")(rank)
