"""Formats of predictions, and those that are tables for people and spreadsheets: CSV and TSV, a row a relation."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from abroad.core.schema import Document, Prediction, Relation

FORMATS = ("jsonl", "csv", "tsv", "spacy")
COLUMNS = (
    *("document", "pmid", "doi", "organism", "organism_id", "chemical", "chemical_id", "score", "status"),
    *("organism_text", "chemical_text", "rule"),
)


_DELIMITERS = {"csv": ",", "tsv": "\t"}


def to_table(documents: Sequence[Document], predictions: Iterable[Prediction], kind: str) -> str:
    """All relations as "csv" or "tsv", quoted as RFC 4180 has it. Labels stay as they are, a leading - or = too."""
    by_id = {document.id: document for document in documents}
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=_DELIMITERS[kind], lineterminator="\n")
    writer.writerow(COLUMNS)
    for prediction in predictions:
        document = by_id.get(prediction.id)
        for relation in prediction.relations:
            writer.writerow(_row(prediction.id, document, relation))
    return stream.getvalue()


def _row(id: str, document: Document | None, relation: Relation) -> list[str]:
    spans = {role: next((e for e in relation.evidence if e.role == role), None) for role in ("organism", "chemical")}
    organism, chemical = spans["organism"], spans["chemical"]
    return [
        id,
        (document.pmid if document else None) or "",
        (document.doi if document else None) or "",
        relation.organism,
        relation.organism_id or "",
        relation.chemical,
        relation.chemical_id or "",
        "" if relation.score is None else f"{relation.score:.4f}",
        relation.status or "",
        organism.text if organism else "",
        chemical.text if chemical else "",
        chemical.rule if chemical else "",
    ]
