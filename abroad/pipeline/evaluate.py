"""Evaluation from files to scores: `abroad evaluate` and `abroad run` call the same function."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.documents.inputs import read_documents
from abroad.documents.predictions import read_predictions
from abroad.documents.record_kinds import DOCUMENTS, PREDICTIONS, kind_of_file
from abroad.evaluation.settings import EvaluateSettings
from abroad.sources.formats.recognise import is_json

if TYPE_CHECKING:
    from abroad.evaluation.evaluate import Evaluation


def evaluate_stage(gold: Path, predictions: Path, settings: EvaluateSettings, context: Context) -> Evaluation:
    """Score a file of predictions beside one of gold.

    Raises:
        InputError: a file that cannot be read, or no gold document.
    """
    from abroad.evaluation.evaluate import evaluate

    if _kind(gold) == PREDICTIONS and _kind(predictions) == DOCUMENTS:
        raise InputError(
            f"{gold} holds predictions and {predictions} documents: are gold and predictions the wrong way round?"
        )
    documents = read_documents(gold, context)
    return evaluate(documents, read_predictions(predictions, context), settings)


def _kind(path: Path) -> str | None:
    return kind_of_file(path) if path.is_file() and path.stat().st_size and is_json(path) else None
