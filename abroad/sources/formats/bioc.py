"""Texts in BioC, XML or JSON: abstracts as PubTator gives them, full texts as PMC's BioC service does.

Comeau et al. 2013, https://doi.org/10.1093/database/bat064; https://www.ncbi.nlm.nih.gov/research/bionlp/APIs/BioC-PMC/.
Only the texts and identifiers are read: `abroad documents annotate` asks PubTator itself for its annotations.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import IO, Any

from abroad.core.errors import InputError
from abroad.core.jsonl import BadJson, parse_lines
from abroad.core.record_fields import read_year
from abroad.sources.formats.full_text import FullText, Section
from abroad.sources.xml_records import XmlRecords

ROOT = "collection"
_SKIPPED_SECTIONS = frozenset(
    "REF TABLE FIG ACK_FUND AUTH_CONT COMP_INT ABBR SUPPL KEYWORD APPENDIX REVIEW_INFO".split()
)
_SKIPPED_TYPES = ("ref", "table", "fig", "footnote")
_MARK = re.compile(rb"""["']passages["']\s*:\s*\[""")


def is_bioc_json(head: bytes) -> bool:
    """Whether JSON, by its first bytes, holds documents with passages, and no text of the fields that we write."""
    return _MARK.search(head) is not None and b'"AbstractText"' not in head


def read_bioc_xml(stream: IO[bytes]) -> Iterator[FullText]:
    """Yield the documents of a collection.

    Raises:
        BrokenXml: not well-formed; documents before the fault have been yielded.
    """
    for element in XmlRecords(stream, ["document"]):
        yield full_text(_to_json(element))


def read_bioc_json(stream: IO[bytes], name: str) -> Iterator[FullText | tuple[str, str]]:
    """Yield the documents of a collection, of several, or of lines of JSON; or (where, reason) of what is none.

    Raises:
        InputError: JSON that is broken as a whole.
    """
    try:
        values = [(name, json.load(stream))]
    except (ValueError, RecursionError) as error:
        stream.seek(0)
        values = [(f"{name}:{number}", value) for number, value in parse_lines(stream)]
        if all(isinstance(value, BadJson) for _, value in values):
            raise InputError(f"{name}: broken JSON ({error})") from None
    for where, value in values:
        if isinstance(value, BadJson):
            yield where, str(value)
            continue
        found = list(_documents(value))
        if not found:
            yield where, "expected a BioC document with passages"
        yield from map(full_text, found)


def _documents(value: Any) -> Iterator[dict[str, Any]]:
    """Whatever has passages: a document, those of a collection, of PubTator's answer, or of a list of these."""
    if isinstance(value, list):
        for item in value:
            yield from _documents(item)
    elif isinstance(value, dict) and isinstance(value.get("passages"), list):
        yield value
    elif isinstance(value, dict):
        for name in ("documents", "PubTator3", "collection"):
            yield from _documents(value.get(name))


def full_text(document: dict[str, Any]) -> FullText:
    """The text of a BioC document; what it says of itself in other ways than BioC has it is left out."""
    passages = _objects(document, "passages")
    known = _infons(document)
    for passage in passages[:1]:
        known = {**_infons(passage), **known}
    reader = _Reader()
    if not any(_kind(passage) != ("", "") for passage in passages):
        reader.add_plain(passages)
    else:
        for passage in passages:
            reader.add(*_kind(passage), _text(passage))
    pmid, pmcid, id = (str(document.get(name) or "").strip() for name in ("pmid", "pmcid", "id"))
    pmid, pmcid = pmid or known.get("article-id_pmid", ""), pmcid or known.get("article-id_pmc", "")
    pmcid = pmcid or (id if id.upper().startswith("PMC") else "")
    if not pmid and not pmcid and id.isascii() and id.isdigit() and len(id) < 9:
        pmid = id  # PubTator and BioCreative go by PMIDs
    return FullText(
        title=" ".join(reader.title),
        abstract=" ".join(reader.abstract),
        sections=tuple(reader.sections),
        pmid=pmid,
        pmcid=f"PMC{pmcid.upper().removeprefix('PMC')}" if pmcid else "",
        doi=known.get("article-id_doi") or known.get("doi", ""),
        id=id,
        year=read_year(known.get("year", "")),
        images=tuple(
            dict.fromkeys(
                file for p in passages if _kind(p)[1].startswith("fig") and (file := _infons(p).get("file", ""))
            )
        ),
    )


class _Reader:
    """Sorts passages into title, abstract and sections."""

    def __init__(self) -> None:
        self.title: list[str] = []
        self.abstract: list[str] = []
        self.sections: list[Section] = []
        self._label = self._heading = self._section = ""

    def add_plain(self, passages: list[dict[str, Any]]) -> None:
        """Passages that do not say what they are: the first of several is the title."""
        texts = [text for passage in passages if (text := _text(passage))]
        self.title, self.abstract = (texts[:1], texts[1:]) if len(texts) > 1 else ([], texts)

    def add(self, section: str, type: str, text: str) -> None:
        if not text or section in _SKIPPED_SECTIONS or type.startswith(_SKIPPED_TYPES):
            return
        is_heading = "title" in type and type != "title"
        if section == "TITLE" or type in ("title", "front"):
            self.title += [] if self.title else [text]
        elif section == "ABSTRACT" or type == "abstract":
            self._add_to_abstract(text, is_heading)
        elif is_heading:
            self._heading, self._section = text, section
        else:
            if section != self._section:
                self._heading, self._section = "", section
            title = self._heading or section.capitalize()
            if self.sections and self.sections[-1].title == title:
                self.sections[-1] = Section(title, (*self.sections[-1].paragraphs, text))
            else:
                self.sections.append(Section(title, (text,)))

    def _add_to_abstract(self, text: str, is_heading: bool) -> None:
        if is_heading:
            self._label = "" if text.lower().strip(" :.") == "abstract" else text.rstrip(" :.")
        else:
            self.abstract.append(f"{self._label}: {text}" if self._label else text)
            self._label = ""


def _kind(passage: dict[str, Any]) -> tuple[str, str]:
    infons = _infons(passage)
    section = infons.get("section_type") or infons.get("section") or ""
    return section.upper(), (infons.get("type") or "").lower()


def _text(passage: dict[str, Any]) -> str:
    """Of the passage, or of the sentences that it is divided into."""
    sentences = [each.get("text") for each in _objects(passage, "sentences")]
    text = passage.get("text") or " ".join(str(each) for each in sentences if each)
    return " ".join(str(text).split())


def _objects(value: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = value.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _infons(value: dict[str, Any]) -> dict[str, str]:
    infons = value.get("infons")
    return {str(name): str(item).strip() for name, item in infons.items()} if isinstance(infons, dict) else {}


def _to_json(element: Any) -> dict[str, Any]:
    """A document, passage or sentence of BioC XML as it is in BioC JSON, but for annotations and relations."""
    found: dict[str, Any] = {"infons": {e.get("key"): e.text or "" for e in element.iterfind("infon")}}
    for name in ("id", "text"):
        child = element.find(name)
        if child is not None:
            found[name] = "".join(child.itertext()).strip()
    for name, plural in (("passage", "passages"), ("sentence", "sentences")):
        if children := [_to_json(child) for child in element.iterfind(name)]:
            found[plural] = children
    return found
