"""`abroad knowledge index` and `build`: an index of names, and the database of what was extracted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.options import Options, SettingsCommand, takes
from abroad.cli.outputs import writes
from abroad.core.context import Context
from abroad.core.outputs import Kind

if TYPE_CHECKING:
    from abroad.knowledge.build import BuildReport, BuildSettings, Verdicts

_MAX_NAMED = 3
INDEX = Kind("an index", (".sqlite", ".sqlite3", ".db"))


def _recognise(path: Path) -> bool:
    from abroad.knowledge.store import is_knowledge_base

    return path.is_file() and is_knowledge_base(path)


KNOWLEDGE = Kind(
    "a knowledge base",
    (".duckdb", ".ddb", ".db", ".sqlite", ".sqlite3", ".parquet"),
    recognise=_recognise,
    grows=True,
)


@writes(out=INDEX)
def index(
    table: Path = typer.Argument(
        ..., metavar="TABLE", help="Columns compound, organism and DOI (CSV or TSV, gzip or not), or LOTUS's metadata."
    ),
    out: Path = typer.Option(..., metavar="INDEX.sqlite", help="The index of names and relations to write."),
    synonyms: Path = typer.Option(None, metavar="NAMES.tsv", help="Further names: columns name and inchikey."),
) -> None:
    """Make an index of any table of compounds and organisms, against which new is told from known.

    A column family (or genus, order, ...) gives taxa to ask for; wikidata, inchikey and pubchem give identifiers.

    Example: abroad knowledge index plants.tsv.gz --out plants.sqlite
    """
    from abroad.core.provenance import run_record
    from abroad.sources.name_index_build import build_index

    context = Context(say=say)
    with run_record(
        out, "knowledge index", {}, [path for path in (table, synonyms) if path and path.is_file()]
    ) as record:
        record["index"] = counts = build_index(table, out, context, synonyms)
        record["rejected"] = len(context.rejects)
    report_rejects(context, out)
    say(f"{out}: {', '.join(f'{count:,} {name}s' for name, count in counts.items())}")


@writes(out=KNOWLEDGE)
@takes(settings=Options("abroad.knowledge.build:BuildSettings"))
def build(
    predictions: list[Path] = typer.Argument(..., metavar="PREDICTIONS...", help="Files of `abroad extract`."),
    out: Path = typer.Option(..., metavar="np.duckdb", help="The database; made, or added to if it is there."),
    documents: list[Path] = typer.Option(
        [], "--documents", metavar="DOCS", help="What was read; else the documents that `abroad extract` kept."
    ),
    index: Path = typer.Option(None, metavar="INDEX.sqlite", help="Index of names: links them, tells new from known."),
    format: str = typer.Option(None, help="duckdb, sqlite or parquet; else by the name of --out."),
    decisions: list[Path] = typer.Option(
        [], metavar="decisions.jsonl", help="What curators said (`abroad annotate pull`); repeatable."
    ),
    field: str = typer.Option(
        None, metavar="FIELD.yaml", help="The field of a new database; without it natural products."
    ),
    *,
    settings: BuildSettings,
) -> None:
    """Merge predictions into a database: a row for each organism and compound, with all its evidence.

    Documents that are read again replace their old evidence, and nothing counts twice. Killed or out of disk, the
    database is what it was before. A database of another field (--field) keeps it, and every command reads it there.

    Example: abroad knowledge build predictions.jsonl --index lotus.sqlite --out np.duckdb
    """
    from abroad.core.field import find_field
    from abroad.core.provenance import run_record
    from abroad.knowledge.build import Sources
    from abroad.knowledge.build import build as merge
    from abroad.knowledge.store import format_of

    context = Context(say=say)
    verdicts = list(_verdicts(decisions, context))
    files = [path for path in (*predictions, *documents, *decisions, index) if path is not None and path.is_file()]
    files += [Path(field)] if field is not None and Path(field).is_file() else []
    sources = Sources(predictions, documents, index, verdicts, find_field(field) if field is not None else None)
    with run_record(out, "knowledge build", settings.identity(), files) as record:
        report = merge(out, format_of(format, out), sources, settings, context)
        record["pairs"], record["rejected"] = report.pairs, len(context.rejects)
    report_rejects(context, out)
    _show(out, report, index is not None)


def _verdicts(paths: Iterable[Path], context: Context) -> Iterator[Verdicts]:
    from abroad.knowledge.build import Verdicts
    from annotation.decisions.records import counted, read_decisions

    for path in paths:
        for each in counted(read_decisions(path, context)):
            yield Verdicts(each.document, each.curator, each.relations, each.comment, each.updated_at)


def _show(out: Path, report: BuildReport, linked: bool) -> None:
    say(
        f"{out}: {report.documents:,} documents read: {report.added:,} new, {report.replaced:,} read again, "
        f"{report.unchanged:,} unchanged; {report.relations:,} relations"
    )
    if report.corrected:
        shown = ", ".join(report.corrected[:_MAX_NAMED]) + (", ..." if len(report.corrected) > _MAX_NAMED else "")
        say(f"{len(report.corrected):,} have another text than before, and the old evidence went: {shown}")
    if report.beside:
        shown = ", ".join(f"{given} as {id}" for given, id in list(report.beside.items())[:_MAX_NAMED])
        more = ", ..." if len(report.beside) > _MAX_NAMED else ""
        say(f"{len(report.beside):,} have the id of another document, and go by one of their own: {shown}{more}")
    if report.repeated:
        say(f"{report.repeated:,} have a text that an earlier file has of the same PMID or DOI: they count once")
    say(f"{sum(report.pairs.values()):,} pairs: {_listed(report.pairs)}")
    if not report.compares:
        say("an index has relations of organisms and compounds: which of these are known, it cannot say")
    elif not linked:
        say("without --index no pair can be told to be known or new")
    from abroad.knowledge.combine import why_not_fitted

    fitted, known = report.calibration, report.calibration.right + report.calibration.wrong
    if fitted.fitted:
        say(f"scores calibrated on {known:,} relations of {fitted.documents:,} documents whose answer is known")
    elif known:
        say(f"scores taken as they are: {why_not_fitted(fitted)}")


def _listed(pairs: dict[str, int], order: Sequence[str] = ("known", "new", "disputed", "not linked")) -> str:
    return ", ".join(f"{pairs.get(status, 0):,} {status}" for status in order)


def register(group: typer.Typer) -> None:
    group.command("index")(index)
    group.command("build", cls=SettingsCommand)(build)
