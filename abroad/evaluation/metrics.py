"""Micro precision, recall and F1 of predicted relations, with what each document contributes."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Sequence
from dataclasses import dataclass, field

from abroad.core.schema import Document, Entity, Prediction, Relation
from abroad.evaluation.protocols import PROTOCOLS, either_way


@dataclass(frozen=True, slots=True)
class Scores:
    """Counts over distinct relations, and percentages made of them (0 where a denominator is 0)."""

    true_positives: int
    predicted: int
    gold: int

    @property
    def precision(self) -> float:
        return 100 * self.true_positives / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        return 100 * self.true_positives / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        total = self.predicted + self.gold
        return 200 * self.true_positives / total if total else 0.0


@dataclass(frozen=True)
class Outcome:
    """What came of one document.

    Attributes:
        correct: gold key -> the prediction that equals it.
        missed: gold key -> (organism, chemical) that no prediction equals.
        spurious: predicted key -> the prediction that equals no gold.
        gold: every gold key -> (organism, chemical).
        error: why the document has no prediction, if so.
    """

    document: Document
    correct: dict[Hashable, Relation]
    missed: dict[Hashable, tuple[Entity, Entity]]
    spurious: dict[Hashable, Relation]
    gold: dict[Hashable, tuple[Entity, Entity]]
    error: str | None = None

    @property
    def is_built_in(self) -> bool:
        """Whether the document and what was predicted of it are of the built-in field."""
        return self.document.is_built_in and all(
            r.is_built_in for r in (*self.correct.values(), *self.spurious.values())
        )

    @property
    def scores(self) -> Scores:
        return Scores(len(self.correct), len(self.correct) + len(self.spurious), len(self.gold))


@dataclass(frozen=True)
class Comparison:
    """Predictions beside gold, document by document.

    Attributes:
        without_prediction: ids of gold documents no prediction names (scored as empty).
        not_in_gold: ids of predictions no gold document has (not scored).
        failed: ids whose prediction carries an error (scored as empty).
    """

    protocol: str
    outcomes: list[Outcome]
    without_prediction: list[str] = field(default_factory=list)
    not_in_gold: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @property
    def is_built_in(self) -> bool:
        """Whether all of it is of the built-in field."""
        return all(outcome.is_built_in for outcome in self.outcomes)

    @property
    def scores(self) -> Scores:
        return add_scores([outcome.scores for outcome in self.outcomes])

    def nothing_in_common(self) -> str | None:
        """What to say where no prediction is of a gold document; None where one is, or where there is none at all."""
        if not self.not_in_gold or len(self.without_prediction) < len(self.outcomes):
            return None
        found, gold = (", ".join(ids[:3]) for ids in (self.not_in_gold, self.without_prediction))
        return (
            f"none of {len(self.not_in_gold)} predictions ({found}, ...) has the id of a gold document ({gold}, ...): "
            "are they of the same documents?"
        )


def add_scores(scores: Sequence[Scores]) -> Scores:
    """Micro-average: the counts added up."""
    return Scores(
        sum(score.true_positives for score in scores),
        sum(score.predicted for score in scores),
        sum(score.gold for score in scores),
    )


def compare(
    gold: Sequence[Document],
    predictions: Sequence[Prediction],
    protocol: str = "upstream",
    undirected: Collection[str] = (),
) -> Comparison:
    """Set predictions beside gold.

    Args:
        gold: documents with their relations.
        predictions: found by the ids of the documents.
        protocol: when two relations are equal.
        undirected: types of relations of which A-B is B-A.
    Raises:
        InputError: unknown protocol.
    """
    rules = PROTOCOLS.get(protocol)
    by_id = {prediction.id: prediction for prediction in predictions}
    outcomes = []
    for document in gold:
        prediction = by_id.get(document.id) or Prediction(document.id, error="no prediction for this document")
        gold_keys = either_way(rules.gold(document), undirected)
        predicted = either_way(rules.predicted(prediction.relations, document), undirected)
        outcomes.append(
            Outcome(
                document,
                correct={key: relation for key, relation in predicted.items() if key in gold_keys},
                missed={key: pair for key, pair in gold_keys.items() if key not in predicted},
                spurious={key: relation for key, relation in predicted.items() if key not in gold_keys},
                gold=gold_keys,
                error=prediction.error,
            )
        )
    ids = {document.id for document in gold}
    return Comparison(
        protocol,
        outcomes,
        without_prediction=[id for id in (document.id for document in gold) if id not in by_id],
        not_in_gold=[id for id in by_id if id not in ids],
        failed=[p.id for p in predictions if p.error is not None and p.id in ids],
    )


def micro_scores(gold: Sequence[Document], predictions: Sequence[Prediction], protocol: str = "upstream") -> Scores:
    """Micro-averaged scores alone, without the detail."""
    return compare(gold, predictions, protocol).scores
