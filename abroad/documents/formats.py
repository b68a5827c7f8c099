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
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=_DELIMITERS[kind], lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in table_rows(documents, predictions):
        score = row["score"]
        row["score"] = None if score is None else f"{score:.4f}"
        writer.writerow(["" if value is None else value for value in row.values()])
    return stream.getvalue()


def table_rows(documents: Sequence[Document], predictions: Iterable[Prediction]) -> list[dict[str, str | float | None]]:
    """A row for each relation, by the names in COLUMNS; None where a thing is not known.

    Args:
        documents: those of the predictions, for PMID and DOI; one that is not among them has neither.
    """
    by_id = {document.id: document for document in documents}
    return [
        _row(prediction.id, by_id.get(prediction.id), relation)
        for prediction in predictions
        for relation in prediction.relations
    ]


def _row(id: str, document: Document | None, relation: Relation) -> dict[str, str | float | None]:
    spans = {role: next((e for e in relation.evidence if e.role == role), None) for role in ("organism", "chemical")}
    organism, chemical = spans["organism"], spans["chemical"]
    values = (
        id,
        document.pmid if document else None,
        document.doi if document else None,
        relation.organism,
        relation.organism_id,
        relation.chemical,
        relation.chemical_id,
        relation.score,
        relation.status,
        organism.text if organism else None,
        chemical.text if chemical else None,
        chemical.rule if chemical else None,
    )
    return dict(zip(COLUMNS, values, strict=True))
