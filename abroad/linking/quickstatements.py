"""Relations as Wikidata QuickStatements (version 1): chemical, found in taxon (P703), organism, stated in (S248).

Format: https://www.wikidata.org/wiki/Help:QuickStatements. Only what is new is written: what Wikidata has already is
not, nor what it disputes (the same publication gives it another organism), which a curator has to look at first. A
relation without an item on both sides cannot be, and is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from abroad.core.io import atomic_write
from abroad.core.schema import Document, Prediction
from abroad.linking.link import DISPUTED, KNOWN
from abroad.sources.name_index import NameIndex


@dataclass
class StatementReport:
    """Relations written, known already, disputed, without an item of a side, without a reference."""

    written: int = 0
    known: int = 0
    disputed: int = 0
    without_item: int = 0
    without_reference: int = 0


def write_quickstatements(
    path: Path, parts: Iterable[tuple[Sequence[Document], Sequence[Prediction]]], index: NameIndex
) -> StatementReport:
    """Write a line for each relation that Wikidata does not have.

    Args:
        parts: documents with their predictions, some at a time.
    """
    report = StatementReport()
    lines: dict[str, None] = {}
    for document, prediction in _pairs(parts):
        for relation in prediction.relations:
            organism = index.organism(relation.organism)
            chemical = relation.chemical_id or ""
            if relation.status == KNOWN:
                report.known += 1
            elif relation.status == DISPUTED:
                report.disputed += 1
            elif not organism or not chemical.startswith("wikidata:"):
                report.without_item += 1
            elif document is None or not (source := _source(document, index)):
                report.without_reference += 1
            else:
                lines[statement(chemical.removeprefix("wikidata:"), organism, source)] = None
    report.written = len(lines)
    with atomic_write(path) as stream:
        stream.writelines(line + "\n" for line in lines)
    return report


def _pairs(
    parts: Iterable[tuple[Sequence[Document], Sequence[Prediction]]],
) -> Iterator[tuple[Document | None, Prediction]]:
    for documents, predictions in parts:
        by_id = {document.id: document for document in documents}
        for prediction in predictions:
            yield by_id.get(prediction.id), prediction


def statement(subject: str, object: str, source: tuple[str, str], property: str = "P703") -> str:
    """A line of QuickStatements: the items of a chemical and of an organism, or as a property has it; with a source."""
    return "\t".join((subject, property, object, *source))


def source_of(item: str | None, pmid: str | None, doi: str | None) -> tuple[str, str] | None:
    """The publication's item (S248), else its PMID (S698) or DOI (S356)."""
    if item:
        return "S248", item
    if pmid and pmid.isascii() and pmid.isdigit():
        return "S698", f'"{pmid}"'
    if doi and re.fullmatch(r'10\.[^\s"]+', doi):
        return "S356", f'"{doi.upper()}"'
    return None


def _source(document: Document, index: NameIndex) -> tuple[str, str] | None:
    doi = index.doi(document)
    item = (index.reference(doi) if doi else None) or _item(document.extra.get("reference_wikidata"))
    return source_of(item, document.pmid, document.doi)


def _item(value: object) -> str | None:
    match = re.search(r"Q\d+$", str(value or ""))
    return match[0] if match else None
