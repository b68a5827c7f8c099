"""Labels -> documents: the texts of labels from local PubMed XML or NCBI, by PMID, by DOI, or by their own words.

As in `abroad.documents`, what NCBI sends is kept in `<out>.abroad/articles.jsonl` until the documents are written,
and a later run asks only for what is not at hand. A document whose text is not the labelled one goes to the rejects.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_documents, write_documents
from abroad.core.locks import held
from abroad.documents.curated.join import Joined, OtherText, join
from abroad.documents.curated.labels import Labels, plain_doi, words_sha256
from abroad.documents.fetch import article_of, fetch_and_keep, forget_kept, kept_articles
from abroad.sources.pubmed import Article, read_xml

if TYPE_CHECKING:
    from abroad.sources.eutils import EutilsClient


@dataclass
class JoinReport:
    """What came of the labels.

    Attributes:
        exact: documents whose text is the labelled one to the character.
        found_again: documents whose text another source formatted, so that offsets were looked for again.
        labels_lost: document id -> labels that its text no longer names; their relations are kept.
        not_found: ids that are not there, in order.
        without_abstract: ids whose article has no text, in order.
        other_text: ids whose text is another than the labels are of, in order.
    """

    exact: int = 0
    found_again: int = 0
    labels_lost: dict[str, list[str]] = field(default_factory=dict)
    not_found: list[str] = field(default_factory=list)
    without_abstract: list[str] = field(default_factory=list)
    other_text: list[str] = field(default_factory=list)

    @property
    def documents(self) -> int:
        return self.exact + self.found_again


def fetch_labelled(
    labels: Sequence[Labels],
    out: str | Path,
    context: Context,
    xml: Sequence[Path] = (),
    client: EutilsClient | None = None,
) -> JoinReport:
    """Write the documents of all labels whose text is found, in the order of the labels.

    Args:
        xml: local PubMed XML, read first; labels without PMID and DOI are found there by the words of their abstract.
        client: asked for what the local files lack; None for no network.
    Raises:
        InputError: neither source given, a path of `xml` cannot be read, or no document came of it all.
        AbroadError: NCBI does not answer; what came is kept for the next run.
    """
    out = Path(out)
    if not xml and client is None:
        raise InputError("no source of abstracts: give local PubMed XML (--xml) or a client for E-utilities")
    texts = _Texts(labels)
    for article in _local(xml, texts, context):
        texts.add(article)
    if client is not None:
        with held(out):
            _ask(texts, out, client, context)

    report, documents = JoinReport(), []
    for item in labels:
        joined = texts.joined.get(item.id)
        if joined is None:
            _reject(item, texts, report, context)
            continue
        documents.append(joined.document)
        if joined.exact:
            report.exact += 1
        else:
            report.found_again += 1
        if joined.lost:
            report.labels_lost[item.id] = joined.lost
    if not documents:
        raise InputError(
            f"none of {len(labels)} labelled documents was joined: {len(report.not_found)} not found, "
            f"{len(report.without_abstract)} without an abstract, {len(report.other_text)} with another text"
        )
    write_documents(out, documents)
    forget_kept(out)
    return report


class _Texts:
    """Which labels which articles belong to; each article is joined when it comes, and then let go.

    Attributes:
        joined: id of the labels -> their document; an exact one replaces one that is not.
        reasons: id -> why the articles that came did not fit.
    """

    def __init__(self, labels: Sequence[Labels]) -> None:
        self.labels = labels
        self.joined: dict[str, Joined] = {}
        self.reasons: dict[str, str] = {}
        self._by_key: dict[tuple[str, str], list[Labels]] = {}
        self._of_pmid: dict[str, set[str]] = {}
        for item in labels:
            keys = (("pmid", item.pmid), ("doi", item.doi), ("words", item.abstract_sha256))
            for kind, value in keys:
                if value:
                    self._by_key.setdefault((kind, value), []).append(item)

    def add(self, article: Article, only: str | None = None) -> None:
        """Join an article to the labels that name it by PMID or DOI, or by the words of its abstract.

        Args:
            only: id of the labels that it may be joined to; None for any.
        """
        for item in self._wanted(article):
            if only not in (None, item.id):
                continue
            if not article.abstract:
                self.reasons.setdefault(item.id, _NO_ABSTRACT)
                continue
            try:
                joined = join(item, article.title, article.abstract, article.pmid, article.doi)
            except OtherText as reason:
                self.reasons[item.id] = f"PMID {article.pmid}: {reason}"
                continue
            earlier = self.joined.get(item.id)
            if earlier is None or joined.exact or not earlier.exact:
                self.joined[item.id] = joined
                self._of_pmid.setdefault(article.pmid, set()).add(item.id)

    def withdraw(self, pmid: str) -> None:
        """Forget what came of a record that PubMed has deleted."""
        for id in self._of_pmid.pop(pmid, ()):
            self.joined.pop(id, None)

    def missing(self) -> list[Labels]:
        return [item for item in self.labels if item.id not in self.joined]

    def _wanted(self, article: Article) -> list[Labels]:
        found = [
            *self._by_key.get(("pmid", article.pmid), ()),
            *self._by_key.get(("doi", plain_doi(article.doi) or ""), ()),
        ]
        if not found and article.abstract:
            found = self._by_key.get(("words", words_sha256(article.abstract) or ""), [])
        return list({item.id: item for item in found}.values())


_NO_ABSTRACT = "no abstract"


def _local(xml: Sequence[Path], texts: _Texts, context: Context) -> Iterator[Article]:
    """The articles of local files, in order; those that are withdrawn later are taken back."""
    if not xml:
        return
    with context.progress("reading PubMed XML", total=None) as progress:
        for record in read_xml(xml, context):
            progress.advance()
            if isinstance(record, Article):
                yield record
            else:
                texts.withdraw(record.pmid)


def _ask(texts: _Texts, out: Path, client: EutilsClient, context: Context) -> None:
    """Join what an earlier run fetched, then ask NCBI: by PMID, and by DOI for what that did not give."""
    missing = len(texts.missing())
    asked = kept_articles(out)
    for id, article in _written(out):
        # Where the title was not read it was not written either: this text serves its own labels alone.
        texts.add(article, only=id)
    for article in asked.values():
        texts.add(article)
    at_hand = missing - len(texts.missing())
    if at_hand:
        context.say(f"{at_hand} of {missing} abstracts were fetched by an earlier run")

    pmids = [item.pmid for item in texts.missing() if item.pmid and item.pmid not in asked]
    with context.progress("fetching abstracts by PMID", len(pmids)) as progress:
        for article in fetch_and_keep(pmids, out, client, context, progress.advance):
            texts.add(article)
    asked_for = {*asked, *pmids}
    dois = list(dict.fromkeys(item.doi for item in texts.missing() if item.doi))
    with context.progress("fetching abstracts by DOI", len(dois)) as progress:
        for batch, found in client.search_dois(dois, context):
            new = [pmid for pmid in dict.fromkeys(found) if pmid not in asked_for]
            asked_for.update(new)
            for article in fetch_and_keep(new, out, client, context):
                texts.add(article)
            progress.advance(len(batch))


def _written(out: Path) -> list[tuple[str, Article]]:
    """The texts in the output of an earlier run, each with the id of its document."""
    if not out.exists() or not out.stat().st_size:
        return []
    documents = read_documents(out, Context())
    return [(d.id, article_of(d, d.pmid)) for d in documents if d.pmid is not None]


def _reject(item: Labels, texts: _Texts, report: JoinReport, context: Context) -> None:
    where = f"document {item.id}"
    name = f"PMID {item.pmid}" if item.pmid else f"DOI {item.doi}" if item.doi else ""
    reason = texts.reasons.get(item.id)
    if reason is None:
        report.not_found.append(item.id)
        reason = "not found" if name else "not found; without PMID and DOI, local PubMed XML (--xml) alone can hold it"
    elif reason == _NO_ABSTRACT:
        report.without_abstract.append(item.id)
    else:
        report.other_text.append(item.id)
    context.rejects.add(f"{where} ({name})" if name else where, reason)
