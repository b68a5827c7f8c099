"""PMIDs and DOIs -> documents, and abstracts for titles that lack one, from NCBI's E-utilities.

A PMID or DOI that cannot be looked up is set aside like any other bad record, and what NCBI did answer is kept for the
next run of the same command. Only where nothing at all is left is it an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.errors import AbroadError
from abroad.core.io import Rejects
from abroad.core.progress import Progress
from abroad.core.record_fields import DOI, PMID
from abroad.core.schema import Document
from abroad.documents.fetch import attach, fetch_and_keep, kept_articles
from abroad.sources.formats.identifiers import Identifier
from abroad.sources.pubmed import Article
from abroad.sources.references import Reference

if TYPE_CHECKING:
    from abroad.sources.eutils import EutilsClient


class Lookup:
    """What PubMed has of PMIDs and DOIs.

    Attributes:
        articles: PMID -> article, of this run and of earlier ones.
        failure: why the rest was not looked up; None while NCBI answers.
    """

    def __init__(self, client: EutilsClient, rejects: Rejects, out: Path | None = None) -> None:
        """Start with what is kept.

        Args:
            client: asks NCBI.
            rejects: is told of identifiers that NCBI refuses.
            out: the output in whose folder of helpers the answers are kept; None: nowhere.
        """
        self._client, self._rejects, self._out = client, rejects, out
        self.articles: dict[str, Article] = kept_articles(out) if out is not None else {}
        self.failure: AbroadError | None = None

    def fetch(self, pmids: Iterable[str]) -> None:
        """Ask for those that are not there yet; once NCBI has failed to answer, no more is asked."""
        wanted = [pmid for pmid in dict.fromkeys(pmids) if pmid not in self.articles]
        if not wanted or self.failure is not None:
            return
        try:
            with Progress("fetching abstracts", len(wanted)) as progress:
                for article in self._answers(wanted, progress):
                    self.articles[article.pmid] = article
        except AbroadError as error:
            self.failure = error

    def _answers(self, pmids: Sequence[str], progress: Progress) -> Iterable[Article]:
        if self._out is not None:
            yield from fetch_and_keep(pmids, self._out, self._client, self._rejects, progress.advance)
            return
        for answer in self._client.fetch(pmids, self._rejects):
            progress.advance(len(answer))
            yield from (article for article in answer.values() if article is not None)

    def fetch_dois(self, dois: Iterable[str]) -> dict[str, Article]:
        """DOI in lower case -> its article; a search also finds others, so the articles' own DOIs decide."""
        found = self._by_doi()
        wanted = [doi for doi in dict.fromkeys(dois) if doi.lower() not in found]
        if wanted and self.failure is None:
            try:
                for _, pmids in self._client.search_dois(wanted, self._rejects):
                    self.fetch(pmids)
            except AbroadError as error:
                self.failure = error
        return self._by_doi()

    def _by_doi(self) -> dict[str, Article]:
        return {article.doi.lower(): article for article in self.articles.values() if article.doi}

    def missing(self, name: str) -> str:
        """Why there is no article of an identifier."""
        return f"{name}: not found in PubMed" if self.failure is None else f"{name}: not looked up ({self.failure})"


def resolve(items: Sequence[Document | Identifier], lookup: Lookup, rejects: Rejects) -> list[Document]:
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
                rejects.add(item.where, lookup.missing(name) if found is None else f"{name}: no text")
                continue
            document = attach(found, Reference(found.pmid), None)
        if document.id in documents and isinstance(item, Document):
            rejects.add(document.id, "the id stands in an earlier file too")
        documents.setdefault(document.id, document)
    if lookup.failure is not None and not documents:
        raise lookup.failure
    return list(documents.values())


def with_abstracts(documents: Iterable[Document], lookup: Lookup, rejects: Rejects) -> list[Document]:
    """The documents; one with a PMID and no abstract gets title and abstract of PubMed, where that has them."""
    documents = list(documents)
    lookup.fetch(document.pmid for document in documents if document.pmid and not document.abstract.strip())
    for document in documents:
        article = lookup.articles.get(document.pmid or "")
        if article is not None and article.abstract and not document.abstract.strip():
            document.title, document.abstract = article.title, article.abstract
        elif article is None and document.pmid and not document.abstract.strip() and lookup.failure is not None:
            rejects.add(f"PMID {document.pmid}", f"its title alone is read: {lookup.missing('abstract')}")
    return documents
