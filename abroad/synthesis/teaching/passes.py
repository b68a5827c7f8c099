"""Independent readings of the same documents by one model: each pass has examples, or samples, of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.registry import Capability
from abroad.core.schema import Document, Prediction
from abroad.engines.lazy import LazyEngine
from abroad.extraction.fewshot.examples import load_examples
from abroad.extraction.fewshot.retrieve import RETRIEVERS, make_retriever, pool_digest
from abroad.extraction.fewshot.run import FewShotExtractor, FewShotSettings, Shots
from abroad.extraction.fewshot.styles import Style
from abroad.synthesis.teaching.settings import TeachSettings

Filter = Callable[[Sequence[Document], Sequence[Prediction]], Iterable[Prediction]]
"""(documents, their predictions) -> the predictions with the relations that stay."""


@dataclass(frozen=True)
class Asking:
    """How the model is asked.

    Attributes:
        examples: documents to take examples from; None takes our own.
    """

    style: Style
    settings: FewShotSettings
    examples: Path | None = None

    @property
    def shots(self) -> int:
        return self.style.kind.shots if self.settings.shots is None else self.settings.shots


@dataclass(frozen=True)
class Teacher:
    """A model in its passes.

    Attributes:
        passes: an extractor for each.
        at_once: documents whose passes are asked together.
        keep: a filter of the relations that the passes agree on.
    """

    passes: Sequence[FewShotExtractor]
    at_once: int
    keep: Filter | None = None


def make_passes(
    engine: LazyEngine, asked: Asking, settings: TeachSettings, documents: Sequence[Document], context: Context
) -> list[FewShotExtractor]:
    """An extractor for each pass.

    Args:
        documents: that are labelled; no example is one of them.
    Raises:
        InputError: passes that cannot differ, or too few examples.
    """
    style, asking = asked.style, asked.settings
    _check_varied(asked, settings)
    pool = load_examples(asked.examples, documents, context, asking.only_stating) if asked.shots else []
    return [
        FewShotExtractor(
            engine,
            style,
            asking.replace(seed=asking.seed + number),
            _shots_of(_part(pool, number, asking, settings), asking),
            engine.spec.identity,
        )
        for number in range(settings.passes)
    ]


def _check_varied(asked: Asking, settings: TeachSettings) -> None:
    if settings.vary == "samples" and not asked.settings.temperature:
        raise InputError("passes that differ by samples take a temperature above 0, such as 0.7")
    if settings.vary == "examples" and not asked.shots:
        raise InputError("passes that differ by examples take a shot or more; expected --shots, or --vary samples")


def _part(pool: list[Document], number: int, asking: FewShotSettings, settings: TeachSettings) -> list[Document]:
    """The examples of a pass: its share of those that are retrieved; of fixed ones all, beginning at another place."""
    if settings.vary == "samples" or not pool:
        return pool
    if Capability.LIKENESS in RETRIEVERS.capabilities(asking.retrieve):
        return pool[number :: settings.passes]
    first = number * len(pool) // settings.passes
    return pool[first:] + pool[:first]


def _shots_of(pool: list[Document], asking: FewShotSettings) -> Shots:
    return Shots(make_retriever(asking.retrieve, pool), pool_digest(pool), len(pool)) if pool else Shots()
