"""Searches of PubMed with E-utilities' history: any number of hits, in parts that NCBI hands out.

https://www.ncbi.nlm.nih.gov/books/NBK25499/#chapter4.ESearch: of a search of PubMed esearch gives the first 10,000
records only (in truth 9,999), and efetch no more of its history. A search with more hits is therefore divided by dates
of publication, in halves, until each part has fewer; where a single day has too many, by the day on which PubMed got
the record (edat). A paper that was published in print and online has two dates, and so may be in two parts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import tenacity

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.http import NoAnswer, TransientError, Unreadable, int_of, json_of, part_of
from abroad.sources.eutils import EutilsClient, Refused, articles_of
from abroad.sources.pubmed import Article

MAX_HITS = 9_999
"""Hits of a search that NCBI hands out."""
EARLIEST, LATEST = date(1700, 1, 1), date(3000, 12, 31)
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """Days of publication, and of entry into PubMed where those do not divide a search enough; both ends belong to it.

    Attributes:
        first: of publication; None where any day will do.
        last: likewise.
        entered: first and last day of entry; None where any day will do.
    """

    first: date | None = None
    last: date | None = None
    entered: tuple[date, date] | None = None

    def halves(self, horizon: date) -> tuple[Span, Span] | None:
        """Two spans that make up this one; None for a single day.

        Args:
            horizon: beyond which hardly anything is published.
        """
        first, last = self.first or EARLIEST, self.last or LATEST
        if first < last:
            middle = first + (min(last, max(horizon, first + _DAY)) - first) // 2
            return replace(self, first=first, last=middle), replace(self, first=middle + _DAY, last=last)
        start, end = self.entered or (EARLIEST, LATEST)
        if start == end:
            return None
        middle = start + (min(end, max(horizon, start + _DAY)) - start) // 2
        return replace(self, entered=(start, middle)), replace(self, entered=(middle + _DAY, end))


@dataclass(frozen=True)
class Found:
    """A search that NCBI remembers.

    Attributes:
        pmids: of its hits, in the order of the history.
        count: hits that there are, which may be more than those it hands out.
        unknown: words of the query that PubMed knows not.
    """

    pmids: tuple[str, ...]
    count: int
    unknown: tuple[str, ...]
    web_env: str
    query_key: str


class PubmedSearch:
    """Searches PubMed through a client of E-utilities, at its pace."""

    def __init__(self, client: EutilsClient, context: Context, today: date | None = None) -> None:
        self._client, self._context = client, context
        self._horizon = (today or date.today()) + 400 * _DAY

    def find(self, query: str, span: Span) -> Found:
        """The hits of a query, the first 9,999 of them.

        Raises:
            InputError: NCBI does not take the query.
            AbroadError: no answer after all attempts, or access refused.
        """
        term = query
        if span.entered:
            term = f'({query}) AND ("{_day(span.entered[0])}"[edat] : "{_day(span.entered[1])}"[edat])'
        form = {"db": "pubmed", "retmode": "json", "term": term, "retmax": str(MAX_HITS), "usehistory": "y"}
        if span.first or span.last:
            form |= {"datetype": "pdat", "mindate": _day(span.first or EARLIEST), "maxdate": _day(span.last or LATEST)}
        try:
            return self._retrying("NCBI esearch")(self._find, form)
        except Refused as refusal:
            raise InputError(f"NCBI refuses the query ({refusal}): {query[:200]}") from None
        except NoAnswer as failure:
            if not isinstance(failure.cause, _TooShort):
                raise
            self._context.rejects.add(f"search for {term[:200]}", f"{failure.cause}, however often it was asked")
            return failure.cause.found

    def parts(self, query: str, span: Span, found: Found | None = None) -> Iterator[Found]:
        """The hits of a query in searches that NCBI hands out whole.

        Args:
            found: what `find` gave for them.
        """
        found = found or self.find(query, span)
        halves = span.halves(self._horizon) if found.count > MAX_HITS else None
        if halves is None:
            if found.count > MAX_HITS:
                where = f"{_day(span.first or EARLIEST)}, entered {_day((span.entered or (EARLIEST,))[0])}"
                reason = f"{found.count - MAX_HITS:,} of {found.count:,} hits: NCBI gives {MAX_HITS:,}"
                self._context.rejects.add(where, reason)
            yield found
            return
        for half in halves:
            yield from self.parts(query, half)

    def fetch(self, found: Found, start: int, size: int) -> dict[str, Article]:
        """PMID -> article of some hits of a search; nothing where NCBI has forgotten it meanwhile.

        Raises:
            AbroadError: no answer after all attempts, or access refused.
        """
        form = {"db": "pubmed", "retmode": "xml", "WebEnv": found.web_env, "query_key": found.query_key}
        form |= {"retstart": str(start), "retmax": str(size)}
        try:
            return self._retrying("NCBI efetch")(self._fetch, form)
        except Refused:
            return {}
        except NoAnswer as failure:
            if not failure.unreadable:
                raise
            return {}  # of one record that cannot be read; by number, it alone is set aside

    def articles(self, found: Found, start: int, pmids: Sequence[str]) -> Iterator[dict[str, Article | None]]:
        """The articles of PMIDs, None where there is no such record.

        What earlier runs got is taken first; then the history is asked, and for what it has lost, by number.

        Args:
            found: the search that they are hits of.
            start: where the batch stands among the hits.
            pmids: those of the batch that are wanted.
        Raises:
            AbroadError: no answer after all attempts, or access refused.
        """
        known = self._client.known(pmids)
        if known:
            yield dict(known)
        left = [pmid for pmid in pmids if pmid not in known]
        if not left:
            return
        answer = self.fetch(found, start, self._client.settings.batch_size) if found.web_env else {}
        fetched = {pmid: answer[pmid] for pmid in left if pmid in answer}
        self._client.keep(fetched.values())
        yield dict(fetched)
        yield from self._client.fetch([pmid for pmid in left if pmid not in fetched], self._context)

    def _retrying(self, what: str) -> tenacity.Retrying:
        return self._client.retrying(what, self._client.settings.attempts, self._context)

    def _fetch(self, form: dict[str, str]) -> dict[str, Article]:
        return articles_of(self._client.post("efetch", form))

    def _find(self, form: dict[str, str]) -> Found:
        result = part_of(json_of(self._client.post("esearch", form)), "esearchresult")
        if said := part_of(result, "ERROR"):
            raise TransientError(f"NCBI says {str(said)[:200]}")
        pmids, count = part_of(result, "idlist"), int_of(part_of(result, "count"))
        if not isinstance(pmids, list) or count is None:
            raise Unreadable("unreadable answer (no list of hits)")
        unknown = part_of(result, "errorlist", "phrasesnotfound")
        found = Found(
            tuple(map(str, pmids)),
            count,
            tuple(map(str, unknown)) if isinstance(unknown, list) else (),
            str(part_of(result, "webenv") or ""),
            str(part_of(result, "querykey") or ""),
        )
        if len(pmids) < min(count, MAX_HITS):
            raise _TooShort(found)
        return found


class _TooShort(Unreadable):
    """A list of fewer hits than there are; another try may give the rest."""

    def __init__(self, found: Found) -> None:
        super().__init__(f"NCBI names {len(found.pmids):,} of the {min(found.count, MAX_HITS):,} hits that it counts")
        self.found = found


def _day(day: date) -> str:
    return f"{day.year:04}/{day.month:02}/{day.day:02}"
