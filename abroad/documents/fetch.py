"""References -> documents: titles and abstracts from local PubMed XML or NCBI, with the relations of the table.

What NCBI sends is kept article by article in `<out>.abroad/articles.jsonl`; the
documents are written whole, in the order of the references, when all have been
asked for. A later run asks NCBI only for what neither file holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.helpers import helper, old_helper, taken_over
from abroad.core.io import JsonlAppender, read_documents, write_documents
from abroad.core.jsonl import read_jsonl
from abroad.core.locks import held
from abroad.core.schema import Document
from abroad.sources.pubmed import Article, read_xml
from abroad.sources.references import Reference, Related

if TYPE_CHECKING:
    from abroad.sources.eutils import EutilsClient

_KEPT = "articles.jsonl"


@dataclass
class FetchReport:
    """What came of the references.

    Attributes:
        references: that were looked for.
        documents: how many were written, and of these `related` have relations.
        without_abstract: PMIDs, in order; those that have a title are documents all the same.
        not_found: PMIDs, in order.
    """

    documents: int = 0
    related: int = 0
    references: int = 0
    without_abstract: list[str] = field(default_factory=list)
    not_found: list[str] = field(default_factory=list)


def fetch_documents(
    references: Sequence[Reference],
    related: dict[str, Related],
    out: str | Path,
    context: Context,
    xml: Sequence[Path] = (),
    client: EutilsClient | None = None,
) -> FetchReport:
    """Write the documents of `references` to `out` (JSONL), each with its relations.

    Args:
        related: PMID -> what the relations table holds of it.
        context: its rejects are PMIDs without any text, those not found, and broken XML files.
        xml: local PubMed XML files or directories, read first.
        client: asked for what the local files lack; None for no network.
    Raises:
        InputError: neither source given, a path of `xml` cannot be read, or no document came of it all.
        AbroadError: NCBI does not answer; what came is kept for the next run.
    """
    out = Path(out)
    if not xml and client is None:
        raise InputError("no source of abstracts: give local PubMed XML (--xml) or a client for E-utilities")
    pmids = [reference.pmid for reference in references]
    articles = read_wanted(xml, set(pmids), context) if xml else {}
    if client is not None:
        missing = [pmid for pmid in pmids if pmid not in articles]
        with held(out):
            articles |= _fetch_missing(missing, out, client, context)

    report, documents = FetchReport(), []
    for reference in references:
        article = articles.get(reference.pmid)
        if article is None:
            report.not_found.append(reference.pmid)
            context.rejects.add(f"PMID {reference.pmid}", "not found")
            continue
        if not article.abstract:
            report.without_abstract.append(reference.pmid)
        if article.has_text:
            documents.append(attach(article, reference, related.get(reference.pmid)))
        else:
            context.rejects.add(f"PMID {reference.pmid}", "no abstract and no title")
    if not documents:
        raise InputError(
            f"none of {len(references)} references gave a document: {len(report.not_found)} not found, "
            f"{len(report.without_abstract)} without any text"
        )
    report.documents = len(documents)
    report.related = sum(bool(document.relations) for document in documents)
    write_documents(out, documents)
    forget_kept(out)
    return report


def attach(article: Article, reference: Reference, related: Related | None) -> Document:
    """The document of an article: id = PMID, entities by Wikidata item, DOI of the table before PubMed's."""
    related = related or Related()
    bare = Document(
        id=reference.pmid,
        pmid=reference.pmid,
        title=article.title,
        abstract=article.abstract or "",
        doi=reference.doi or article.doi,
        extra=({"reference_wikidata": related.wikidata} if related.wikidata else {})
        | ({"year": article.year} if article.year else {})
        | ({"retracted": True} if article.retracted else {}),
    )
    if related.entities:
        return replace(bare, entities=list(related.entities.values()), relations=list(related.triples))
    return bare.with_products(related.organisms.values(), related.chemicals.values(), related.relations)


def read_wanted(xml: Sequence[Path], wanted: set[str], context: Context) -> dict[str, Article]:
    """PMID -> the last record that local PubMed XML has of it, but for those withdrawn later."""
    found: dict[str, Article] = {}
    with context.progress("reading PubMed XML", total=None) as progress:
        for record in read_xml(xml, context):
            progress.advance()
            if record.pmid not in wanted:
                continue
            if isinstance(record, Article):
                found[record.pmid] = record
            else:
                found.pop(record.pmid, None)
    return found


def _fetch_missing(pmids: Sequence[str], out: Path, client: EutilsClient, context: Context) -> dict[str, Article]:
    """Ask NCBI for what an earlier run has not, and keep each answer on disk."""
    kept = kept_articles(out)
    earlier = _texts_of(out) | kept
    articles = {pmid: earlier[pmid] for pmid in pmids if pmid in earlier}
    if articles:
        context.say(f"{len(articles)} of {len(pmids)} abstracts were fetched by an earlier run")
    missing = [pmid for pmid in pmids if pmid not in articles]
    with context.progress("fetching abstracts", len(pmids), done=len(articles)) as progress:
        for article in fetch_and_keep(missing, out, client, context, progress.advance):
            articles[article.pmid] = article
    return articles


def kept_articles(out: Path) -> dict[str, Article]:
    """PMID -> what an interrupted run got from NCBI; a torn last line is cut off."""
    path = taken_over(out, _KEPT)
    return _texts_kept(JsonlAppender(path).path) if path.exists() else {}


def fetch_and_keep(
    pmids: Sequence[str],
    out: Path,
    client: EutilsClient,
    context: Context,
    advance: Callable[[int], object] = lambda count: None,
) -> Iterator[Article]:
    """Yield what NCBI has of the PMIDs, each article on disk before the next.

    Args:
        advance: told how many PMIDs each answer was for.
    """
    if not pmids:
        return
    with JsonlAppender(taken_over(out, _KEPT)) as appender:
        for answer in client.fetch(pmids, context):
            for pmid, article in answer.items():
                if article is not None:
                    appender.append({"id": pmid, **asdict(article)})
                    yield article
            advance(len(answer))


def forget_kept(out: Path) -> None:
    """Remove what was kept for the next run, once the documents are written."""
    if helper(out, _KEPT).exists():
        old_helper(out, _KEPT).unlink(missing_ok=True)  # what it held has been taken over
        helper(out, _KEPT).unlink()


def _texts_kept(path: Path) -> dict[str, Article]:
    return {article.pmid: article for article in _read_kept(path)} if path.exists() else {}


def _read_kept(path: Path) -> Iterator[Article]:
    for record in read_jsonl(path):
        retracted = bool(record.get("retracted"))
        yield Article(record["pmid"], record["title"], record["abstract"], record["doi"], record.get("year"), retracted)


def _texts_of(out: Path) -> dict[str, Article]:
    """The texts in the output of an earlier run."""
    if not out.exists() or not out.stat().st_size:
        return {}
    return {d.pmid: article_of(d, d.pmid) for d in read_documents(out, Context()) if d.pmid is not None}


def article_of(document: Document, pmid: str) -> Article:
    """The article that a document of an earlier run was made of."""
    year, retracted = document.extra.get("year"), bool(document.extra.get("retracted"))
    return Article(pmid, document.title, document.abstract, document.doi, year, retracted)
