"""Everything that is said of predictions beside gold: scores, intervals, slices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from abroad.core.errors import InputError
from abroad.core.field import find_field
from abroad.core.schema import Document, Prediction
from abroad.evaluation.bootstrap import Interval, bootstrap_intervals
from abroad.evaluation.errors import CeilingRow, ErrorCount, ceiling, count_errors, find_errors
from abroad.evaluation.metrics import Comparison, Scores, compare
from abroad.evaluation.settings import EvaluateSettings
from abroad.evaluation.slices import EmptyDocuments, Slice, empty_documents, make_slices


@dataclass(frozen=True)
class Evaluation:
    """All that is said of predictions beside gold.

    Attributes:
        comparison: Document by document.
        intervals: "precision", "recall", "f1" -> 95% bootstrap interval over documents, in percent.
        slices: Scores of parts.
        empty: Of documents without a gold relation, how many were left empty.
        errors: Kinds of false and missed relations, most frequent first.
        ceiling: What share of gold can be reached by copying, and by expanding.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.
    """

    comparison: Comparison
    intervals: dict[str, Interval]
    slices: list[Slice]
    empty: EmptyDocuments
    errors: list[ErrorCount]
    ceiling: list[CeilingRow]
    resamples: int
    seed: int

    @property
    def scores(self) -> Scores:
        """Micro precision, recall and F1 in percent, and the counts they are made of."""
        return self.comparison.scores

    def to_dict(self) -> dict[str, Any]:
        """What `abroad evaluate --json` prints: percentages with 2 decimals, and counts."""
        scores = self.comparison.scores
        result: dict[str, Any] = {}
        for name in ("precision", "recall", "f1"):
            interval = self.intervals[name]
            result[name] = round(getattr(scores, name), 2)
            result[f"{name}_low"], result[f"{name}_high"] = round(interval.low, 2), round(interval.high, 2)
        return result | {
            "true_positives": scores.true_positives,
            "predicted": scores.predicted,
            "gold": scores.gold,
            "protocol": self.comparison.protocol,
            "documents": len(self.comparison.outcomes),
            "without_prediction": len(self.comparison.without_prediction),
            "failed": len(self.comparison.failed),
            "empty_documents": self.empty.documents,
            "empty_kept_empty": self.empty.kept_empty,
            "errors": {f"{count.side}: {count.kind}": count.count for count in self.errors},
            "ceiling": {row.name: round(row.share, 2) for row in self.ceiling},
            "resamples": self.resamples,
            "seed": self.seed,
        }


def evaluate(
    gold: Sequence[Document],
    predictions: Sequence[Prediction],
    settings: EvaluateSettings | None = None,
) -> Evaluation:
    """Score predictions; a gold document without one counts as predicted empty.

    Args:
        gold: Documents with their curated relations.
        predictions: Found by the ids of the documents.
        settings: Protocol and bootstrap.

    Raises:
        InputError: No gold document, a field that is none, or documents that are not of the field.
    """
    if not gold:
        raise InputError("expected at least one document with curated relations to score predictions by, found none")
    settings = settings or EvaluateSettings()
    resamples, seed = settings.resamples, settings.seed
    comparison = compare(gold, predictions, settings.protocol, undirected_of(settings, gold, predictions))
    scores = [outcome.scores for outcome in comparison.outcomes]
    return Evaluation(
        comparison,
        bootstrap_intervals(scores, resamples, seed),
        make_slices(comparison),
        empty_documents(comparison),
        count_errors(find_errors(comparison), comparison.is_built_in),
        ceiling(comparison),
        resamples,
        seed,
    )


def undirected_of(
    settings: EvaluateSettings, gold: Sequence[Document], predictions: Sequence[Prediction] = ()
) -> list[str]:
    """The types of relations of which A-B is B-A, by the field of the documents and predictions."""
    if settings.field is None:
        return []
    field = find_field(settings.field)
    field.check_documents(gold, "gold")
    field.check_documents(predictions, "predictions")
    return field.undirected
