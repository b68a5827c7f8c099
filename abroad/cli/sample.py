"""`abroad sample`: a balanced, diverse set of references from a relations table."""

from __future__ import annotations

from pathlib import Path

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.outputs import PLOT, TSV, writes


@writes(out=TSV, plot=PLOT)
def sample(
    table: Path = typer.Argument(..., help="Relations, tab separated, as `abroad lotus prepare` writes them."),
    out: Path = typer.Option(..., metavar="SAMPLE.tsv", help="Picks in order, with the entropies after each."),
    n: int | None = typer.Option(None, min=1, help="Picks (of each stratum). [default: rank all]"),
    by: str | None = typer.Option(None, metavar="COLUMN", help="Sample each value of this column separately."),
    item: str = typer.Option("reference_doi", metavar="COLUMN", help="What is picked."),
    on: list[str] = typer.Option(
        ["organism_wikidata", "structure_wikidata"], metavar="COLUMN", help="Entities to balance; repeatable."
    ),
    strategy: str = typer.Option("gme", help="gme, gme-sum, random, topn-rel, topn-struct, topn-org or topn-sum."),
    binary: bool = typer.Option(False, "--binary", help="Count an entity once an item."),
    approx: int | None = typer.Option(None, min=1, metavar="K", help="Score a random K of the items at each step."),
    seed: int = typer.Option(0, help="Of random draws."),
    plot: Path | None = typer.Option(
        None, metavar="FILE", help="Entropy curves against the baselines (PNG, SVG, PDF)."
    ),
) -> None:
    """Pick references by greedy maximum entropy, so that organisms and chemicals are spread evenly.

    Says after which pick entropy stops rising: the size worth curating.

    Example: abroad sample relations.tsv --n 500 --by organism_taxonomy_02kingdom --out sample.tsv --plot sample.png
    """
    from abroad.core.io import Rejects, require_file
    from abroad.core.provenance import run_record
    from abroad.documents.sampling import SampleSettings, sample_table

    settings = SampleSettings(n, item, tuple(on), by, strategy, binary, approx, seed)
    rejects = Rejects()
    require_file(table, "a relations table (tab separated)")
    with run_record(out, "sample", vars(settings), [table]) as record:
        report = sample_table(table, out, settings, rejects, plot)
        record["stop_report"] = report.stops()
        record["dropped"] = report.dropped
    report_rejects(rejects, out)
    for line in report.stop_lines():
        say(line)
    for stratum, available in report.available.items():
        if n is not None and available < n:
            say(f"{stratum or table}: {available} items, fewer than the {n} asked for; all of them are ranked")
    say(f"{sum(len(ranking.items) for ranking in report.rankings.values())} picks: {out}")
    if plot is not None:
        say(f"entropy curves: {plot}")


def register(app: typer.Typer) -> None:
    app.command("sample")(sample)
