"""RIS, as reference managers and publishers export it, read by rispy; a broken record costs itself only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from abroad.core.jsonl import split_lines
from abroad.core.record_fields import ABSTRACT, DOI, PMID, TITLE, YEAR, read_doi, read_year
from abroad.text.retractions import says_retracted

_START = re.compile(r"^TY {1,2}- ", re.MULTILINE)
_PMID = re.compile(r"pubmed\.ncbi\.nlm\.nih\.gov/(\d{1,8})\b|\bPMID:? ?(\d{1,8})\b")
_PUBMED = re.compile(r"pubmed|medline|\bnlm\b", re.IGNORECASE)


def is_ris(text: str) -> bool:
    """Whether a text starts with a record of RIS."""
    first = next((line for line in split_lines(text[:4_000]) if line.strip()), "")
    return _START.match(first) is not None


def read_ris(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line of its start, record) of each reference."""
    return read_ris_lines(split_lines(text))


def read_ris_lines(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """As `read_ris`, of lines without their ends; a reference is given when the next one begins."""
    start, own = 0, list[str]()
    for number, line in enumerate(lines, 1):
        if _START.match(line):
            if start:
                yield start, _read(own)
            start, own = number, []
        own.append(line)
    if start:
        yield start, _read(own)


def _read(lines: Iterable[str]) -> dict[str, Any]:
    """A record at a time: rispy leaves out one that does not end, and runs it into the next."""
    import rispy

    whole = [line for line in lines if not re.match(r"ER {1,2}-", line)]
    found = rispy.loads("\n".join([*whole, "ER  - "]), skip_unknown_tags=True)
    return _record(found[0]) if found else {}


def _record(found: dict[str, Any]) -> dict[str, Any]:
    def first(*names: str) -> str:
        return next((value for name in names if (value := _text(found.get(name)))), "")

    record = {
        TITLE: first("title", "primary_title", "translated_title"),
        ABSTRACT: first("abstract", "notes_abstract"),
        DOI: read_doi(first("doi")) or "",
        PMID: _pmid(found),
        YEAR: read_year(first("year", "publication_year", "date", "primary_date")),
        "retracted": says_retracted(first("title", "primary_title", "translated_title")),
    }
    return {name: value for name, value in record.items() if value}


def _text(value: Any) -> str:
    return " ".join(" ".join(value if isinstance(value, list) else [str(value or "")]).split())


def _pmid(found: dict[str, Any]) -> str:
    """A PMID where it says that it is one: in an address, in a note, or as accession number of PubMed."""
    for name in ("urls", "url", "notes", "custom1", "custom2", "custom3", "custom7", "accession_number", "id"):
        if match := _PMID.search(_text(found.get(name))):
            return match[1] or match[2]
    number = _text(found.get("accession_number"))
    database = _text(found.get("name_of_database")) + _text(found.get("database_provider"))
    return number if number.isdigit() and _PUBMED.search(database) else ""
