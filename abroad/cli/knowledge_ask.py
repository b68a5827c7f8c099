"""`abroad knowledge query`, `stats` and `export`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import writes
from abroad.core.outputs import Kind

if TYPE_CHECKING:
    from abroad.knowledge.query import Pair, PairFilter, Statement
    from abroad.knowledge.stats import Stats

FILTER = Options("abroad.knowledge.query:PairFilter")
PAIRS = Kind("pairs", (".qs", ".txt", ".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".jsonld", ".json"))
_DATABASE = typer.Argument(..., metavar="np.duckdb", help="A knowledge base of `abroad knowledge build`.")
_MAX_YEARS = 15


@takes(wanted=FILTER)
def query(
    database: Path = _DATABASE,
    format: str = typer.Option("text", help="text, csv, tsv, jsonl or jsonld."),
    *,
    wanted: PairFilter,
) -> None:
    """Print the pairs that are asked for, the surest first, each with the sentence that says so.

    Example: abroad knowledge query np.duckdb --organism "Salvia miltiorrhiza" --new --min-probability 0.9
    """
    from abroad.core.errors import InputError
    from abroad.knowledge.export import write_pairs
    from abroad.knowledge.kinds import kind_of
    from abroad.knowledge.query import all_statements, find_pairs, why_nothing
    from abroad.knowledge.store import readable

    formats = ("text", "csv", "tsv", "jsonl", "jsonld")
    if format not in formats:
        raise InputError(f"--format {format}: expected one of: {', '.join(formats)}")
    with readable(database) as store:
        pairs = find_pairs(store, wanted)
        evidence = all_statements(store, pairs)
        nothing = "" if pairs else why_nothing(store, wanted)
        kind = kind_of(store)
    if format == "text":
        for pair in pairs:
            between = "|" if kind.is_built_in else kind.verb(pair.relation)
            typer.echo("".join(_lines(pair, between, evidence[pair.key])), nl=False)
    else:
        write_pairs(sys.stdout, kind, pairs, evidence, format)
    say(nothing or f"{len(pairs):,} {'pair' if len(pairs) == 1 else 'pairs'}")


def stats(
    database: Path = _DATABASE,
    as_json: bool = typer.Option(False, "--json", help="Print the figures as JSON."),
) -> None:
    """Count what a database holds: pairs by status, new ones by year, and the index's pairs that were found again.

    Example: abroad knowledge stats np.duckdb
    """
    import json

    from abroad.knowledge.stats import measure
    from abroad.knowledge.store import readable

    with readable(database) as store:
        found = measure(store)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), indent=2))
    else:
        typer.echo("\n".join(_figures(found)))


@writes(out=PAIRS)
@takes(wanted=FILTER)
def export(
    database: Path = _DATABASE,
    out: Path = typer.Option(..., metavar="FILE", help="The file: .qs or .txt, .csv, .tsv, .jsonl, .jsonld."),
    format: str = typer.Option(None, help="quickstatements, csv, tsv, jsonl, jsonld; else by the name of --out."),
    *,
    wanted: PairFilter,
) -> None:
    """Write pairs for others: QuickStatements for Wikidata, tables that no spreadsheet runs, JSON-LD.

    QuickStatements hold new pairs alone, of a probability of 0.9 unless --min-probability says otherwise, a line for
    each publication; what is disputed, not linked or rejected by curators is held back, and said.

    Example: abroad knowledge export np.duckdb --out new.qs
    """
    from abroad.knowledge.export import FORMATS
    from abroad.knowledge.export import export as write
    from abroad.knowledge.query import why_nothing
    from abroad.knowledge.store import format_of, readable

    kind = format_of(format, out, FORMATS, "csv")
    with readable(database) as store:
        report = write(store, out, kind, wanted)
        nothing = "" if report.pairs or report.held_back else why_nothing(store, wanted)
    if nothing:
        say(f"{out}: {nothing}")
        return
    held = ", ".join(f"{count:,} {reason}" for reason, count in sorted(report.held_back.items()))
    lines = f"{report.written:,} statements of " if kind == "quickstatements" else ""
    say(f"{out}: {lines}{report.pairs:,} pairs" + (f"; held back: {held}" if held else ""))


def _lines(pair: Pair, between: str, evidence: list[Statement]) -> Iterator[str]:
    best, years = evidence[0], f", {pair.years}" if pair.years else ""
    many = "publication" if pair.publications == 1 else "publications"
    yield f"{pair.probability:.3f}  {pair.status:<10}  {pair.head.name} {between} {pair.tail.name}"
    yield f"  ({pair.publications} {many}{years})\n"
    where = f"PMID {best.pmid}" if best.pmid else f"doi:{best.doi}" if best.doi else best.document
    yield f"       {' '.join(best.sentence.split())} [{where}]\n"


def _figures(found: Stats) -> Iterator[str]:
    width = max(map(len, found.counts))
    for name, count in found.counts.items():
        yield f"{name:<{width}}  {count:>9,}"
    yield ""
    yield f"{'status':<{width}}  {'pairs':>9}  expected to be right"
    for status, each in found.statuses.items():
        yield f"{status:<{width}}  {each.pairs:>9,}  {each.expected:,.1f}"
    yield ""
    yield f"{'first reported':<{width}}  {'pairs':>9}  new"
    years = list(found.years.items())
    if len(years) > _MAX_YEARS:
        yield f"{'before':<{width}}  {sum(p for _, (p, _) in years[:-_MAX_YEARS]):>9,}  " + (
            f"{sum(n for _, (_, n) in years[:-_MAX_YEARS]):,}"
        )
    for year, (pairs, new) in years[-_MAX_YEARS:]:
        yield f"{year or 'year not known':<{width}}  {pairs:>9,}  {new:,}"
    yield ""
    yield _coverage(found)
    yield _calibration(found)


def _coverage(found: Stats) -> str:
    covered = found.coverage
    if found.index is None:
        return "no index: what was found again, nobody can say"
    if covered.share is None:
        return f"{found.index} has none of these publications: what was found again, nobody can say"
    return (
        f"of the {covered.pairs:,} pairs that {found.index} has from {covered.publications:,} of these publications "
        f"{covered.found:,} ({covered.share:.1%}) were found again in them"
    )


def _calibration(found: Stats) -> str:
    from abroad.knowledge.combine import why_not_fitted

    fitted = found.calibration
    known = f"{fitted.right:,} right and {fitted.wrong:,} wrong relations of {fitted.documents:,} documents"
    if not fitted.fitted:
        return f"scores are taken as they are: {why_not_fitted(fitted)}"
    return f"scores are calibrated on {known}: logit(q) = {fitted.a:.2f} logit(score) {fitted.b:+.2f}"


def register(group: typer.Typer) -> None:
    group.command("query", cls=SettingsCommand)(query)
    group.command("stats")(stats)
    group.command("export", cls=SettingsCommand)(export)
