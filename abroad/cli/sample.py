"""`abroad sample`: a balanced, diverse set of references from a relations table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import PLOT, TSV, writes
from abroad.core.context import Context

if TYPE_CHECKING:
    from abroad.documents.sampling import SampleSettings


@writes(out=TSV, plot=PLOT)
@takes(settings=Options("abroad.documents.sampling:SampleSettings"))
def sample(
    table: Path = typer.Argument(..., help="Relations, tab separated, as `abroad lotus prepare` writes them."),
    out: Path = typer.Option(..., metavar="SAMPLE.tsv", help="Picks in order, with the entropies after each."),
    plot: Path | None = typer.Option(
        None, metavar="FILE", help="Entropy curves against the baselines (PNG, SVG, PDF)."
    ),
    *,
    settings: SampleSettings,
) -> None:
    """Pick references by greedy maximum entropy, so that organisms and chemicals are spread evenly.

    Says after which pick entropy stops rising: the size worth curating. Where it still rises at the last one,
    --n all ranks every reference.

    Example: abroad sample relations.tsv --n 500 --by organism_taxonomy_02kingdom --out sample.tsv --plot sample.png
    """
    from abroad.core.io import require_file
    from abroad.core.provenance import run_record
    from abroad.documents.sampling import sample_table

    context = Context(say=say)
    require_file(table, "a relations table (tab separated)")
    with run_record(out, "sample", settings.identity(), [table]) as record:
        report = sample_table(table, out, settings, context, plot)
        record["stop_report"] = report.stops()
        record["dropped"] = report.dropped
    report_rejects(context, out)
    for line in report.stop_lines():
        say(line)
    for stratum, available in report.available.items():
        where, asked, wanted = stratum or table, "n" in settings.model_fields_set, settings.wanted
        if wanted is not None and available > wanted and not asked:
            say(f"{where}: {wanted} of {available} items; --n all ranks them all")
        elif wanted is not None and available < wanted and asked:
            say(f"{where}: {available} items, fewer than the {wanted} asked for; all of them are ranked")
    say(f"{sum(len(ranking.items) for ranking in report.rankings.values())} picks: {out}")
    if plot is not None:
        say(f"entropy curves: {plot}")


def register(app: typer.Typer) -> None:
    app.command("sample", cls=SettingsCommand)(sample)
