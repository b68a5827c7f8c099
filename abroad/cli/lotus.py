"""`abroad lotus`: fetch the public LOTUS table, make the relations table of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import group, report_rejects, say
from abroad.cli.options import EUTILS, Options, SettingsCommand, renamed, takes
from abroad.cli.outputs import FORCE, IN_PLACE, TSV, writes
from abroad.core.context import Context
from abroad.core.outputs import Kind, Output, guard

if TYPE_CHECKING:
    from abroad.sources.eutils import EutilsSettings
    from abroad.sources.lotus import PrepareReport, PrepareSettings

_WITHOUT_PMIDS = (
    "no source of PMIDs was given: reference_pubmed_id is empty; `abroad documents fetch` looks up those of a sample, "
    "--eutils asks NCBI for all, --wikidata reads them in a dump, --doi2pmid in a map (see data/README.md)"
)

app = group(
    "The LOTUS table: which organism holds which structure, and which reference says so.",
    example="abroad lotus prepare lotus.csv.gz --doi2pmid doi2pmid.tsv --out relations.tsv",
)


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="lotus")


@app.command(
    epilog="Example: abroad lotus prepare 230106_frozen_metadata.csv.gz --doi2pmid doi2pmid.tsv --out relations.tsv",
    cls=SettingsCommand,
)
@writes(out=TSV, index=Kind("an index", (".sqlite", ".sqlite3", ".db")))
@takes(
    settings=Options("abroad.sources.lotus:PrepareSettings"),
    asked=replace(EUTILS, only=(*EUTILS.only, "api_key", "batch_size")),
)
def prepare(
    metadata: Path = typer.Argument(..., metavar="METADATA.csv[.gz]", help="LOTUS frozen metadata."),
    doi2pmid: Path = typer.Option(
        None, metavar="MAP.tsv", help="PMIDs of the references: columns reference_doi and reference_pubmed_id."
    ),
    eutils: bool = typer.Option(False, "--eutils", help="Ask NCBI for the PMIDs instead; an hour for all of LOTUS."),
    wikidata: Path = typer.Option(
        None, metavar="DUMP.nt[.gz|.bz2]", help="Read the PMIDs in a dump of Wikidata (N-Triples) instead."
    ),
    out: Path = typer.Option(..., metavar="RELATIONS.tsv", help="The relations table to write."),
    index: Path = typer.Option(None, metavar="INDEX.sqlite", help="Also write the index of names and relations."),
    synonyms: Path = typer.Option(None, metavar="NAMES.tsv", help="Further names for it: columns name and inchikey."),
    *,
    settings: PrepareSettings,
    asked: EutilsSettings,
) -> None:
    """Make the relations table: distinct rows, references with one PMID, few relations, names of fair length.

    Without a source of PMIDs the table has none, which the index and `abroad sample` do not need; `abroad documents
    fetch` looks up those of the sample.
    """
    from abroad.core.errors import InputError
    from abroad.core.provenance import run_record
    from abroad.sources import lotus
    from abroad.sources.name_index_build import build_index

    context = Context(say=say)
    if sum((doi2pmid is not None, eutils, wikidata is not None)) > 1:
        raise InputError("expected one source of PMIDs: --doi2pmid, --eutils or --wikidata")
    pmids = doi2pmid or _make_map(metadata, asked if eutils else None, wikidata, out, context)
    with run_record(out, "lotus prepare", settings.identity(), _present(metadata, pmids)) as record:
        report = lotus.prepare(metadata, pmids, out, settings, context)
        record["filters"] = [vars(loss) for loss in report.losses]
        record["rejected"] = len(context.rejects)
        if index is not None:
            # The rows are read a second time, since the index holds those that the filters drop; what is
            # broken in them has been told.
            known = lotus.read_pmids(pmids, Context()) if pmids is not None else None
            record["index"] = build_index(metadata, index, Context(), synonyms, known)
    _show(report)
    report_rejects(context, out)
    if index is not None:
        say(f"index: {', '.join(f'{count:,} {name}s' for name, count in record['index'].items())}: {index}")
    say(f"{report.rows:,} relations of {report.references:,} references: {out}")
    if pmids is None:
        say(_WITHOUT_PMIDS)


def _make_map(
    metadata: Path, asked: EutilsSettings | None, dump: Path | None, out: Path, context: Context
) -> Path | None:
    """The map of PMIDs, made beside the output; None where neither source is wanted."""
    from abroad.core.helpers import helper
    from abroad.documents.doi_map import map_from_eutils, map_from_wikidata
    from abroad.sources.eutils import EutilsClient
    from abroad.sources.kept import KeptAnswers

    if asked is None and dump is None:
        return None
    path = helper(out, "doi2pmid.tsv")
    if dump is not None:
        count = map_from_wikidata(metadata, dump, path, context)
    elif asked is not None:
        with EutilsClient(asked, kept=KeptAnswers(f"NCBI {asked.base_url}")) as client:
            count = map_from_eutils(metadata, path, client, context)
    say(f"PMIDs of {count:,} DOIs, for --doi2pmid of later runs: {path}")
    return path


@app.command(epilog="Example: abroad lotus fetch --out downloads")
@writes(out=IN_PLACE)
def fetch(
    out: Path = typer.Option(Path(), metavar="DIR", help="Directory to put the file in."),
    url: str = typer.Option(None, metavar="URL", help="Fetch from here instead of the address in the manifest."),
    force: bool = FORCE,
) -> None:
    """Download the public LOTUS metadata (about 90 MB), resume if cut off, check size and checksum."""
    from abroad.core.provenance import run_record
    from abroad.sources.download import download
    from abroad.sources.manifest import load_entry, published_check

    entry = load_entry("lotus_metadata")
    check = published_check(entry, url, Context(say=say))
    target = out / entry.file
    known = check.size is not None or check.digest is not None
    kind = Kind("a download", recognise=lambda path: known and check.fault(path) is None)
    with (
        guard([Output(target, kind)], force=force, command="abroad lotus fetch"),
        run_record(target, "lotus fetch", {"url": url or entry.url}, []) as record,
    ):
        result = download(url or entry.url, target, check)
        record.update(size=result.size, sha256=result.sha256, checked=result.checked)
    say(f"{'already there' if result.reused else 'fetched'}, {result.checked}: {target} ({result.size:,} bytes)")
    say(f"sha256 {result.sha256}")


@app.command(
    epilog="Example: abroad lotus synonyms 230106_frozen_metadata.csv.gz --out synonyms.tsv", cls=SettingsCommand
)
@renamed(most="--max-names")
@writes(out=TSV)
def synonyms(
    keys: Path = typer.Argument(
        ..., metavar="TABLE|KEYS.txt", help="Table with a column structure_inchikey; InChIKeys; or the --exchange file."
    ),
    out: Path = typer.Option(..., metavar="NAMES.tsv", help="Table to write, for `lotus prepare --synonyms`."),
    exchange: bool = typer.Option(False, "--exchange", help="A file of PubChem's Identifier Exchange; no network."),
    max_names: int = typer.Option(30, min=1, help="Names kept of a chemical; PubChem puts the usual ones first."),
    base_url: str = typer.Option(None, metavar="URL", help="Another server that speaks PUG REST."),
) -> None:
    """Further names of chemicals from PubChem, without registry numbers and catalogue codes.

    Answers are kept (~/.cache/abroad): interrupted, the same command goes on; later runs ask for new ones only.
    """
    from abroad.core.helpers import found as helper_found
    from abroad.core.http import HttpSettings
    from abroad.core.provenance import run_record
    from abroad.sources.kept import KeptAnswers
    from abroad.sources.pubchem import BASE_URL, RATE, fetch_synonyms, read_exchange, read_inchikeys, write_names

    context = Context(say=say)
    how = {"exchange": exchange, "max_names": max_names, "base_url": None if exchange else base_url or BASE_URL}
    with run_record(out, "lotus synonyms", how, _present(keys)) as record:
        if exchange:
            found = read_exchange(keys, context)
        else:
            wanted = read_inchikeys(keys, context)
            kept = KeptAnswers(f"PubChem {base_url or BASE_URL}")
            kept.take_over(helper_found(out, "cache.jsonl"), "inchikey", "synonyms")
            found = fetch_synonyms(wanted, kept, HttpSettings(base_url=base_url or BASE_URL, rate=RATE), context)
        record["names"] = count = write_names(out, found, max_names)
    report_rejects(context, out)
    without = sum(not names for names in found.values())
    say(f"{count:,} names of {len(found) - without:,} chemicals ({without:,} without any): {out}")


def _present(*paths: Path | None) -> list[Path]:
    """The files a run record can hash; a missing one gets its error from the stage."""
    return [path for path in paths if path is not None and path.is_file()]


def _show(report: PrepareReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("filter", title="What each filter lost")
    for name in ("rows", "kept", "lost", "references", "kept", "lost"):
        table.add_column(name, justify="right")
    for loss in report.losses:
        numbers = (
            loss.rows_before,
            loss.rows_after,
            loss.rows_before - loss.rows_after,
            loss.references_before,
            loss.references_after,
            loss.references_before - loss.references_after,
        )
        table.add_row(loss.name, *(f"{number:,}" for number in numbers))
    console = Console()
    if not console.is_terminal:
        console.width = 110  # in a pipe, rich takes 80 and would break the numbers
    console.print(table)
