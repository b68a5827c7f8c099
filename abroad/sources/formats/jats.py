"""Full texts in JATS XML, as PubMed Central and Europe PMC give them (.xml, .nxml).

https://jats.nlm.nih.gov/archiving/tag-library/. Sections and their headings are kept; tables, figures, formulas that
stand alone, references, notes and whatever stands after the body are skipped, and so are citations within the text,
whose numbers would stick to names. The files of figures are named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import IO, Any

from abroad.core.record_fields import read_year
from abroad.sources.formats.full_text import FullText, Section
from abroad.sources.pubmed import plain_text
from abroad.sources.xml_records import BrokenXml, XmlRecords, local_name
from abroad.text.retractions import says_retracted

ROOTS = ("article", "pmc-articleset", "articles")
_LONGEST = 64 << 20  # bytes of an article; a few have tables of 20 MB
_SKIPPED = frozenset(
    """table-wrap table-wrap-group table fig fig-group disp-formula disp-formula-group ref-list fn fn-group
    supplementary-material media graphic inline-graphic ack glossary app-group object-id label alternatives
    chem-struct-wrap code preformat""".split()
)
_CITATIONS = frozenset("bibr fn table-fn author-notes aff".split())
_SKIPPED_SECTIONS = ("supplementary", "ref-list", "display-objects", "coi", "data-availability")
_PARAGRAPHS = ("p", "disp-quote", "speech", "verse-group", "statement", "def-list")
_HOLDERS = ("sec", "list", "list-item", "boxed-text", "body")
_EMPTY_BRACKETS = re.compile(r"\s*(?:\[[\s,;–—-]*\]|\([\s,;–—-]*\))")
_NO_WORDS = re.compile(r"[\s,;–—-]*")
_XLINK = "{http://www.w3.org/1999/xlink}href"


def read_jats(stream: IO[bytes]) -> Iterator[FullText]:
    """Yield each article of a document.

    Raises:
        BrokenXml: not well-formed, or no JATS; articles before the fault have been yielded.
    """
    records = XmlRecords(stream, ["{*}article"], _LONGEST)
    for article in records:
        yield _article(article)
    if records.root not in ROOTS and records.root != "OAI-PMH":
        raise BrokenXml(f"XML, but not JATS: expected the root article, found {records.root}")


def _article(article: Any) -> FullText:
    meta = _first(article, "front/article-meta")
    images = tuple(dict.fromkeys(_images(article)))
    sections = tuple(_sections(_first(article, "body"), ()))
    if meta is None:
        return FullText(sections=sections, images=images)
    ids = {each.get("pub-id-type"): "".join(each.itertext()).strip() for each in _all(meta, "article-id")}
    title_element = _first(meta, "title-group/article-title")
    title = "" if title_element is None else _text(title_element)
    pmcid = (ids.get("pmcid") or ids.get("pmc") or "").upper().removeprefix("PMC")
    related = [each.get("related-article-type") for each in _all(meta, "related-article")]
    return FullText(
        title=title,
        abstract=_abstract(meta),
        sections=sections,
        pmid=ids.get("pmid", ""),
        pmcid=f"PMC{pmcid.partition('.')[0]}" if pmcid else "",
        doi=ids.get("doi", ""),
        id=ids.get("publisher-id", ""),
        year=_year(meta),
        images=images,
        retracted="retraction-forward" in related or says_retracted(title),
    )


def _abstract(meta: Any) -> str:
    """The abstract that is no graphic and no summary for others; else an English one of another language's paper."""
    own = [each for each in _all(meta, "abstract") if not each.get("abstract-type")]
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    translated = [e for e in _all(meta, "trans-abstract") if (e.get(lang) or "").lower().startswith("en")]
    for element in (*own, *translated):
        found = []
        for section in _sections(element, ()):
            label = section.title.rpartition(" > ")[2].rstrip(":. ")
            text = " ".join(section.paragraphs)
            found.append(f"{label}: {text}" if label and label.lower() != "abstract" else text)
        if found:
            return " ".join(found)
    return ""


def _sections(parent: Any, above: Sequence[str]) -> Iterator[Section]:
    """The sections below an element, in the order of the text; what stands outside of them is one without a title."""
    if parent is None:
        return
    paragraphs: list[str] = []
    for child in parent:
        name = local_name(child)
        if name == "sec":
            if paragraphs:
                yield Section(" > ".join(above), tuple(paragraphs))
                paragraphs = []
            if not (child.get("sec-type") or "").lower().startswith(_SKIPPED_SECTIONS):
                heading = _first(child, "title")
                title = "" if heading is None else _text(heading)
                yield from _sections(child, (*above, title) if title else above)
        elif name in _PARAGRAPHS or name in _HOLDERS:
            paragraphs += filter(None, map(_text, _paragraphs(child)))
    if paragraphs:
        yield Section(" > ".join(above), tuple(paragraphs))


def _paragraphs(element: Any) -> Iterator[Any]:
    """An element that is a paragraph, or those that a list or a box holds."""
    if local_name(element) in _PARAGRAPHS:
        yield element
        return
    for child in element:
        if local_name(child) in _PARAGRAPHS or local_name(child) in _HOLDERS:
            yield from _paragraphs(child)


def _text(element: Any) -> str:
    """The plain text of an element; what is skipped is taken out of it."""
    for child in [each for each in element.iter() if each is not element and _is_skipped(each)]:
        _take_out(child)
    return _EMPTY_BRACKETS.sub("", plain_text(element)).strip()


def _is_skipped(element: Any) -> bool:
    name = local_name(element)
    if name == "xref":
        return element.get("ref-type") in _CITATIONS
    if name == "sup":  # "<sup><xref>1</xref>,<xref>2</xref></sup>": nothing but citations
        kept = [
            element.text,
            *(e.tail for e in element),
            *(t for e in element if not _is_skipped(e) for t in e.itertext()),
        ]
        return len(element) > 0 and _NO_WORDS.fullmatch("".join(filter(None, kept))) is not None
    return name in _SKIPPED


def _take_out(element: Any) -> None:
    """Remove an element, and leave the text after it where it stands."""
    parent, before = element.getparent(), element.getprevious()
    if parent is None:
        return
    if before is not None:
        before.tail = (before.tail or "") + (element.tail or "")
    else:
        parent.text = (parent.text or "") + (element.tail or "")
    parent.remove(element)


def _images(article: Any) -> Iterator[str]:
    """Files of figures and of graphical abstracts; those of formulas and of reviews are none."""
    for child in article:
        if local_name(child) in ("front", "body", "floats-group"):
            for figure in child.iter("{*}fig", "{*}abstract"):
                for graphic in figure.iter("{*}graphic"):
                    if name := (graphic.get(_XLINK) or "").strip():
                        yield name


def _year(meta: Any) -> int | None:
    """Of the issue, else of another date of publication."""
    dates = _all(meta, "pub-date")
    kinds = {each.get("pub-type") or each.get("publication-format") or "": each for each in reversed(dates)}
    preferred = [kinds[kind] for kind in ("ppub", "print", "collection", "epub", "electronic") if kind in kinds]
    for date in (*preferred, *dates):
        found = _first(date, "year")
        if year := read_year("" if found is None else found.text or ""):
            return year
    return None


def _first(element: Any, path: str) -> Any:
    return element.find("/".join(f"{{*}}{name}" for name in path.split("/")))


def _all(element: Any, name: str) -> list[Any]:
    return list(element.iterfind(f"{{*}}{name}"))
