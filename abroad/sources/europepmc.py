"""Europe PMC's REST service: abstracts of a search, and open full texts (JATS).

https://europepmc.org/RestfulWebService. Pages follow each other by a mark that the service gives with each; a mark
says all that it needs, so that a search goes on from one that was kept.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.http import (
    HttpSettings,
    JsonClient,
    NoAnswer,
    RateLimiter,
    Unreadable,
    check_status,
    int_of,
    objects_of,
    open_client,
    part_of,
    request,
    with_retries,
)
from abroad.sources.formats.full_text import FullText
from abroad.sources.formats.jats import read_jats
from abroad.sources.xml_records import BrokenXml
from abroad.text.retractions import is_retracted

BASE_URL = "https://www.ebi.ac.uk/europepmc/webservices/rest"
RATE = 8.0  # requests a second; the service allows 10
PAGE = 500  # hits; the service gives 1,000 at most
FIRST = "*"
_HEADING = re.compile(r"<h4>\s*(.*?)[\s:]*</h4>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """Some hits of a search.

    Attributes:
        hits: records as the service gives them.
        total: hits of the search.
        following: mark of the next page; None after the last.
    """

    hits: list[dict[str, Any]]
    total: int
    following: str | None


class EuropePmc:
    """Asks Europe PMC; use as a context manager."""

    def __init__(self, settings: HttpSettings, context: Context) -> None:
        self._settings, self._context = settings, context
        self._json = JsonClient("Europe PMC", settings, context)
        self._http, self._limiter = open_client(settings.timeout), RateLimiter(settings.rate)

    def __enter__(self) -> EuropePmc:
        return self

    def __exit__(self, *error: object) -> None:
        self._json.__exit__(*error)
        self._http.close()

    def pages(self, query: str, mark: str = FIRST, seen: int = 0) -> Iterator[Page]:
        """The hits of a query from a mark on, page by page.

        A service that ends before it has given all the hits that it counts is asked again; then the rest is told.

        Args:
            seen: hits before the mark.
        Raises:
            InputError: the service does not take the query.
            AbroadError: no answer after all attempts.
        """
        following: str | None = mark
        while following is not None:
            params = {"query": query, "resultType": "core", "format": "json", "pageSize": str(PAGE)}
            params["cursorMark"] = following
            page = self._whole_page(params, seen)
            seen += len(page.hits)
            following = None if _is_last(page, following) else page.following
            if following is None and seen < page.total:
                rest = f"{page.total - seen:,} of the {page.total:,} hits that it counts were not given"
                self._context.rejects.add("Europe PMC", f"{rest}; the same search again asks for them")
            yield Page(page.hits, page.total, following)

    def _whole_page(self, params: dict[str, str], seen: int) -> Page:
        """A page; asked for again where it is the last and hits are left that it lacks."""
        short: list[Page] = []

        def read(status: int, answer: Any) -> Page:
            page = _page(status, answer)
            if _is_last(page, params["cursorMark"]) and seen + len(page.hits) < page.total:
                short.append(page)
                raise ValueError(f"{seen + len(page.hits):,} of {page.total:,} hits, and no more")
            return page

        try:
            return self._json.ask("search", read, params)
        except NoAnswer as failure:
            if not failure.unreadable or not short:
                raise
            return max(short, key=lambda page: len(page.hits))

    def full_text(self, pmcid: str) -> FullText | None:
        """The open full text of a paper; None where there is none, or none that can be read, which is set aside.

        Raises:
            AbroadError: no answer after all attempts.
        """
        asked = self._settings
        retries = with_retries("Europe PMC", asked.attempts, asked.first_wait, self._context, asked.deadline)
        try:
            return retries(self._full_text, pmcid)
        except NoAnswer as failure:
            if not failure.unreadable:
                raise
            self._context.rejects.add(pmcid, f"{failure}; its abstract is taken")
            return None

    def _full_text(self, pmcid: str) -> FullText | None:
        self._limiter.wait()
        url = f"{self._settings.base_url.rstrip('/')}/{pmcid}/fullTextXML"
        response = request(self._http, "GET", url)
        check_status(response)
        if response.status_code == 404:
            return None
        if response.status_code != 200:
            raise AbroadError(f"Europe PMC: HTTP {response.status_code} from {url}")
        try:
            return next(read_jats(io.BytesIO(response.content)), None)
        except BrokenXml as error:
            raise Unreadable(f"unreadable answer ({error})") from None


def paper_of(hit: dict[str, Any]) -> FullText:
    """What a hit says of a paper: its abstract, in plain text."""
    source, id = str(hit.get("source") or ""), str(hit.get("id") or "")
    types = [each for each in part_of(hit, "pubTypeList", "pubType") or () if isinstance(each, str)]
    notes = [str(each.get("type")) for each in objects_of(hit, "commentCorrectionList", "commentCorrection")]
    title = _plain(str(hit.get("title") or ""))
    return FullText(
        title=title,
        abstract=_plain(_HEADING.sub(r" \1: ", str(hit.get("abstractText") or ""))),
        pmid=str(hit.get("pmid") or (id if source == "MED" else "")),
        pmcid=str(hit.get("pmcid") or ""),
        doi=str(hit.get("doi") or ""),
        id=f"{source}:{id}" if id else "",
        year=int_of(hit.get("pubYear")),
        retracted=is_retracted(types, notes, title),
    )


def has_open_full_text(hit: dict[str, Any]) -> bool:
    """Whether the service says that it gives the full text."""
    return bool(hit.get("pmcid")) and hit.get("isOpenAccess") == "Y" and hit.get("inEPMC", "Y") == "Y"


def _is_last(page: Page, mark: str) -> bool:
    return not page.hits or page.following is None or page.following == mark


def _page(status: int, answer: Any) -> Page:
    if isinstance(answer, dict) and answer.get("errMsg"):
        raise InputError(f"Europe PMC refuses the query: {str(answer['errMsg'])[:200]}")
    if status != 200:
        raise ValueError(status)
    mark = answer.get("nextCursorMark")
    return Page(objects_of(answer["resultList"], "result"), int(answer["hitCount"]), str(mark) if mark else None)


def _plain(text: str) -> str:
    from abroad.text.normalise import normalise  # with numpy, which naming a command must not load

    return " ".join(normalise(text).text.split())
