"""PMIDs and DOIs -> documents, and abstracts for titles that lack one, from NCBI's E-utilities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from abroad.core.io import Rejects
from abroad.core.progress import Progress
from abroad.core.record_fields import DOI, PMID
from abroad.core.schema import Document
from abroad.documents.fetch import attach
from abroad.sources.formats.identifiers import Identifier
from abroad.sources.pubmed import Article
from abroad.sources.references import Reference

if TYPE_CHECKING:
    from abroad.sources.eutils import EutilsClient


def resolve(items: Sequence[Document | Identifier], client: EutilsClient, rejects: Rejects) -> list[Document]:
    """The documents, each identifier replaced by its own; those not found are set aside.

    Raises:
        AbroadError: NCBI does not answer.
    """
    wanted = [item for item in items if isinstance(item, Identifier)]
    articles = fetch_articles((item.value for item in wanted if item.kind == PMID), client, rejects)
    by_doi = _by_doi([item.value for item in wanted if item.kind == DOI], articles, client, rejects)
    documents: dict[str, Document] = {}
    for item in items:
        if isinstance(item, Document):
            document = item
        else:
            found = articles.get(item.value) if item.kind == PMID else by_doi.get(item.value.lower())
            if found is None or not found.has_text:
                name = f"{item.kind.upper()} {item.value}"
                rejects.add(item.where, f"{name}: not found in PubMed" if found is None else f"{name}: no text")
                continue
            document = attach(found, Reference(found.pmid), None)
        if document.id in documents and isinstance(item, Document):
            rejects.add(document.id, "the id stands in an earlier file too")
        documents.setdefault(document.id, document)
    return list(documents.values())


def with_abstracts(documents: Iterable[Document], client: EutilsClient, rejects: Rejects) -> list[Document]:
    """The documents; one with a PMID and no abstract gets title and abstract of PubMed, where that has them."""
    documents = list(documents)
    lacking = [document.pmid for document in documents if document.pmid and not document.abstract.strip()]
    articles = fetch_articles(lacking, client, rejects)
    for document in documents:
        article = articles.get(document.pmid or "")
        if article is not None and article.abstract and not document.abstract.strip():
            document.title, document.abstract = article.title, article.abstract
    return documents


def fetch_articles(pmids: Iterable[str], client: EutilsClient, rejects: Rejects) -> dict[str, Article]:
    """PMID -> what PubMed has of it."""
    wanted = list(dict.fromkeys(pmids))
    found: dict[str, Article] = {}
    with Progress("fetching abstracts", len(wanted)) as progress:
        for answer in client.fetch(wanted, rejects) if wanted else ():
            found |= {pmid: article for pmid, article in answer.items() if article is not None}
            progress.advance(len(answer))
    return found


def _by_doi(
    dois: Sequence[str], articles: dict[str, Article], client: EutilsClient, rejects: Rejects
) -> dict[str, Article]:
    """DOI in lower case -> its article; a search also finds others, so the articles' own DOIs decide."""
    found: dict[str, Article] = {}
    for _, pmids in client.search_dois(list(dict.fromkeys(dois)), rejects) if dois else ():
        new = fetch_articles((pmid for pmid in pmids if pmid not in articles), client, rejects)
        for article in [*new.values(), *(articles[pmid] for pmid in pmids if pmid in articles)]:
            if article.doi:
                found[article.doi.lower()] = article
    return found
