"""`abroad evaluate`: score predictions beside gold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import PAGE, folder, writes
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.evaluation.evaluate import Evaluation
    from abroad.evaluation.settings import EvaluateSettings
    from abroad.experiments.tasks import TaskScore


@writes(report=PAGE, answers=folder("answers", grows=True))
@takes(settings=Options("abroad.evaluation.settings:EvaluateSettings", section="evaluate"))
def evaluate(
    gold: Path = typer.Option(..., metavar="DOCS", help="Documents with curated relations (JSON or JSONL)."),
    pred: Path = typer.Option(None, metavar="PRED.jsonl", help="Predictions, as `abroad extract` writes them."),
    by: str = typer.Option("document", help="document, or task: a model on tasks of an instruction set (--gold)."),
    model: str = typer.Option(
        None, help="The model that answers tasks (--by task); an adapter stands beside its base model."
    ),
    answers: Path = typer.Option(
        None, metavar="DIR", help="Folder of the answers (--by task), from which a rerun goes on."
    ),
    max_new_tokens: int = typer.Option(256, min=1, help="New tokens that an answer to a task may have."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
    report: Path | None = typer.Option(None, metavar="FILE.html", help="Write a report to look at."),
    compare: Path | None = typer.Option(
        None, metavar="OTHER.jsonl", help="Test the difference from these predictions."
    ),
    config: Path | None = typer.Option(None, help="YAML with a section 'evaluate'; options override it."),
    *,
    settings: EvaluateSettings,
) -> None:
    """Score predicted relations: micro precision, recall and F1 with 95% intervals, and slices.

    With --by task a fine-tuned model answers an instruction set of `abroad synth tasks`; its scores of each kind stand
    beside those of its base model, which answers too.

    Example: abroad evaluate --gold curated.jsonl --pred predictions.jsonl --report report.html

    \b
    More examples:
      abroad evaluate --by task --gold held-out-tasks.jsonl --model adapter --answers answers
    """
    from abroad.core.errors import InputError
    from abroad.core.provenance import run_record
    from abroad.core.registry import Capability
    from abroad.documents.predictions import read_predictions
    from abroad.evaluation.bootstrap import paired_bootstrap
    from abroad.evaluation.evaluate import undirected_of
    from abroad.evaluation.metrics import compare as set_beside
    from abroad.evaluation.protocols import PROTOCOLS
    from abroad.evaluation.report import write_report
    from abroad.pipeline.evaluate import evaluate_stage

    if by not in ("document", "task"):
        raise InputError(f"--by {by}: expected document or task")
    if by == "task":
        return _show_tasks(_score_tasks(gold, model, answers, max_new_tokens, settings), as_json)
    if pred is None:
        raise InputError("expected --pred PRED.jsonl, the predictions to score")
    context = Context(say=say)
    evaluation = evaluate_stage(gold, pred, settings, context)
    result = evaluation.to_dict()
    if Capability.IDENTIFIERS in PROTOCOLS.capabilities(settings.protocol) and not result["predicted"]:
        say(
            f"no predicted relation has identifiers of both sides, which the protocol {settings.protocol} compares; "
            "`abroad extract --index` adds them"
        )
    if compare is not None:
        documents = [outcome.document for outcome in evaluation.comparison.outcomes]
        undirected = undirected_of(settings, documents)
        other = set_beside(documents, read_predictions(compare, context), settings.protocol, undirected)
        others, own = ([outcome.scores for outcome in side.outcomes] for side in (other, evaluation.comparison))
        difference = paired_bootstrap(others, own, resamples=settings.resamples, seed=settings.seed)
        result["compared_with"] = {"file": str(compare), "f1": round(other.scores.f1, 2), **_rounded(difference)}
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        _show(evaluation, result)
    if report is not None:
        with run_record(report, "evaluate", settings.identity(), [gold, pred]):
            write_report(evaluation, report)
        say(f"report: {report}")
    if report is not None:
        report_rejects(context, report)
    elif context.rejects:
        say(context.rejects.summary())


def _score_tasks(
    gold: Path, model: str | None, answers: Path | None, max_new_tokens: int, settings: EvaluateSettings
) -> list[TaskScore]:
    from abroad.core.errors import InputError
    from abroad.documents.instructions import Task, read_training_set
    from abroad.experiments.tasks import answers_beside_base, score_by_task

    if model is None or answers is None:
        raise InputError("--by task: expected --model, and --answers DIR for what it answers")
    context = Context(say=say)
    tasks = [item for item in read_training_set(gold, context) if isinstance(item, Task)]
    if not tasks:
        raise InputError(f"{gold}: documents, no instruction set; `abroad synth tasks` makes one of them")
    own, base = answers_beside_base(tasks, model, answers, max_new_tokens)
    if context.rejects:
        say(context.rejects.summary())
    return score_by_task(tasks, own, base, settings.resamples, settings.seed)


def _show_tasks(rows: list[TaskScore], as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows]))
        return
    typer.echo(f"{'kind of task':16} {'tasks':>6} {'score':>7} {'base':>7}   difference")
    for row in rows:
        beside = f" {row.base:7.1f}   {row.score - row.base:+.1f}" if row.base is not None else ""
        interval = f" ({row.difference.low:+.1f} to {row.difference.high:+.1f})" if row.difference else ""
        typer.echo(f"{row.kind:16} {row.count:6} {row.score:7.1f}{beside}{interval}")


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}


def _show(evaluation: Evaluation, result: dict[str, Any]) -> None:
    for name, label in (("precision", "precision"), ("recall", "recall"), ("f1", "F1")):
        typer.echo(f"{label:10} {result[name]:6.2f}   {result[name + '_low']:.2f} to {result[name + '_high']:.2f}")
    typer.echo(
        f"{result['true_positives']} correct of {result['predicted']} predicted and {result['gold']} gold relations; "
        f"{result['documents']} documents, protocol {result['protocol']}, 95% bootstrap intervals over documents"
    )
    empty = evaluation.empty
    typer.echo(f"{empty.kept_empty} of {empty.documents} empty documents left empty")
    if other := result.get("compared_with"):
        typer.echo(
            f"F1 {other['difference']:+.2f} from {other['file']} ({other['f1']:.2f}): "
            f"{other['low']:+.2f} to {other['high']:+.2f}, p = {other['p_value']:.4f}"
        )
    for part in evaluation.slices:
        typer.echo(f"\n{part.title}")
        for row in part.rows:
            scores = row.scores
            figures = f"recall {scores.recall:5.1f}" if scores.gold else f"{scores.predicted} false relations"
            if part.whole_documents and scores.gold:
                figures += f", precision {scores.precision:5.1f}, F1 {scores.f1:5.1f}"
            typer.echo(f"  {row.name:26} {row.documents:4} documents, {scores.gold:4} relations: {figures}")
    typer.echo("\nceiling of recall")
    for reading in evaluation.ceiling:
        typer.echo(f"  {reading.name:34} {reading.reachable:5} of {reading.gold}: {reading.share:5.1f}")
    if evaluation.errors:
        typer.echo("\nerrors")
    for count in evaluation.errors:
        example = f"{count.example.head} -> {count.example.tail} ({count.example.document})"
        typer.echo(
            f"  {count.side + ': ' + count.kind:34} {count.count:5} in {count.documents} documents, as {example}"
        )
    if (nothing := evaluation.comparison.nothing_in_common()) is not None:
        say(nothing)
    for ids, what in (
        (evaluation.comparison.without_prediction, "documents have no prediction and count as empty"),
        (evaluation.comparison.failed, "predictions carry an error and count as they stand"),
        (evaluation.comparison.not_in_gold, "predictions are of documents not in the gold file and are not scored"),
    ):
        if ids:
            say(f"{len(ids)} {what}: {', '.join(ids[:5])}{', ...' if len(ids) > 5 else ''}")


def register(app: typer.Typer) -> None:
    app.command("evaluate", cls=SettingsCommand)(evaluate)
