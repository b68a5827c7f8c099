"""Evaluation from files to scores and a report: `abroad evaluate` and `abroad run` call the same function."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import write_json
from abroad.documents.inputs import read_documents
from abroad.documents.predictions import read_predictions
from abroad.documents.record_kinds import DOCUMENTS, PREDICTIONS, kind_of_file
from abroad.evaluation.settings import EvaluateSettings
from abroad.sources.formats.recognise import is_json

if TYPE_CHECKING:
    from abroad.evaluation.evaluate import Evaluation


def evaluate_stage(
    gold: Path,
    predictions: Path,
    settings: EvaluateSettings,
    context: Context,
    scores: Path | None = None,
    report: Path | None = None,
) -> Evaluation:
    """Score a file of predictions beside one of gold.

    Args:
        scores: where the figures go (JSON).
        report: where the page goes (HTML).
    Raises:
        InputError: a file that cannot be read, or no gold document.
    """
    from abroad.evaluation.evaluate import evaluate
    from abroad.evaluation.report import write_report

    if _kind(gold) == PREDICTIONS and _kind(predictions) == DOCUMENTS:
        raise InputError(
            f"{gold} holds predictions and {predictions} documents: are gold and predictions the wrong way round?"
        )
    documents = read_documents(gold, context)
    evaluation = evaluate(documents, read_predictions(predictions, context), settings)
    if scores is not None:
        write_json(scores, evaluation.to_dict())
    if report is not None:
        write_report(evaluation, report)
    return evaluation


def _kind(path: Path) -> str | None:
    return kind_of_file(path) if path.is_file() and path.stat().st_size and is_json(path) else None
