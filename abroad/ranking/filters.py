"""Ranking as a filter of relations, for who must know before what it costs; and whether a server can rank at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field
from abroad.core.registry import Capability
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction, Relation
from abroad.engines.base import Engine
from abroad.engines.lazy import LazyEngine
from abroad.engines.spec import EngineSpec
from abroad.ranking.orders import ORDERS
from abroad.ranking.policies import questions
from abroad.ranking.rank import RankSettings, max_kept, rank_relations
from abroad.ranking.statements import Statements

_LONGEST_STATEMENT = 80  # characters; of 14,000 labels few make a longer one
_PROBE = ("A text that says nothing.\n\nStatement about the text:", " It says nothing.")


def check_order(by: str, option: str) -> None:
    """See that there is such an order, before anything is asked.

    Raises:
        InputError: there is none, named by the option that gave it.
    """
    try:
        ORDERS.get(by)
    except InputError as error:
        raise InputError(f"{option}: {error}") from None


def ranking_engine(spec: EngineSpec, context: Context) -> LazyEngine:
    """An engine that generates and ranks; a server is asked one short text first, before it is paid for others.

    Raises:
        InputError: an engine that gives no log-probabilities; at its first use, a server that gives none of prompts.
    """
    spec.require(Capability.LOGPROBS, "ranking")
    is_server = Capability.WEIGHTS not in spec.capabilities
    return LazyEngine(spec, context, _score_once if is_server else None)


def _score_once(engine: Engine) -> None:
    prompt, continuation = _PROBE
    try:
        engine.score([prompt], [continuation])
    except InputError as error:
        raise InputError(f"--rank: {error}") from None


class RelationFilter:
    """The better relations of a document, by a model's own order of them.

    Args:
        settings: by which order, and which share stays.
        field: of the relations.
    """

    def __init__(self, engine: LazyEngine, settings: RankSettings, field: Field) -> None:
        self._engine, self._settings, self._statements = engine, settings, Statements(field)

    @property
    def identity(self) -> dict[str, Any]:
        """What decides which relations stay, beside the relations and their text."""
        field = self._statements.field
        named = {} if field.is_built_in else {"field": digest(field.model_dump(mode="json"))}
        return {**self._engine.spec.identity, "ranking": self._settings.identity() | named}

    def chooses(self, count: int) -> bool:
        """Whether any of so many relations may be left out; where none can, there is nothing to ask."""
        return count > 0 and (self._settings.min_probability > 0 or max_kept(count, self._settings) < count)

    def questions(self, document: Document, relations: Sequence[Relation]) -> list[int]:
        """Characters of each text that the model reads to rank these relations."""
        return self._lengths(document, list(self._statements.by_statement(relations)))

    def longest(self, document: Document) -> list[int]:
        """The same for one relation that is not known yet."""
        return self._lengths(document, ["x" * _LONGEST_STATEMENT])

    def _lengths(self, document: Document, statements: Sequence[str]) -> list[int]:
        asked = questions(document.text, statements, self._settings.prompts)
        return [len(prompt) + len(continuation) for prompt, continuation in asked]

    def __call__(self, documents: Sequence[Document], predictions: Sequence[Prediction]) -> Iterator[Prediction]:
        """Each document's prediction with the relations that stay."""
        return rank_relations(self._engine, documents, predictions, self._settings, self._statements)
