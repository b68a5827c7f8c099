"""PubMed format, which .nbib files hold too: "TI  - Title", lines that go on are indented, a PMID starts a record.

The tags: https://www.nlm.nih.gov/bsd/mms/medlineelements.html. Ovid's export is another format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from abroad.core.jsonl import split_lines
from abroad.core.record_fields import ABSTRACT, DOI, PMID, TITLE, YEAR, read_year
from abroad.sources.formats.wrapped import unwrap
from abroad.text.retractions import is_retracted

_TAG = re.compile(r"([A-Z][A-Z0-9]{1,3}) {0,2}- ?(.*)")
_START = re.compile(r"^PMID ?- ?\d+", re.MULTILINE)
_DOI = re.compile(r"(10\.\S+)\s*\[doi\]")


def is_medline(text: str) -> bool:
    """Whether a text is in PubMed format: its first lines are tags, a PMID among them, or indented."""
    lines = [line for line in split_lines(text[:8_000]) if line.strip()][:-1] or [text]
    tagged = all(_TAG.match(line) or (number and line.startswith(" ")) for number, line in enumerate(lines[:20]))
    return tagged and _START.search("\n".join(lines)) is not None


def read_medline(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line of its start, record) of each citation; one that was withdrawn is marked as `retracted`."""
    return read_medline_lines(split_lines(text))


def read_medline_lines(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """As `read_medline`, of lines without their ends; a citation is given when the next one begins."""
    number, fields = 0, dict[str, list[list[str]]]()
    current: list[str] = []
    for line_number, line in enumerate(lines, 1):
        tag = _TAG.match(line)
        if tag is None:
            if line.strip():
                current.append(line)
            continue
        if tag[1] == "PMID" and fields:
            yield number, _record(fields)
            fields = {}
        number = number if fields else line_number
        current = [tag[2]]
        fields.setdefault(tag[1], []).append(current)
    if fields:
        yield number, _record(fields)


def _record(fields: dict[str, list[list[str]]]) -> dict[str, Any]:
    def first(*tags: str) -> str:
        return next((text for tag in tags for lines in fields.get(tag, ()) if (text := unwrap(lines))), "")

    ids = [unwrap(lines) for tag in ("LID", "AID") for lines in fields.get(tag, ())]
    doi = next((found[1] for value in ids if (found := _DOI.match(value))), "")
    types = {unwrap(lines) for lines in fields.get("PT", ())}
    record = {
        PMID: first("PMID"),
        TITLE: first("TI", "BTI", "TT"),
        ABSTRACT: first("AB", "OAB"),
        DOI: doi,
        YEAR: read_year(first("DP", "DEP")),
        "retracted": "RIN" in fields or is_retracted(types, title=first("TI")),
    }
    return {name: value for name, value in record.items() if value}
