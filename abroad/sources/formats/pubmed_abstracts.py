"""PubMed's "Abstract (text)": numbered papers as blocks of citation, title, authors, affiliations, abstract, ids.

The blocks carry no names. A paper starts where the next number stands before a citation; its title is the block
after that; what is neither authors, affiliations, remarks, rights nor identifiers is its abstract.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from abroad.core.jsonl import split_lines
from abroad.core.record_fields import ABSTRACT, DOI, PMID, TITLE, YEAR, read_year
from abroad.sources.formats.wrapped import unwrap
from abroad.text.retractions import says_retracted

_CITATION = re.compile(r"(\d+)\. \S.*?(?:\b(?:1[89]|20)\d\d\b|doi:)")
_PMID = re.compile(r"^PMID: ?(\d{1,8})\b", re.MULTILINE)
_DOI = re.compile(r"^DOI: ?(10\.\S+)", re.MULTILINE)
_ID = re.compile(r"(?:DOI|PMCID|PMID): ?\S")
_DOI_CITED = re.compile(r"\bdoi: ?(10\.\S+?)\.?(?:\s|$)")
_ASIDE = re.compile(
    r"(?:Author information:|Collaborators?:|Conflict of interest statement:|(?:DOI|PMID|PMCID|Free PMC|Full text): ?"
    r"|\[Article in |(?:Comment|Erratum|Update|Expression of concern|Retraction|Republished|Corrected|Summary)[a-z ]* "
    r"(?:in|on|for|of|from)(?:\n|:?$)|©|\(c\) |Copyright\b|Published by |Supplementary material)",
    re.IGNORECASE,
)
_RETRACTED = re.compile(r"Retraction in\b")
_AUTHOR = re.compile(r"(?:[\w'’´`.\-]+ ){1,5}([^\W\d_]{1,4})(?: (?:Jr|Sr|2nd|3rd|4th))?\.?(?:\([\d#]+\))*")
_AFFILIATION = re.compile(r"\(\d+\)")


def is_pubmed_abstracts(text: str) -> bool:
    """Whether a text starts like this format, and names a PMID as it does."""
    return _CITATION.match(text.lstrip()) is not None and _PMID.search(text) is not None


def read_pubmed_abstracts(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line of its start, record) of each paper; one that was retracted has the field `retracted`."""
    lines = split_lines(text)
    starts = list(_starts(lines))
    for start, end in pairwise([*starts, len(lines)]):
        yield start + 1, _record(_blocks(lines[start:end]))


def _starts(lines: Sequence[str]) -> Iterator[int]:
    """Lines that start a paper: citations, numbered one after the other, after the identifiers of the paper before."""
    expected, ended = None, True
    for number, line in enumerate(lines):
        blank_before = number == 0 or not lines[number - 1].strip()
        found = _CITATION.match(" ".join(lines[number : number + 3])) if blank_before and line[:1].isdigit() else None
        if found and ended and (expected is None or int(found[1]) == expected):
            expected, ended = int(found[1]) + 1, False
            yield number
        ended = ended or _ID.match(line) is not None


def _blocks(lines: Sequence[str]) -> list[list[str]]:
    blocks: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            blocks[-1].append(line)
        elif blocks[-1]:
            blocks.append([])
    return [block for block in blocks if block]


def _record(blocks: list[list[str]]) -> dict[str, Any]:
    whole = "\n".join(line for block in blocks for line in block)
    citation, rest = unwrap(blocks[0]), blocks[1:]
    title = unwrap(rest.pop(0)) if rest and not _ID.match(rest[0][0]) else ""
    abstract = [unwrap(block) for block in rest if not _ASIDE.match("\n".join(block))]
    if abstract and _are_authors(abstract[0]):
        abstract = abstract[1:]
    abstract = [text for text in abstract if not _AFFILIATION.match(text)]
    pmid, doi = _PMID.search(whole), _DOI.search(whole) or _DOI_CITED.search(citation)
    record = {
        PMID: pmid[1] if pmid else "",
        TITLE: title,
        ABSTRACT: " ".join(abstract),
        DOI: doi[1].rstrip(".") if doi else "",
        YEAR: read_year(citation),
        "retracted": any(_RETRACTED.match("\n".join(block)) for block in rest) or says_retracted(title),
    }
    return {name: value for name, value in record.items() if value}


def _are_authors(text: str) -> bool:
    """Whether most parts between commas are a surname and initials."""
    parts = [part.strip() for part in re.split(r"[,;]", text.removesuffix(".")) if part.strip()]
    found = [_AUTHOR.fullmatch(part) for part in parts]
    return bool(parts) and sum(match is not None and match[1].isupper() for match in found) > len(parts) / 2
