"""A search of PubMed or Europe PMC -> documents, any number of them; killed at any time, the same search goes on.

What was found is kept by id, so that a search that is made again asks only for what is not there: after a kill, or
months later for what has come since.
"""

from __future__ import annotations

import calendar
import json
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.helpers import helper
from abroad.core.http import HttpSettings
from abroad.core.io import write_json
from abroad.core.resume import digest
from abroad.core.schema import Document
from abroad.core.settings import Settings
from abroad.documents.fetch import attach
from abroad.documents.full_texts import full_text_document
from abroad.documents.growing import GrowingDocuments
from abroad.documents.paper_figures import each_within
from abroad.documents.queries import NATURAL_PRODUCTS
from abroad.sources import europepmc
from abroad.sources.eutils import EutilsClient
from abroad.sources.pubmed import Article
from abroad.sources.pubmed_search import EARLIEST, LATEST, PubmedSearch, Span
from abroad.sources.references import Reference

_DATE = re.compile(r"(\d{4})(?:[-/](\d{1,2})(?:[-/](\d{1,2}))?)?")


def _day(value: Any) -> Any:
    """A date as it is compared: "2022", "2022-03" or "2022-03-01"."""
    match = _DATE.fullmatch(str(value)) if value is not None else None
    if value is not None and match is None:
        raise ValueError("expected a year or a date such as 2022, 2022-03 or 2022-03-01")
    try:
        if match is not None:
            date(int(match[1]), int(match[2] or 1), int(match[3] or 1))
    except ValueError:
        raise ValueError(f"expected a date that there is, found {value}") from None
    return "-".join(part if len(part) == 4 else part.zfill(2) for part in match.groups() if part) if match else None


Day = Annotated[str | None, BeforeValidator(_day)]


class SearchSettings(Settings):
    """What is searched for, and where."""

    query: str | None = Field(
        None,
        min_length=1,
        description="The query in the server's own language; without one, papers on natural products.",
    )
    since: Day = Field(None, description="First day of publication: 2022, 2022-03 or 2022-03-01.")
    until: Day = Field(None, description="Last day of publication.")
    source: Literal["pubmed", "europepmc"] = Field("pubmed", description="Where: pubmed or europepmc.")
    full_text: bool = Field(False, description="Read the open full texts of Europe PMC; without one, the abstract.")

    @property
    def words(self) -> str:
        """The query."""
        return self.query or NATURAL_PRODUCTS[self.source]

    @property
    def first(self) -> date | None:
        return None if self.since is None else date(*_parts(self.since, (1, 1)))

    @property
    def last(self) -> date | None:
        if self.until is None:
            return None
        year, month, day = _parts(self.until, (12, 0))
        return date(year, month, day or calendar.monthrange(year, month)[1])


def _parts(text: str, rest: tuple[int, int]) -> tuple[int, int, int]:
    given = [int(part) for part in text.split("-")]
    year, month, day = (*given, *rest[len(given) - 1 :])
    return year, month, day


@dataclass
class SearchReport:
    """What came of a search.

    Attributes:
        hits: that the server counts.
        resumed: documents that an earlier run got.
        documents: in the output.
        full_texts: of those that this run got, with sections.
        without_text: hits with neither a title nor an abstract, or of which there is no record.
    """

    hits: int = 0
    resumed: int = 0
    documents: int = 0
    full_texts: int = 0
    without_text: int = 0


def search_pubmed(out: Path, settings: SearchSettings, client: EutilsClient, context: Context) -> SearchReport:
    """Write a document for each hit of a search of PubMed.

    NCBI hands out fewer than 10,000 records of a search (https://www.ncbi.nlm.nih.gov/books/NBK25499/), so a larger
    one is divided by dates until each part has fewer (`abroad.sources.pubmed_search`).

    Args:
        out: JSONL, in the order in which the hits come.
        client: asks NCBI at the pace it allows; records that earlier runs got are not asked for again.
    Raises:
        InputError: NCBI refuses the query, or it finds nothing.
        AbroadError: no answer after all attempts; what came is kept for the next run.
    """
    span = Span(settings.first, settings.last)
    _check_order(settings)
    search = PubmedSearch(client, context)
    with GrowingDocuments(out, _identity(settings, client.settings.base_url)) as kept:
        first = search.find(settings.words, span)
        report = SearchReport(first.count, len(kept.done))
        if not first.count:
            _refuse(settings, first.unknown)
        _say(report, context)
        seen = set[str]()
        with context.progress("fetching hits", first.count, done=0) as progress:
            for part in search.parts(settings.words, span, first):
                for start in range(0, len(part.pmids), client.settings.batch_size):
                    batch = part.pmids[start : start + client.settings.batch_size]
                    fresh = [pmid for pmid in batch if pmid not in seen]
                    seen.update(fresh)
                    missing = [pmid for pmid in fresh if pmid not in kept.done]
                    for articles in search.articles(part, start, missing):
                        kept.add(_documents(articles, report, context))
                    progress.advance(len(fresh), f"{len(kept.done):,} documents")
        report.documents = _finish(kept, settings, context)
    return report


def _documents(articles: dict[str, Article | None], report: SearchReport, context: Context) -> Iterator[Document]:
    for pmid, article in articles.items():
        if article is not None and article.has_text:
            yield attach(article, Reference(pmid), None)
        else:
            report.without_text += 1
            reason = "a hit, and no record of it was given" if article is None else "no abstract and no title"
            context.rejects.add(f"PMID {pmid}", reason)


def search_europepmc(out: Path, settings: SearchSettings, http: HttpSettings, context: Context) -> SearchReport:
    """Write a document for each hit of a search of Europe PMC, with its open full text where that is asked for.

    Args:
        out: JSONL, in the order in which the hits come.
        http: how the server is asked.
    Raises:
        InputError: the server refuses the query, or it finds nothing.
        AbroadError: no answer after all attempts; what came is kept for the next run.
    """
    _check_order(settings)
    identity = _identity(settings, http.base_url)
    place, report = helper(out, f"page-{digest(identity)}.json"), SearchReport()
    with GrowingDocuments(out, identity) as kept, europepmc.EuropePmc(http, context) as server:
        hits, report.resumed = _Hits(settings, server, report, context), len(kept.done)
        mark, seen = _mark_in(place) if kept.done else (europepmc.FIRST, 0)
        with context.progress("fetching hits", None) as progress:
            for page in server.pages(_dated(settings), mark, seen):
                if not page.total:
                    _refuse(settings, ())
                if not report.hits:
                    report.hits, progress.total = page.total, page.total
                    _say(report, context)
                for hit in page.hits:
                    kept.add(hits.documents(hit, kept.done))
                    progress.advance(note=f"{len(kept.done):,} documents")
                seen += len(page.hits)
                if page.following is not None:
                    write_json(place, {"mark": page.following, "seen": seen})
        report.documents = _finish(kept, settings, context)
        place.unlink(missing_ok=True)
    return report


@dataclass(frozen=True)
class _Hits:
    """Makes documents of Europe PMC's hits."""

    settings: SearchSettings
    server: europepmc.EuropePmc
    report: SearchReport
    context: Context

    def documents(self, hit: dict[str, Any], done: Collection[str]) -> list[Document]:
        """The document of a hit; none where it is there already, or there is nothing to read."""
        paper = europepmc.paper_of(hit)
        if (paper.pmid or paper.pmcid or paper.doi or paper.id) in done:
            return []
        if self.settings.full_text and europepmc.has_open_full_text(hit):
            whole = self.server.full_text(paper.pmcid)
            if whole is not None and whole.sections:
                whole = each_within(whole)
                self.report.full_texts += 1
                paper = replace(
                    paper,
                    title=paper.title or whole.title,
                    abstract=paper.abstract or whole.abstract,
                    sections=whole.sections,
                    images=whole.images,
                    images_set_aside=whole.images_set_aside,
                )
        try:
            return [full_text_document(paper, "")]
        except InputError as error:
            self.report.without_text += 1
            self.context.rejects.add(f"{hit.get('source')} {hit.get('id')}", str(error))
            return []


def _identity(settings: SearchSettings, base_url: str) -> dict[str, Any]:
    return {**settings.identity(), "query": settings.words, "base_url": base_url}


def _dated(settings: SearchSettings) -> str:
    if settings.first is None and settings.last is None:
        return settings.words
    return f"({settings.words}) AND (FIRST_PDATE:[{settings.first or EARLIEST} TO {settings.last or LATEST}])"


def _mark_in(place: Path) -> tuple[str, int]:
    """The mark of the next page, and the hits before it."""
    try:
        record = json.loads(place.read_text("utf-8"))
        return str(record["mark"]), int(record["seen"])
    except (OSError, ValueError, KeyError, TypeError):
        return europepmc.FIRST, 0


def _check_order(settings: SearchSettings) -> None:
    if settings.first and settings.last and settings.first > settings.last:
        raise InputError(f"expected --from before --to, found {settings.since} and {settings.until}")
    if settings.full_text and settings.source == "pubmed":
        raise InputError("PubMed has no full texts: expected --full-text with --source europepmc")


def _refuse(settings: SearchSettings, unknown: Sequence[str]) -> None:
    words = f" (it does not know: {', '.join(unknown)})" if unknown else ""
    when = f" from {settings.since or 'the beginning'} to {settings.until or 'today'}"
    raise InputError(f"{settings.source} finds nothing for {settings.words[:200]!r}{when}{words}")


def _say(report: SearchReport, context: Context) -> None:
    context.say(
        f"{report.hits:,} hits" + (f", {report.resumed:,} documents of an earlier run" if report.resumed else "")
    )


def _finish(kept: GrowingDocuments, settings: SearchSettings, context: Context) -> int:
    if not kept.done:
        raise AbroadError(f"none of the hits of {settings.words[:200]!r} has a text")
    kept.finish()
    return len(kept.done)
