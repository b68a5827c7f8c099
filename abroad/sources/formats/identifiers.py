"""Lists of PMIDs and DOIs, one a line or PMIDs several a line; addresses of PubMed and of doi.org count as such."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from abroad.core.jsonl import split_lines
from abroad.core.record_fields import DOI, PMID, read_doi, read_pmid

_HEADER = re.compile(r"(?:pmids?|pubmed[ _]?ids?|dois?)", re.IGNORECASE)
_MIN_SHARE = 0.8
_MAX_LOOKED_AT = 200
_MAX_WORDS = 4  # of a line that is a slip or a note in a list, rather than a sentence


@dataclass(frozen=True)
class Identifier:
    """A PMID or a DOI to be looked up.

    Attributes:
        kind: record_fields.PMID or record_fields.DOI.
        value: without address or prefix.
        where: file and line.
    """

    kind: str
    value: str
    where: str


def is_identifiers(text: str) -> bool:
    """Whether nearly all lines of a text are PMIDs or DOIs; of a short one most, and the others are no sentences."""
    lines = [line for _, line in _lines(text)[:_MAX_LOOKED_AT]]
    odd = [line for line in lines if not all(map(read_identifier, _parts(line)))]
    found = len(lines) - len(odd)
    if found >= _MIN_SHARE * len(lines):
        return bool(lines)
    return found > 1 and found > len(odd) and all(len(line.split()) <= _MAX_WORDS for line in odd)


def read_identifiers(text: str, name: str) -> Iterator[Identifier | tuple[str, str]]:
    """Yield each identifier, or (where, reason) of what is none."""
    for number, line in _lines(text):
        for part in _parts(line):
            found = read_identifier(part)
            where = f"{name}:{number}"
            yield Identifier(*found, where) if found else (where, f"expected a PMID or a DOI, found {part[:40]!r}")


def read_identifier(text: str) -> tuple[str, str] | None:
    """(kind, value) of a PMID or a DOI."""
    if pmid := read_pmid(text):
        return PMID, pmid
    doi = read_doi(text)
    return (DOI, doi.rstrip(".,;")) if doi else None


def _lines(text: str) -> list[tuple[int, str]]:
    """Lines with something in them, but for comments and the name of the column."""
    lines = [(n, line.strip().strip('"')) for n, line in enumerate(split_lines(text), 1)]
    lines = [(n, line) for n, line in lines if line and not line.startswith("#")]
    return lines[1:] if lines and _HEADER.fullmatch(lines[0][1]) else lines


def _parts(line: str) -> list[str]:
    """PMIDs may stand several a line; a DOI may hold commas and semicolons."""
    if read_identifier(line) is not None:
        return [line]
    parts = [part for part in re.split(r"[,;\s]+", line) if part]
    return parts if all(map(read_identifier, parts)) else [line]
