"""Independent readings of the same documents by one model: each pass has examples, or samples, of its own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.registry import Capability
from abroad.core.schema import Document
from abroad.engines.lazy import LazyEngine
from abroad.extraction.fewshot.examples import load_examples
from abroad.extraction.fewshot.retrieve import RETRIEVERS, make_retriever, pool_digest
from abroad.extraction.fewshot.run import FewShotExtractor, FewShotSettings, Shots
from abroad.extraction.fewshot.styles import Style
from abroad.synthesis.teaching.settings import TeachSettings


def make_passes(
    engine: LazyEngine,
    style: Style,
    asking: FewShotSettings,
    settings: TeachSettings,
    documents: Sequence[Document],
    examples: Path | None,
    context: Context,
) -> list[FewShotExtractor]:
    """An extractor for each pass.

    Args:
        documents: that are labelled; no example is one of them.
        examples: documents to take examples from; None takes our own.
    Raises:
        InputError: passes that cannot differ, or too few examples.
    """
    _check_varied(style, asking, settings)
    pool = load_examples(examples, documents, context) if _shots(style, asking) else []
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


def _shots(style: Style, asking: FewShotSettings) -> int:
    return style.kind.shots if asking.shots is None else asking.shots


def _check_varied(style: Style, asking: FewShotSettings, settings: TeachSettings) -> None:
    if settings.vary == "samples" and not asking.temperature:
        raise InputError("passes that differ by samples take a temperature above 0, such as 0.7")
    if settings.vary == "examples" and not _shots(style, asking):
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
