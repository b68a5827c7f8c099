"""`abroad documents search` and `baseline`: the documents of a search, or of PubMed's files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from abroad.cli.common import report_rejects, say
from abroad.cli.options import EUTILS, Options, SettingsCommand, takes
from abroad.cli.outputs import JSONL, writes

if TYPE_CHECKING:
    from abroad.documents.baseline import BaselineSettings
    from abroad.documents.search import SearchSettings
    from abroad.sources.eutils import EutilsSettings

_YEARS = {"since": "--from", "until": "--to"}


@writes(out=JSONL)
@takes(
    settings=Options("abroad.documents.search:SearchSettings", without=("query",), names=_YEARS),
    eutils=replace(EUTILS, only=(*EUTILS.only, "api_key", "batch_size")),
)
def search(
    query: str = typer.Argument(None, metavar="QUERY", help="As one types it there; else papers on natural products."),
    out: Path = typer.Option(..., metavar="DOCS.jsonl", help="The documents to write."),
    *,
    settings: SearchSettings,
    eutils: EutilsSettings,
) -> None:
    """Search PubMed or Europe PMC, and fetch all hits, however many there are.

    Interrupted, the same command goes on; made again later, it adds what has come since. Without a QUERY it searches
    for papers that report natural products of an organism. Retracted publications are marked.

    Example: abroad documents search "lichen AND usnic acid" --from 2022 --out docs.jsonl
    """
    from dataclasses import asdict

    from abroad.core.context import Context
    from abroad.core.errors import InputError
    from abroad.core.http import HttpSettings
    from abroad.core.provenance import run_record
    from abroad.documents.search import search_europepmc, search_pubmed
    from abroad.sources.europepmc import BASE_URL, RATE
    from abroad.sources.eutils import EutilsClient
    from abroad.sources.kept import KeptAnswers

    if query is not None and not query.strip():
        raise InputError("expected a QUERY as one types it there, found no words; without any QUERY at all, papers on "
                         "natural products are searched for")  # fmt: skip
    context, settings = Context(say=say), settings.replace(query=query)
    with run_record(out, "documents search", {**settings.identity(), "query": settings.words}, []) as record:
        if settings.source == "pubmed":
            with EutilsClient(eutils, kept=KeptAnswers(f"NCBI {eutils.base_url}")) as client:
                report = search_pubmed(out, settings, client, context)
        else:
            address = eutils.base_url if "base_url" in eutils.model_fields_set else BASE_URL
            report = search_europepmc(out, settings, HttpSettings(base_url=address, rate=RATE), context)
        record.update(asdict(report))
    report_rejects(context, out)
    texts = f"{report.full_texts:,} full texts, " if settings.full_text else ""
    say(
        f"{report.documents:,} documents of {report.hits:,} hits: {out} "
        f"({report.resumed:,} from an earlier run, {texts}{report.without_text:,} without text)"
    )


@writes(out=JSONL)
@takes(settings=Options("abroad.documents.baseline:BaselineSettings", names=_YEARS))
def baseline(
    files: list[Path] = typer.Argument(
        ..., metavar="FILES|DIRS", help="PubMed's baseline and update files (.xml.gz, .xml), and folders of them."
    ),
    out: Path = typer.Option(..., metavar="DOCS.jsonl", help="The documents to write."),
    pmids: Path = typer.Option(None, metavar="FILE", help="Take only the PMIDs of this list."),
    *,
    settings: BaselineSettings,
) -> None:
    """Read all of PubMed from the files that NLM gives away, with the memory of one record.

    Files count in the order of their names: of a record that comes again the last is taken, of several versions the
    highest, and deleted ones go. Retracted publications are marked. Interrupted, the same command goes on.

    Example: abroad documents baseline baseline/ updatefiles/ --from 2022 --out docs.jsonl
    """
    from dataclasses import asdict

    from abroad.core.context import Context
    from abroad.core.provenance import run_record
    from abroad.documents.baseline import read_baseline, read_pmids

    context = Context(say=say)
    chosen = read_pmids(pmids, context) if pmids is not None else None
    how = settings.identity() | {"files": [str(path) for path in files]}  # no hashes: 50 GB would be read once more
    with run_record(out, "documents baseline", how, [pmids] if pmids is not None else []) as record:
        report = read_baseline(files, out, settings, context, chosen)
        record.update(asdict(report))
    report_rejects(context, out)
    say(
        f"{report.documents:,} documents of {report.records:,} records in {report.files:,} files: {out} "
        f"({report.retracted:,} retracted, {report.left_out:,} records left out, {report.without_text:,} without text)"
    )


def register(group: typer.Typer) -> None:
    group.command("search", cls=SettingsCommand)(search)
    group.command("baseline", cls=SettingsCommand)(baseline)
