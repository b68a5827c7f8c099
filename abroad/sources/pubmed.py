"""PubMed XML -> articles: identifier, title, abstract, DOI, as plain text, and whether they were retracted.

The format: https://www.nlm.nih.gov/bsd/licensee/elements_descriptions.html.
Files are streamed, so that one of the baseline's gigabytes costs the memory of
one article. Nothing is fetched and no entity is expanded while parsing.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import require_file
from abroad.core.limits import BoundedGzip
from abroad.core.record_fields import read_years
from abroad.sources.xml_records import BrokenXml, XmlRecords, local_name
from abroad.text.markup import MarkupReader, is_clean
from abroad.text.retractions import is_retracted

_ROOTS = ("PubmedArticleSet", "PubmedBookArticleSet", "PubmedArticle", "PubmedBookArticle")
_RECORDS = ("PubmedArticle", "PubmedBookArticle", "DeleteCitation")


@dataclass(frozen=True)
class Article:
    """A PubMed record; `abstract`, `doi` and `year` are None where it has none, `title` is then empty.

    Attributes:
        retracted: whether PubMed says that the publication was withdrawn.
        version: of the record; few have another than the first, and of those the highest counts.
    """

    pmid: str
    title: str
    abstract: str | None
    doi: str | None
    year: int | None = None
    retracted: bool = False
    version: int = 1

    @property
    def has_text(self) -> bool:
        """Whether there is anything to read."""
        return bool(self.title.strip() or (self.abstract or "").strip())


@dataclass(frozen=True)
class Deleted:
    """A record that an update file withdraws, in one version or, without any, in all."""

    pmid: str
    version: int | None = None


@dataclass(frozen=True)
class Unwanted:
    """A record that was asked to be left out, and whose text was not read."""

    pmid: str
    version: int = 1


@dataclass(frozen=True)
class Outline:
    """What is known of a record before its text is read.

    Attributes:
        year: of publication.
        last_year: another one where an issue is of two, "1998 Nov-1999 Jan".
    """

    pmid: str
    year: int | None
    last_year: int | None = None


Wanted = Callable[[Outline], bool]


def parse_articles(stream: IO[bytes]) -> Iterator[Article | Deleted]:
    """Yield the records of one PubMed XML document as they are read.

    Raises:
        BrokenXml: not well-formed, or not PubMed's; records before the fault have been yielded.
    """
    return (record for record in parse_records(stream) if not isinstance(record, Unwanted))


def parse_records(stream: IO[bytes], wanted: Wanted | None = None) -> Iterator[Article | Deleted | Unwanted]:
    """As `parse_articles`; the texts of those that are not wanted are not read.

    Raises:
        BrokenXml: not well-formed, or not PubMed's; records before the fault have been yielded.
    """
    records = XmlRecords(stream, _RECORDS)
    for record in records:
        yield from _read_record(record, wanted)
    if records.root not in _ROOTS:
        raise BrokenXml(f"XML, but not PubMed's: expected the root PubmedArticleSet, found {records.root}")


def read_xml(paths: Sequence[Path], context: Context) -> Iterator[Article | Deleted]:
    """Yield the records of files and directories (every .xml and .xml.gz in them), in order of file name.

    A file that breaks off is set aside after the records it did give. PubMed's update
    files are numbered on from the baseline: of two records of one PMID the later is newer.

    Raises:
        InputError: a path is missing, empty, or a directory without such files.
    """
    for path in xml_files(paths):
        for record in read_file(path, context):
            if not isinstance(record, Unwanted):
                yield record


def read_file(path: Path, context: Context, wanted: Wanted | None = None) -> Iterator[Article | Deleted | Unwanted]:
    """The records of one file, as `read_opened`."""
    with path.open("rb") as raw:
        yield from read_opened(raw, str(path), context, wanted)


def read_opened(
    raw: IO[bytes], name: str, context: Context, wanted: Wanted | None = None
) -> Iterator[Article | Deleted | Unwanted]:
    """The records of an open file, gzipped or not; where it breaks off, the rejects are told after what it did give."""
    compressed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    stream: Any = BoundedGzip(raw, name) if compressed else raw
    try:
        yield from parse_records(stream, wanted)
    except BrokenXml as error:
        context.rejects.add(name, str(error))
    except InputError as error:
        context.rejects.add(name, str(error).removeprefix(f"{name}: "))
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        context.rejects.add(name, f"damaged or cut-off gzip file ({error})")


def newest(records: Iterable[Article | Deleted]) -> list[Article]:
    """The articles that records of files leave standing: of a PMID the highest version, of that the last record."""
    kept: dict[str, dict[int, Article]] = {}
    for record in records:
        versions = kept.setdefault(record.pmid, {})
        if isinstance(record, Article):
            versions[record.version] = record
        elif record.version is None:
            versions.clear()
        else:
            versions.pop(record.version, None)
    return [versions[max(versions)] for versions in kept.values() if versions]


def plain_text(element: Any) -> str:
    """The text of an element: no markup, no TeX, entities as characters, white space collapsed.

    Records from before PubMed's XML carried markup hold it escaped: "&lt;sup&gt;13&lt;/sup&gt;C", "&amp;alpha;".
    """
    text = " ".join((element.text or "").split())
    if not len(element) and is_clean(text):
        return text
    reader = MarkupReader()
    reader.feed(element.text or "")
    open_elements = [(element, iter(element))]
    while open_elements:
        parent, children = open_elements[-1]
        child = next(children, None)
        if child is None:
            open_elements.pop()
            if open_elements:
                reader.close_element(local_name(parent))
                reader.feed(parent.tail or "")
        elif isinstance(child.tag, str):
            reader.open_element(local_name(child))
            reader.feed(child.text or "")
            open_elements.append((child, iter(child)))
        else:  # a named entity that no loaded DTD defines; it stands in the tree as "&alpha;"
            reader.feed((child.text or "") + (child.tail or ""))
    return reader.finish().strip()


def abstract_text(abstract: Any) -> str | None:
    """The sections of an Abstract element joined by a space, labels kept as "LABEL: "; None if all are empty."""
    sections = []
    for element in abstract.iterfind("AbstractText"):
        text = plain_text(element)
        label = (element.get("Label") or "").strip()
        if text and label and label.upper() != "UNLABELLED":
            text = f"{label.rstrip(':')}: {text}"
        if text:
            sections.append(text)
    return " ".join(sections) or None


def _read_record(record: Any, wanted: Wanted | None) -> Iterator[Article | Deleted | Unwanted]:
    if record.tag == "DeleteCitation":
        yield from (Deleted(pmid, _version(e)) for e in record.iterfind("PMID") if (pmid := _pmid(e)))
        return
    # Only direct paths: comments, corrections and reference lists hold PMIDs and DOIs of other articles.
    if record.tag == "PubmedArticle":
        citation, data = record.find("MedlineCitation"), record.find("PubmedData")
        article = None if citation is None else citation.find("Article")
    else:
        citation = article = record.find("BookDocument")
        data = record.find("PubmedBookData")
    pmid = None if citation is None else _pmid(citation.find("PMID"))
    if pmid is None:
        return
    version, years = _version(citation.find("PMID")) or 1, _years(article)
    if wanted is not None and not wanted(Outline(pmid, *years) if years else Outline(pmid, None)):
        yield Unwanted(pmid, version)
        return
    title = abstract = None
    if article is not None:
        title, abstract = article.find("ArticleTitle"), article.find("Abstract")
        if title is None:
            title = article.find("Book/BookTitle")
    heading = "" if title is None else plain_text(title)
    yield Article(
        pmid,
        heading,
        (None if abstract is None else abstract_text(abstract)) or _other_abstract(citation),
        _doi(article, data),
        years[0] if years else None,
        _is_retracted(citation, article, heading),
        version,
    )


def _is_retracted(citation: Any, article: Any, title: str) -> bool:
    """Whether it is marked as retracted, a notice of its retraction is named, or its title says so."""
    types = () if article is None else article.iterfind("PublicationTypeList/PublicationType")
    notes = citation.iterfind("CommentsCorrectionsList/CommentsCorrections")
    return is_retracted((each.text or "" for each in types), (each.get("RefType") or "" for each in notes), title)


def _version(element: Any) -> int | None:
    text = (element.get("Version") or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _other_abstract(citation: Any) -> str | None:
    """An English abstract that came from elsewhere than the journal; the DTD's default language is English."""
    for other in citation.iterfind("OtherAbstract"):
        if (other.get("Language") or "eng").lower() in ("eng", "en") and (text := abstract_text(other)):
            return text
    return None


def _pmid(element: Any) -> str | None:
    text = "" if element is None else (element.text or "").strip()
    return text if text.isascii() and text.isdigit() else None


def _doi(article: Any, data: Any) -> str | None:
    for parent, path in ((data, "ArticleIdList/ArticleId[@IdType='doi']"), (article, "ELocationID[@EIdType='doi']")):
        for element in () if parent is None else parent.iterfind(path):
            text = (element.text or "").strip()
            if text and element.get("ValidYN") != "N":
                return text
    return None


def _years(article: Any) -> tuple[int, int] | None:
    """First and last, of the issue, else of the electronic publication.

    An issue may have but a text such as "1998 Dec-1999 Jan".
    """
    places = ("Journal/JournalIssue/PubDate/Year", "Journal/JournalIssue/PubDate/MedlineDate", "ArticleDate/Year")
    for path in (*places, "Book/PubDate/Year"):
        found = None if article is None else article.find(path)
        if years := read_years("" if found is None else found.text or ""):
            return years
    return None


def xml_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Files as they are given, and those of folders by name.

    Raises:
        InputError: one that is missing or empty, or a folder without such files.
    """
    for path in paths:
        if not path.is_dir():
            yield require_file(path, "PubMed XML (.xml or .xml.gz)")
            continue
        files = sorted(item for item in path.iterdir() if item.name.endswith((".xml", ".xml.gz")))
        if not files:
            raise InputError(f"{path}: no .xml or .xml.gz file in the directory; expected PubMed XML")
        yield from files
