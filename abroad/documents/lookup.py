"""PMIDs and DOIs -> documents, and abstracts for titles that lack one, from NCBI's E-utilities.

A PMID or DOI that cannot be looked up is set aside like any other bad record, and what NCBI did answer is kept for
later runs by its client. Only where nothing at all is left is it an error.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.core.record_fields import DOI, PMID
from abroad.core.schema import Document
from abroad.documents.fetch import attach
from abroad.sources.formats.identifiers import Identifier
from abroad.sources.pubmed import Article
from abroad.sources.references import Reference

if TYPE_CHECKING:
    from abroad.sources.eutils import EutilsClient


class Lookup:
    """What PubMed has of PMIDs and DOIs.

    Attributes:
        articles: PMID -> article.
        failure: why the rest was not looked up; None while NCBI answers.
    """

    def __init__(self, client: EutilsClient, context: Context) -> None:
        """Start with nothing.

        Args:
            client: asks NCBI.
            context: its rejects are the identifiers that NCBI refuses.
        """
        self._client, self._context = client, context
        self.articles: dict[str, Article] = {}
        self.failure: AbroadError | None = None

    def fetch(self, pmids: Iterable[str], shown: bool = True) -> None:
        """Ask for those that are not there yet; once NCBI has failed to answer, what earlier runs kept has to do.

        Args:
            shown: whether a display of its own shows how far it is.
        """
        wanted = [pmid for pmid in dict.fromkeys(pmids) if pmid not in self.articles]
        if self.failure is not None:
            self.articles |= self._client.known(wanted)
            return
        if not wanted:
            return
        try:
            display = self._context.progress("fetching abstracts", len(wanted)) if shown else contextlib.nullcontext()
            with display as progress:
                for answer in self._client.fetch(wanted, self._context):
                    self.articles |= {pmid: article for pmid, article in answer.items() if article is not None}
                    if progress is not None:
                        progress.advance(len(answer))
        except AbroadError as error:
            self.failure = error

    def fetch_dois(self, dois: Iterable[str], advance: Callable[[int], object] | None = None) -> dict[str, Article]:
        """DOI in lower case -> its article; a search also finds others, so the articles' own DOIs decide.

        Args:
            advance: is told of each DOI that was asked for; None: the fetching shows how far it is.
        """
        shown, advance = advance is None, advance or (lambda count: None)
        dois = list(dict.fromkeys(dois))
        self.fetch(self._client.known_pmids(dois).values(), shown)
        found = self._by_doi()
        wanted = [doi for doi in dois if doi.lower() not in found]
        advance(len(dois) - len(wanted))
        if wanted and self.failure is None:
            try:
                for batch, pmids in self._client.search_dois(wanted, self._context):
                    self.fetch(pmids, shown)
                    advance(len(batch))
            except AbroadError as error:
                self.failure = error
        return self._by_doi()

    def _by_doi(self) -> dict[str, Article]:
        return {article.doi.lower(): article for article in self.articles.values() if article.doi}

    def missing(self, name: str) -> str:
        """Why there is no article of an identifier."""
        return f"{name}: not found in PubMed" if self.failure is None else f"{name}: not looked up ({self.failure})"


def resolve(items: Sequence[Document | Identifier], lookup: Lookup, context: Context) -> list[Document]:
    """The documents, each identifier replaced by its own; those not found or not looked up are set aside.

    Raises:
        AbroadError: NCBI does not answer, and no document is left.
    """
    wanted = [item for item in items if isinstance(item, Identifier)]
    lookup.fetch(item.value for item in wanted if item.kind == PMID)
    by_doi = lookup.fetch_dois(item.value for item in wanted if item.kind == DOI)
    documents: dict[str, Document] = {}
    for item in items:
        if isinstance(item, Document):
            document = item
        else:
            found = lookup.articles.get(item.value) if item.kind == PMID else by_doi.get(item.value.lower())
            if found is None or not found.has_text:
                name = f"{item.kind.upper()} {item.value}"
                context.rejects.add(item.where, lookup.missing(name) if found is None else f"{name}: no text")
                continue
            document = attach(found, Reference(found.pmid), None)
        if document.id in documents and isinstance(item, Document):
            context.rejects.add(document.id, "the id stands in an earlier file too")
        documents.setdefault(document.id, document)
    if lookup.failure is not None and not documents:
        raise lookup.failure
    return list(documents.values())


def with_abstracts(documents: Iterable[Document], lookup: Lookup, context: Context) -> list[Document]:
    """The documents; one with a PMID and no abstract gets title and abstract of PubMed, where that has them."""
    documents = list(documents)
    lookup.fetch(document.pmid for document in documents if document.pmid and not document.abstract.strip())
    for document in documents:
        article = lookup.articles.get(document.pmid or "")
        if article is not None and article.abstract and not document.abstract.strip():
            document.title, document.abstract = article.title, article.abstract
        elif article is None and document.pmid and not document.abstract.strip() and lookup.failure is not None:
            context.rejects.add(f"PMID {document.pmid}", f"its title alone is read: {lookup.missing('abstract')}")
    return documents
