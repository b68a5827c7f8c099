"""What a round teaches: score the model on what was curated, train another with it, and keep the better one.

Both models are scored on documents that they had not seen: the one in use by the predictions it made before curation
(or by cross-validation, for what it was itself trained on), the new one by cross-validation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_documents, write_json, write_jsonl
from abroad.core.registry import Capability
from abroad.core.schema import Document, Prediction
from annotation.decisions.records import Decision
from annotation.loop.settings import CurationSettings

if TYPE_CHECKING:
    from abroad.extraction.builtin.pairs import PairExtractor

MIN_TO_TRAIN = 10
_FOLDS = 5


@dataclass(frozen=True)
class TrainingSet:
    """What a round trains on.

    Attributes:
        documents: all curated ones so far, without open conflicts.
        decisions: those that made them.
        unseen: document id -> prediction of the model in use, made without that document.
    """

    documents: Sequence[Document]
    decisions: Sequence[Decision]
    unseen: Mapping[str, Prediction]

    @property
    def known(self) -> list[Prediction]:
        return [self.unseen[document.id] for document in self.documents if document.id in self.unseen]


def score_batch(
    documents: Sequence[Document], predictions: Sequence[Prediction], folder: Path, resamples: int
) -> dict[str, Any]:
    """Score what a model said of a batch before it was curated; writes scores.json and report.html."""
    from abroad.evaluation.evaluate import evaluate
    from abroad.evaluation.report import write_report
    from abroad.evaluation.settings import EvaluateSettings

    evaluation = evaluate(documents, predictions, EvaluateSettings(resamples=resamples))
    scores = evaluation.to_dict()
    write_json(folder / "scores.json", scores)
    write_report(evaluation, folder / "report.html", f"The model beside the curators, {folder.name}")
    return {key: scores[key] for key in ("precision", "recall", "f1", "f1_low", "f1_high", "gold", "documents")}


def train_model(
    training_set: TrainingSet, section: CurationSettings, folder: Path, seed: int
) -> tuple[dict[str, Any], list[Prediction]]:
    """Train an extractor on what was curated and the synthetic documents, and set it beside the one in use.

    Returns:
        figures (scores of both on the same documents, their difference, whether the new one is adopted), and the new
        model's held-out predictions.
    Raises:
        InputError: too few documents, or none with a relation.
    """
    from abroad.evaluation.bootstrap import paired_bootstrap
    from abroad.evaluation.metrics import compare
    from abroad.extraction.builtin.examples import Example
    from abroad.extraction.builtin.fit import Basis, train_extractor
    from abroad.extraction.builtin.reading import readable
    from abroad.extraction.builtin.settings import ExtractorTrainSettings

    context = Context()
    own = {document.id for document in training_set.documents}
    further = [d for path in section.synthetic for d in read_documents(path, context) if d.id not in own]
    synthetic, curated = readable(further, context), readable(training_set.documents, context)
    settings = ExtractorTrainSettings(folds=min(_FOLDS, len(curated)), seed=seed, weight=section.weight)
    extractor, measured = train_extractor(curated, synthetic, Basis.built_in(), settings)
    held_out = measured.predictions([Example(document) for document in curated])
    extractor.save(folder)
    shared = [document for document in training_set.documents if document.id in training_set.unseen]
    before, after = compare(shared, training_set.known), compare(shared, held_out)
    known, new = ([outcome.scores for outcome in side.outcomes] for side in (before, after))
    difference = paired_bootstrap(known, new, resamples=section.resamples, seed=seed)
    adopted = section.adopt == "always" or after.scores.f1 >= before.scores.f1
    figures = {
        "curated_documents": len(training_set.documents),
        "synthetic_documents": len(synthetic),
        "f1_of_the_model_in_use": round(before.scores.f1, 2),
        "f1_of_the_new_model": round(after.scores.f1, 2),
        "difference": {name: round(value, 4) for name, value in difference.items()},
        "adopted": adopted,
    }
    return figures, held_out


def can_train(documents: Sequence[Document]) -> str:
    """Why there is nothing to train on yet; "" if there is."""
    if len(documents) < MIN_TO_TRAIN:
        return f"{len(documents)} curated documents; training begins with {MIN_TO_TRAIN}"
    return "" if any(document.relations for document in documents) else "no curated document has a relation"


def write_predictions(path: Path, predictions: Sequence[Prediction]) -> None:
    """Write predictions, one a line."""
    write_jsonl(path, (prediction.to_dict() for prediction in predictions))


def load_model(path: Path | None) -> PairExtractor:
    """The extractor of a round, or the built-in one.

    Raises:
        InputError: it is not an extractor of ours.
    """
    from abroad.extraction.builtin.pairs import load_pair_extractor
    from abroad.extraction.load import extractor_kind

    if path is not None and Capability.CALIBRATED not in extractor_kind(path).capabilities:
        raise InputError(f"{path}: expected an extractor, as `abroad extractor train` makes it")
    return load_pair_extractor(None if path is None else str(path))
