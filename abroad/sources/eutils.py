"""PubMed records from NCBI E-utilities, within NCBI's rules of use; PMIDs of DOIs.

efetch: https://www.ncbi.nlm.nih.gov/books/NBK25499/#chapter4.EFetch; esearch: #chapter4.ESearch there; the rules
(3 requests a second, 10 with an API key; POST for more than 200 identifiers;
`tool` and `email` in each request): https://www.ncbi.nlm.nih.gov/books/NBK25497/.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import httpx
import tenacity
from pydantic import Field

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.core.http import (
    DEADLINE,
    NoAnswer,
    RateLimiter,
    TransientError,
    Unreadable,
    check_status,
    json_of,
    open_client,
    part_of,
    request,
    with_retries,
)
from abroad.core.settings import Count, NotNegative, Positive, Settings
from abroad.sources.kept import KeptAnswers
from abroad.sources.pubmed import Article, BrokenXml, newest, parse_articles

BASE_URL = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
RATE, RATE_WITH_KEY = 3.0, 10.0
DOIS_A_SEARCH = 50  # a search term of some 2,000 characters
_ATTEMPTS_OF_A_HALF = 2
_NO_SUCH_IDS = "ID list is empty"


class EutilsSettings(Settings):
    """How NCBI is asked."""

    api_key: str | None = Field(
        None, repr=False, exclude=True, description="Key of NCBI: 10 requests a second instead of 3."
    )
    email: str | None = Field(None, exclude=True, description="Your address, which NCBI asks for.")
    base_url: str = Field(BASE_URL, description="A server that speaks E-utilities.")
    batch_size: Annotated[int, Field(ge=1, le=10_000)] = Field(
        200, description="PMIDs in one request (DOIs: 50 at most)."
    )
    attempts: Count = Field(6, description="Tries of one request.")
    first_wait: NotNegative = Field(1.0, description="Seconds before the second try; later waits double.")
    timeout: Positive = Field(60.0, description="Seconds without a byte after which a request has failed.")
    deadline: Positive = Field(DEADLINE, description="Seconds for the tries of a request that get no answer in time.")


class EutilsClient:
    """Asks efetch for PubMed records and esearch for PMIDs; use as a context manager."""

    def __init__(
        self,
        settings: EutilsSettings | None = None,
        limiter: RateLimiter | None = None,
        kept: KeptAnswers | None = None,
    ) -> None:
        """Open the client.

        Args:
            limiter: of requests; by default NCBI's own limits.
            kept: articles of earlier runs, whatever their output; None: NCBI is asked for all.
        """
        self.settings = settings or EutilsSettings()
        self._understood = False  # whether an answer could be read yet; a server of another kind gives none
        self._limiter = limiter or RateLimiter(RATE_WITH_KEY if self.settings.api_key else RATE)
        self._kept = kept
        self._http = open_client(self.settings.timeout)

    def __enter__(self) -> EutilsClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def fetch(self, pmids: Sequence[str], context: Context) -> Iterator[dict[str, Article | None]]:
        """Yield one answer a batch: PMID -> its article, or None if PubMed has no such record.

        A request that NCBI refuses, or answers with nothing that can be read, is halved until the identifier stands
        alone; that one is set aside.

        Raises:
            AbroadError: no answer after all attempts, access refused, or never an answer that could be read.
        """
        size = self.settings.batch_size
        known = self.known(pmids)
        if known:
            yield dict(known)
        wanted = [pmid for pmid in pmids if pmid not in known]
        for start in range(0, len(wanted), size):
            for answer in self._fetch_batch(wanted[start : start + size], context, self.settings.attempts):
                self.keep(article for article in answer.values() if article is not None)
                yield answer

    def known_pmids(self, dois: Sequence[str]) -> dict[str, str]:
        """DOI in lower case -> the PMID of its article, of those that an earlier run fetched."""
        found = self._kept.get(f"doi:{doi.lower()}" for doi in dois) if self._kept is not None else {}
        return {key.removeprefix("doi:"): pmid for key, pmid in found.items() if isinstance(pmid, str)}

    def keep(self, articles: Iterable[Article]) -> None:
        """Keep articles for later runs, whatever their output."""
        if self._kept is None:
            return
        values: dict[str, Any] = {}
        for article in articles:
            values[f"pmid:{article.pmid}"] = asdict(article)
            if article.doi:
                values[f"doi:{article.doi.lower()}"] = article.pmid
        self._kept.put(values)

    def known(self, pmids: Sequence[str]) -> dict[str, Article]:
        """PMID -> what an earlier run got, whatever its output; nobody is asked."""
        found: dict[str, Article] = {}
        for key, value in self._kept.get(f"pmid:{pmid}" for pmid in pmids).items() if self._kept is not None else ():
            with contextlib.suppress(TypeError, KeyError):  # kept by another version
                found[key.removeprefix("pmid:")] = Article(**value)
        return found

    def _fetch_batch(
        self, batch: Sequence[str], context: Context, attempts: int
    ) -> Iterator[dict[str, Article | None]]:
        try:
            found = self.retrying("NCBI efetch", attempts, context)(self._request, batch)
        except (Refused, NoAnswer) as refusal:
            if isinstance(refusal, NoAnswer) and not (refusal.unreadable and (self._understood or len(batch) > 1)):
                raise
            if len(batch) == 1:
                context.rejects.add(f"PMID {batch[0]}", f"refused by NCBI ({refusal})")
                return
            middle = len(batch) // 2
            for half in (batch[:middle], batch[middle:]):
                yield from self._fetch_batch(half, context, min(attempts, _ATTEMPTS_OF_A_HALF))
            return
        self._understood = True
        yield {pmid: found.get(pmid) for pmid in batch}

    def search_dois(self, dois: Sequence[str], context: Context) -> Iterator[tuple[Sequence[str], list[str]]]:
        """Yield each batch of DOIs with the PMIDs that esearch finds for it.

        esearch does not say which PMID belongs to which DOI, and may find others too: the articles' own DOIs tell.
        A search that NCBI refuses, or that finds far more than it should, is halved as in `fetch`.

        Raises:
            AbroadError: no answer after all attempts, or access refused.
        """
        size = min(self.settings.batch_size, DOIS_A_SEARCH)
        for start in range(0, len(dois), size):
            batch = dois[start : start + size]
            yield batch, self._search_batch(batch, context)

    def _search_batch(self, batch: Sequence[str], context: Context) -> list[str]:
        try:
            return self.retrying("NCBI esearch", self.settings.attempts, context)(self._search, batch)
        except Refused as refusal:
            if len(batch) == 1:
                context.rejects.add(f"DOI {batch[0]}", f"refused by NCBI ({refusal})")
                return []
            middle = len(batch) // 2
            return self._search_batch(batch[:middle], context) + self._search_batch(batch[middle:], context)

    def _search(self, batch: Sequence[str]) -> list[str]:
        term = " OR ".join(f'"{doi.replace(chr(34), "")}"[doi]' for doi in batch)
        most = 2 * len(batch)  # few DOIs have two records
        response = self.post("esearch", {"db": "pubmed", "retmode": "json", "term": term, "retmax": str(most)})
        result = part_of(json_of(response), "esearchresult")
        if said := part_of(result, "ERROR"):
            raise TransientError(f"NCBI says {str(said)[:200]}")
        try:
            found, count = [str(pmid) for pmid in result["idlist"]], int(result["count"])
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise Unreadable(f"unreadable answer ({type(error).__name__})") from None
        if count > most:
            raise Refused(f"{count} records for {len(batch)} DOIs")
        return found

    def _request(self, batch: Sequence[str]) -> dict[str, Article]:
        try:
            response = self.post("efetch", {"db": "pubmed", "retmode": "xml", "id": ",".join(batch)})
        except _NoSuchIds:
            return {}
        return articles_of(response)

    def retrying(self, what: str, attempts: int, context: Context) -> tenacity.Retrying:
        """`with_retries` by the settings."""
        return with_retries(what, attempts, self.settings.first_wait, context, self.settings.deadline)

    def post(self, tool: str, form: dict[str, str]) -> httpx.Response:
        """One request with the fields NCBI asks for; its answer if it is one.

        Raises:
            Refused: NCBI does not accept these fields.
            TransientError: another try may mend it.
            AbroadError: access refused.
        """
        form = {**form, "tool": "abroad"}
        if self.settings.email:
            form["email"] = self.settings.email
        if self.settings.api_key:
            form["api_key"] = self.settings.api_key
        self._limiter.wait()
        response = request(self._http, "POST", f"{self.settings.base_url.rstrip('/')}/{tool}.fcgi", data=form)
        check_status(response)
        if response.status_code == 400 and _NO_SUCH_IDS in response.text:
            raise _NoSuchIds
        if response.status_code in (400, 413, 414):
            # NCBI answers a wrong API key with 400 too, and no halving mends that.
            if "api key" in response.text.lower() or "api-key" in response.text.lower():
                raise AbroadError(f"NCBI {tool}: the API key is not valid; check --api-key or NCBI_API_KEY")
            raise Refused(f"HTTP {response.status_code}")
        if response.status_code != 200:
            raise AbroadError(f"NCBI {tool}: HTTP {response.status_code} from {self.settings.base_url}")
        return response


def articles_of(response: httpx.Response) -> dict[str, Article]:
    """PMID -> article of an answer of efetch.

    Raises:
        Unreadable: it is none; under load NCBI answers 200 with an error page, or with half a document.
    """
    try:
        return {article.pmid: article for article in newest(parse_articles(io.BytesIO(response.content)))}
    except BrokenXml as error:
        raise Unreadable(f"unreadable answer ({error})") from None


class Refused(Exception):
    """NCBI does not accept this list of identifiers, or this search."""


class _NoSuchIds(Exception):
    """NCBI has none of the identifiers asked for."""
