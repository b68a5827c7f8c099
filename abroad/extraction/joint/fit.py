"""Train a joint extractor on annotated documents, and measure it on documents it has not seen.

Each document is read by a tagger and a linker of the other folds' documents. The scorer learns from documents so read,
and is calibrated on those of the fold that it has not seen.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from abroad.core.errors import InputError
from abroad.core.progress import Progress
from abroad.core.schema import Prediction
from abroad.extraction.builtin.calibrate import (
    OperatingPoint,
    PlattScaling,
    best_threshold,
    expected_calibration_error,
    operating_points,
)
from abroad.extraction.joint.extractor import JointExtractor, prediction_of
from abroad.extraction.joint.linking import Linker, Name
from abroad.extraction.joint.names import NameFinder
from abroad.extraction.joint.pair_scorer import PairScorer, PairTable, pair_table
from abroad.extraction.joint.reread import meant, read_mentions, reread
from abroad.extraction.joint.settings import JointTrainSettings
from abroad.extraction.joint.tagger import MentionTagger
from abroad.extraction.joint.texts import Annotated, Candidate, Schema

MIN_DOCUMENTS = 10
_FEW = 150  # documents; as these are read there are few pairs to learn from, so that the annotated ones help
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Judged:
    """Candidates of a document with their scores and the truth.

    Attributes:
        document: as it was read.
        scores: shape (candidates,).
        truth: whether each holds, shape (candidates,).
        distinct: index of the candidates that count: of those that state one annotated relation, the best.
    """

    document: Annotated
    found: Sequence[Candidate]
    scores: np.ndarray
    truth: np.ndarray
    distinct: np.ndarray


@dataclass(frozen=True)
class KnownNames:
    """What a field's file knows of names.

    Attributes:
        linked: names with identifiers, for linking.
        sources: which find names in texts, as the tagger sees them.
    """

    linked: Sequence[Name] = ()
    sources: NameFinder | None = None


@dataclass(frozen=True)
class HeldOut:
    """What cross-validation found: calibrated candidates of each document, and the threshold that was chosen."""

    judged: Sequence[Judged]
    threshold: float

    def predictions(self, schema: Schema) -> list[Prediction]:
        """Of documents that were not learnt from, at the threshold (which was chosen on all of them)."""
        return [prediction_of(schema, j.document, j.found, j.scores, self.threshold) for j in self.judged]


def train_joint(
    schema: Schema,
    documents: Sequence[Annotated],
    settings: JointTrainSettings | None = None,
    names: KnownNames | None = None,
    further: Sequence[Annotated] = (),
) -> tuple[JointExtractor, HeldOut]:
    """Train on all documents; calibrate and measure on those held out.

    Args:
        documents: with all their mentions and relations; one with none counts too.
        names: that the field's file gives.
        further: documents to learn from beside these (synthetic ones): nothing is calibrated or measured on them.
    Returns:
        The extractor, and what cross-validation found.
    Raises:
        InputError: fewer than ten documents, no mentions, or too few relations.
    """
    settings, names = settings or JointTrainSettings(), names or KnownNames()
    count, documents = len(documents), [*documents, *further]
    _check(schema, documents)
    parts = _folds(count, len(further), settings)
    with Progress("training", 2 * len(parts) + 1) as progress:
        read = {}
        for part in parts:
            tagger, linker = _readers(schema, _without(documents, part), settings, names)
            for place in part:
                document = documents[place]
                read[place] = reread(document, read_mentions(schema, document.text, tagger, linker))
            progress.advance()
        texts = [read[place] for place in range(len(documents))]
        tables = [pair_table(schema, text) for text in texts]
        given = [pair_table(schema, document) for document in documents] if len(documents) < _FEW else []
        judged: dict[int, Judged] = {}
        for part in parts:
            scorer = PairScorer.fit(schema, _without(tables, part) + _without(given, part), settings.seed)
            judged |= {place: judge(documents[place], texts[place], tables[place], scorer) for place in part}
            progress.advance()
        tagger, linker = _readers(schema, documents, settings, names)
        scorer = PairScorer.fit(schema, tables + given, settings.seed)
        progress.advance()
    scaling, points, measured = _calibrated([judged[place] for place in range(count)], documents[:count])
    facts = _facts(schema, documents[:count], texts[:count], measured) | {"synthetic documents": len(further)}
    facts |= {"folds": settings.folds, "seed": settings.seed}
    extractor = JointExtractor(schema, tagger, linker, scorer, scaling, points, measured.threshold, facts, {})
    return extractor, measured


def judge(document: Annotated, read: Annotated, table: PairTable, scorer: PairScorer) -> Judged:
    """Score the candidates of a document as it was read.

    Args:
        document: as it was annotated.
        read: with the mentions that were found, and the relations between them.
        table: of the latter.
    """
    odds, truth, found = scorer.log_odds(table), table.truth, table.found
    true_of = meant(document, read.mentions)
    best: dict[tuple[Any, ...], int] = {}
    for index in np.argsort(-odds, kind="stable"):
        candidate = found[index]
        ends = [read.entities[side].identifier for side in (candidate.head, candidate.tail)]
        key = (candidate.relation, *sorted(true_of[end] for end in ends)) if truth[index] else (int(index),)
        best.setdefault(key, int(index))
    return Judged(read, found, 1 / (1 + np.exp(-odds)), truth, np.array(sorted(best.values()), dtype=np.int64))


def _check(schema: Schema, documents: Sequence[Annotated]) -> None:
    if len(documents) < MIN_DOCUMENTS:
        raise InputError(f"{len(documents)} documents; expected {MIN_DOCUMENTS} or more with mentions and relations")
    seen = {mention.type for document in documents for mention in document.mentions}
    if not any(relation.head in seen and relation.tail in seen for relation in schema.relations):
        missing = [t for t in dict.fromkeys(t for r in schema.relations for t in (r.head, r.tail)) if t not in seen]
        raise InputError(
            f"no document has a mention of type {', '.join(missing)}; expected entities with 'spans', or with labels "
            "that stand in the text"
        )


def _dealt(count: int, folds: int, seed: int) -> list[list[int]]:
    order = list(range(count))
    random.Random(seed).shuffle(order)
    return [order[fold::folds] for fold in range(folds)]


def _folds(count: int, further: int, settings: JointTrainSettings) -> list[list[int]]:
    """Folds of documents, each with its share of the further ones, which are numbered after them."""
    folds = min(settings.folds, count)
    dealt = [_dealt(number, folds, settings.seed) for number in (count, further)]
    return [part + [count + place for place in more] for part, more in zip(*dealt, strict=True)]


def _without(items: Sequence[_Item], part: Sequence[int]) -> list[_Item]:
    inside = set(part)
    return [item for place, item in enumerate(items) if place not in inside]


def _readers(
    schema: Schema,
    documents: Sequence[Annotated],
    settings: JointTrainSettings,
    names: KnownNames,
) -> tuple[MentionTagger, Linker]:
    whole = [document for document in documents if document.is_complete]
    tagger = MentionTagger.train(whole, schema.types, settings.iterations, names.sources)
    return tagger, Linker.learn(documents, names.linked)


def _calibrated(
    judged: Sequence[Judged], documents: Sequence[Annotated]
) -> tuple[PlattScaling, list[OperatingPoint], HeldOut]:
    scores, truth = (np.concatenate([getattr(j, name) for j in judged]) for name in ("scores", "truth"))
    if truth.all() or not truth.any():
        raise InputError(
            f"of {len(truth)} candidate relations on held-out documents, {truth.sum()} are true; expected some true "
            "and some false: more documents, with all their mentions and relations"
        )
    scaling = PlattScaling.fit(scores, truth)
    own = [Judged(j.document, j.found, scaling.apply(j.scores), j.truth, j.distinct) for j in judged]
    gold = sum(len(document.relations) for document in documents)
    best = {name: np.concatenate([getattr(j, name)[j.distinct] for j in own]) for name in ("scores", "truth")}
    points = operating_points(best["scores"], best["truth"], gold)
    return scaling, points, HeldOut(own, best_threshold(points))


def _facts(
    schema: Schema, documents: Sequence[Annotated], texts: Sequence[Annotated], measured: HeldOut
) -> dict[str, Any]:
    scores, truth = (np.concatenate([getattr(j, name) for j in measured.judged]) for name in ("scores", "truth"))
    gold, found = ([{(m.start, m.end, m.type) for m in d.mentions} for d in group] for group in (documents, texts))
    both = sum(len(one & other) for one, other in zip(gold, found, strict=True))
    sides = sum(map(len, gold)) + sum(map(len, found))
    return {
        "documents": len(documents),
        "entity types": ", ".join(schema.types),
        "relation types": ", ".join(dict.fromkeys(relation.name for relation in schema.relations)),
        "mentions": sum(map(len, gold)),
        "relations": sum(len(document.relations) for document in documents),
        "held-out F1 of mentions": round(200 * both / sides, 1) if sides else 0.0,
        "calibration error": round(expected_calibration_error(scores, truth), 3),
    }
