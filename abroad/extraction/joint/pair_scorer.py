"""Scores of relations from what is counted of a pair and the words around it: trees over both. Learnt in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.extraction.joint.features import NAMES, pair_features
from abroad.extraction.joint.texts import Annotated, Candidate, Entity, Schema, candidates, holds, is_known
from abroad.extraction.joint.trees import Trees
from abroad.extraction.joint.words import WordModel, pair_words

_FOLDS = 5
_COUNTED = ("head's share of its type", "tail's share of its type", "head's rank", "tail's rank")
_SAID = ("words", "words beside the head's best", "beside the tail's best", "beside the text's best", "of the text")


@dataclass(frozen=True)
class PairTable:
    """The candidates of a text and all that is seen of them.

    Attributes:
        entities: how many the text has.
        words: around each candidate.
        numbers: what was counted of each, shape (candidates, counted).
        truth: whether each holds, shape (candidates,); of no meaning where the document is not annotated.
        weight: of each as something to learn from, shape (candidates,); 0 where nobody knows whether it holds.
    """

    found: Sequence[Candidate]
    entities: int
    words: Sequence[set[str]]
    numbers: np.ndarray
    truth: np.ndarray
    weight: np.ndarray

    @property
    def heads(self) -> list[int]:
        return [candidate.head for candidate in self.found]

    @property
    def tails(self) -> list[int]:
        return [candidate.tail for candidate in self.found]


def pair_table(schema: Schema, document: Annotated) -> PairTable:
    """Look at all pairs of entities of a document."""
    text, entities = document.text, document.entities
    found = list(candidates(schema, entities))
    heads, tails = [candidate.head for candidate in found], [candidate.tail for candidate in found]
    shares, ranks = _standing(entities)
    kinds = np.eye(len(schema.relations))[[candidate.relation for candidate in found]] if found else np.zeros((0, 0))
    counted = np.column_stack([shares[heads], shares[tails], ranks[heads], ranks[tails]]) if found else kinds
    return PairTable(
        found,
        len(entities),
        pair_words(text, entities, found),
        np.hstack([pair_features(text, entities, found), counted, kinds]) if found else kinds,
        np.array([holds(schema, candidate, document) for candidate in found], dtype=bool),
        document.weight * np.array([is_known(schema, candidate, document) for candidate in found], dtype=float),
    )


@dataclass(frozen=True)
class PairScorer:
    """Log-odds of candidates.

    Attributes:
        words: of the words around; its opinion is among the numbers that the trees see.
    """

    words: WordModel
    trees: Trees

    def log_odds(self, table: PairTable) -> np.ndarray:
        """Array of shape (candidates,)."""
        if not table.found:
            return np.zeros(0)
        return self.trees.log_odds(_numbers(table, self.words.log_odds(table.words)))

    @classmethod
    def fit(cls, schema: Schema, tables: Sequence[PairTable], seed: int = 0) -> PairScorer:
        """Learn from documents whose relations are complete but for those of no weight.

        The trees see what word models of other documents say.


        Raises:
            InputError: too few pairs, or all or none of them are related.
        """
        used = [table for table in tables if table.found]
        truth, weight = _learnt(used)
        if min(truth.sum(), (~truth).sum()) < _FOLDS:
            raise InputError(
                f"{len(truth)} pairs of entities in {len(tables)} documents, {truth.sum()} of them related; expected "
                "more of both kinds: more documents, with all their mentions and relations"
            )
        said: list[np.ndarray] = [np.zeros(0)] * len(used)
        for fold in range(min(_FOLDS, len(used))):
            rest = [table for index, table in enumerate(used) if index % _FOLDS != fold]
            model = _words_of(rest)
            for index in range(fold, len(used), _FOLDS):
                table = used[index]
                said[index] = model.log_odds(table.words) if model is not None else np.zeros(len(table.found))
        rows = np.vstack([_numbers(table, own)[table.weight > 0] for table, own in zip(used, said, strict=True)])
        words = _words_of(used)
        assert words is not None  # there are pairs of both kinds
        names = (*NAMES, *_COUNTED, *(f"is {number}" for number in range(len(schema.relations))), *_SAID)
        return cls(words, Trees.fit(names, rows, truth, seed, weight))

    def to_dict(self) -> dict[str, Any]:
        return {"words": self.words.to_dict(), "trees": self.trees.to_dict()}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> PairScorer:
        return cls(WordModel.from_dict(record["words"]), Trees.from_dict(record["trees"]))


def _words_of(tables: Sequence[PairTable]) -> WordModel | None:
    """A model of the words of documents; none if all their pairs are related, or none is."""
    truth, weight = _learnt(tables)
    if truth.all() or not truth.any():
        return None
    known = [row for table in tables for row, own in zip(table.words, table.weight, strict=True) if own > 0]
    return WordModel.fit(known, truth, weight)


def _learnt(tables: Sequence[PairTable]) -> tuple[np.ndarray, np.ndarray]:
    """(truth, weight) of the candidates to learn from, each of shape (candidates of some weight,)."""
    if not tables:
        return np.zeros(0, bool), np.zeros(0)
    weight = np.concatenate([table.weight for table in tables])
    return np.concatenate([table.truth for table in tables])[weight > 0], weight[weight > 0]


def _standing(entities: Sequence[Entity]) -> tuple[np.ndarray, np.ndarray]:
    """(share of the mentions of its type, how many of its type have more) of each entity, each of shape (entities,)."""
    counts: dict[str, list[int]] = {}
    for entity in entities:
        counts.setdefault(entity.type, []).append(len(entity.spans))
    shares = [len(entity.spans) / sum(counts[entity.type]) for entity in entities]
    ranks = [sum(count > len(entity.spans) for count in counts[entity.type]) for entity in entities]
    return np.array(shares, dtype=float), np.array(ranks, dtype=float)


def _numbers(table: PairTable, said: np.ndarray) -> np.ndarray:
    """What the trees see, shape (candidates, names): what was counted, and what the words say.

    That stands beside what they say of other pairs of the same head, of the same tail, and of the text.
    """
    best = np.full(table.entities, -np.inf)
    np.maximum.at(best, table.heads, said)
    np.maximum.at(best, table.tails, said)
    mean = np.full(len(said), said.mean())
    columns = [said, said - best[table.heads], said - best[table.tails], said - said.max(), mean]
    return np.hstack([table.numbers, np.column_stack(columns)])
