"""Relations as Wikidata QuickStatements (version 1): chemical, found in taxon (P703), organism, stated in (S248).

Format: https://www.wikidata.org/wiki/Help:QuickStatements. Only what Wikidata lacks is
written; a relation without an item on both sides cannot be, and is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from abroad.core.io import atomic_write
from abroad.core.schema import Document, Prediction
from abroad.linking.link import KNOWN
from abroad.sources.name_index import NameIndex


@dataclass
class StatementReport:
    """Relations written, known already, without an item of the organism or chemical, without a reference."""

    written: int = 0
    known: int = 0
    without_item: int = 0
    without_reference: int = 0


def write_quickstatements(
    path: Path, documents: Sequence[Document], predictions: Iterable[Prediction], index: NameIndex
) -> StatementReport:
    """Write a line for each relation that Wikidata does not have."""
    report, lines = StatementReport(), {}
    by_id = {document.id: document for document in documents}
    for prediction in predictions:
        document = by_id.get(prediction.id)
        for relation in prediction.relations:
            organism = index.organism(relation.organism)
            chemical = relation.chemical_id or ""
            if relation.status == KNOWN:
                report.known += 1
            elif not organism or not chemical.startswith("wikidata:"):
                report.without_item += 1
            elif not (source := _source(document, index)):
                report.without_reference += 1
            else:
                lines["\t".join((chemical.removeprefix("wikidata:"), "P703", organism, *source))] = None
                report.written += 1
    with atomic_write(path) as stream:
        stream.writelines(line + "\n" for line in lines)
    return report


def _source(document: Document | None, index: NameIndex) -> tuple[str, str] | None:
    """The publication's item (S248), else its PMID (S698) or DOI (S356)."""
    if document is None:
        return None
    item = (index.reference(document.doi) if document.doi else None) or _item(document.extra.get("reference_wikidata"))
    if item:
        return "S248", item
    if document.pmid and document.pmid.isdigit():
        return "S698", f'"{document.pmid}"'
    if document.doi and re.fullmatch(r'10\.[^\s"]+', document.doi):
        return "S356", f'"{document.doi.upper()}"'
    return None


def _item(value: object) -> str | None:
    match = re.search(r"Q\d+$", str(value or ""))
    return match[0] if match else None
