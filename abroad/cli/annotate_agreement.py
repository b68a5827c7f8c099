"""`abroad annotate agreement`: how far curators agree."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import PLOT, writes
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.evaluation.settings import EvaluateSettings
    from annotation.decisions.agreement import Agreement, Estimate


COHEN, FLEISS = "Cohen's kappa", "Fleiss' kappa"


@writes(plot=PLOT)
@takes(bootstrap=Options("abroad.evaluation.settings:EvaluateSettings", only=("resamples", "seed")))
def agreement(
    decisions: Path = typer.Argument(..., metavar="DECISIONS.jsonl", help="As `abroad annotate pull` writes them."),
    predictions: Path | None = typer.Option(
        None,
        "--predictions",
        "--pred",
        metavar="PRED.jsonl",
        help="The model's relations: further candidates for kappa.",
    ),
    batch: str | None = typer.Option(None, help="Measure this batch only."),
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object."),
    plot: Path | None = typer.Option(None, metavar="FILE.svg", help="Draw it (.svg, .png or .pdf)."),
    *,
    bootstrap: EvaluateSettings,
) -> None:
    """Agreement of curators: F1 of each pair on relations and spans, Cohen's and Fleiss' kappa on candidates.

    Submitted decisions count; drafts, discarded and adjudicated ones do not.

    Example: abroad annotate agreement curated/decisions.jsonl --predictions predictions.jsonl --plot agreement.svg
    """
    from abroad.core.errors import InputError
    from abroad.core.io import atomic_write
    from abroad.documents.predictions import read_predictions
    from abroad.documents.sampling import PLOT_FORMATS
    from annotation.decisions.agreement import measure_agreement
    from annotation.decisions.records import read_decisions

    if plot is not None and plot.suffix.lower() not in PLOT_FORMATS:
        raise InputError(f"{plot}: expected a plot file that ends in {', '.join(PLOT_FORMATS)}")
    context = Context(say=say)
    decided = read_decisions(decisions, context)
    named = read_predictions(predictions, context) if predictions else []
    if context.rejects:
        say(context.rejects.summary())
    try:
        measured = measure_agreement(decided, named, batch, bootstrap.resamples, bootstrap.seed)
    except InputError as error:
        raise InputError(f"{decisions}: {error}") from None
    if as_json:
        typer.echo(json.dumps(measured.to_dict(), ensure_ascii=False))
    else:
        _show(measured)
    if plot is not None:
        from annotation.decisions.agreement_plot import plot_agreement

        with atomic_write(plot, binary=True) as stream:
            plot_agreement(measured).savefig(stream, format=plot.suffix[1:].lower(), dpi=150)
        say(f"plot: {plot}")


def _show(measured: Agreement) -> None:
    typer.echo(
        f"{measured.documents} documents decided by two curators or more, {measured.decisions} decisions; "
        "95% bootstrap intervals over documents"
    )
    typer.echo(f"{FLEISS} {_figure(measured.fleiss, 3)}\n")
    width = max(26, *(len(f"{pair.first}, {pair.second}") for pair in measured.pairs))
    typer.echo("pair".ljust(width) + f" documents candidates {'F1':23} {COHEN:26} F1 of spans")
    for pair in measured.pairs:
        typer.echo(
            f"{pair.first + ', ' + pair.second:{width}} {pair.documents:9} {pair.candidates:10} "
            f"{_figure(pair.f1, 1):23} {_figure(pair.kappa, 3):26} {_figure(pair.spans, 1)}"
        )
    typer.echo(f"\n{'curator, beside the others':{width}} documents {'only theirs':>11} {'F1':23} F1 of spans")
    for part in measured.curators:
        typer.echo(
            f"{part.name:{width}} {part.documents:9} {part.alone:11} {_figure(part.f1, 1):23} {_figure(part.spans, 1)}"
        )
    typer.echo("\nbatch".ljust(width + 1) + f" documents {'differences':>11} {'F1':23} {FLEISS:26} F1 of spans")
    for part in measured.batches:
        typer.echo(
            f"{part.name or '(none)':{width}} {part.documents:9} {part.alone:11} {_figure(part.f1, 1):23} "
            f"{_figure(part.fleiss, 3):26} {_figure(part.spans, 1)}"
        )


def _figure(estimate: Estimate, decimals: int) -> str:
    if estimate.value is None:
        return "not defined"
    text = f"{estimate.value:.{decimals}f}"
    if estimate.interval is not None:
        text += f" ({estimate.interval.low:.{decimals}f} to {estimate.interval.high:.{decimals}f})"
    return text


def register(group: typer.Typer) -> None:
    group.command("agreement", cls=SettingsCommand)(agreement)
