"""Extraction from documents to a file: `abroad extract` and `abroad run` call the same function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.helpers import helper
from abroad.core.io import atomic_write, read_predictions, write_documents, write_json, write_jsonl
from abroad.core.schema import Document, Prediction
from abroad.documents.formats import to_table, write_workbook
from abroad.extraction.base import ExtractionReport, Extractor, extract_documents
from abroad.linking.link import Linker

if TYPE_CHECKING:
    from abroad.sources.name_index import NameIndex

Ranker = Callable[[Sequence[Document], Sequence[Prediction], Path], None]
"""(documents, predictions, file for the ranked ones): puts the relations of each document in order."""


@dataclass(frozen=True)
class Refinement:
    """What is done with the relations of an extractor before they are written.

    Attributes:
        link: add identifiers: NCBI Taxonomy, the index, OPSIN if it is installed.
        index: names of chemicals and organisms, and what is known of them.
        ranker: puts relations in order; None leaves them in that of the text.
    """

    link: bool = True
    index: NameIndex | None = None
    ranker: Ranker | None = None

    def linked(self, documents: Sequence[Document], predictions: Sequence[Prediction]) -> list[Prediction]:
        """The predictions, with identifiers where they are wanted."""
        return Linker(self.index).link(documents, predictions) if self.link else list(predictions)


def extract_stage(
    documents: Sequence[Document],
    extractor: Extractor,
    out: Path,
    refine: Refinement,
    kind: str = "jsonl",
    source: Path | None = None,
) -> tuple[ExtractionReport, list[Prediction]]:
    """Write what an extractor finds in each document; what an earlier run of the same extractor left is kept.

    Args:
        documents: with ids of their own; they are kept among the helpers of `out`.
        extractor: any.
        out: the file; it appears when all is done.
        refine: what is done with relations before they are written.
        kind: of the file, a key of `abroad.documents.formats.FORMATS`.
        source: a DocBin that the documents came from, for one that is written.

    Returns:
        Counts of what is in the file, and the predictions.
    """
    records = out if kind == "jsonl" else helper(out, "predictions.jsonl")
    # Earlier versions wrote the records of a table beside it, and so this run may go on from those.
    earlier = out.with_suffix(".jsonl") if records != out else out
    extracted = records
    if refine.ranker is not None:
        extracted, earlier = helper(out, "unranked.jsonl"), earlier.with_suffix(".unranked.jsonl")
    report = extract_documents(documents, extractor, extracted, earlier)
    if refine.ranker is not None:
        refine.ranker(documents, read_predictions(extracted), records)
    predictions = read_predictions(records)
    if refine.link:
        predictions = refine.linked(documents, predictions)
        write_jsonl(records, (prediction.to_dict() for prediction in predictions))
    _write_for_people(out, documents, predictions, kind, source)
    write_documents(helper(out, "documents.jsonl"), documents)
    return report, predictions


def _write_for_people(
    out: Path, documents: Sequence[Document], predictions: list[Prediction], kind: str, source: Path | None
) -> None:
    """The predictions as a JSON array, a table or a DocBin, where they are not wanted as records alone."""
    if kind == "spacy":
        from abroad.extraction.builtin.spacy_pipeline.docbin import write_docbin

        write_docbin(out, documents, predictions, source)
    elif kind == "json":
        write_json(out, [prediction.to_dict() for prediction in predictions])
    elif kind == "xlsx":
        write_workbook(out, documents, predictions)
    elif kind != "jsonl":
        with atomic_write(out) as stream:
            stream.write(to_table(documents, predictions, kind))
