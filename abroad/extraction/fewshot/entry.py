"""From the name of a model to an extractor: its engine, examples, style."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from abroad.core.context import Context
from abroad.core.registry import Capability
from abroad.core.schema import Document
from abroad.engines.lazy import LazyEngine
from abroad.extraction.fewshot.examples import load_examples
from abroad.extraction.fewshot.retrieve import RETRIEVERS, make_retriever, pool_digest
from abroad.extraction.fewshot.run import FewShotExtractor, FewShotSettings, Shots
from abroad.extraction.fewshot.styles import Style


def make_extractor(
    engine: LazyEngine,
    style: Style,
    settings: FewShotSettings,
    tests: Sequence[Document] | None,
    examples: Path | None,
    embedder: str | None,
    context: Context,
) -> FewShotExtractor:
    """An extractor for the documents `tests`, with no example that they hold too.

    Args:
        tests: None where they are not known yet: then a document is not shown the examples that it holds itself.
        examples: documents to take them from; None takes our own.
        embedder: encoder of the retriever "embeddings".
        context: its rejects are the examples left out.
    Raises:
        InputError: too few examples, or a setting that does not exist.
    """
    shots = Shots()
    embeds = Capability.EMBEDDER in RETRIEVERS.capabilities(settings.retrieve)
    if style.kind.shots if settings.shots is None else settings.shots:
        pool = load_examples(examples, tests or (), context, settings.only_stating, style.field)
        retriever = make_retriever(settings.retrieve, pool, embedder)
        shots = Shots(retriever, pool_digest(pool), len(pool), pool if tests is None else ())
    identity = engine.spec.identity | ({"embedder": embedder} if embedder and embeds else {})
    extractor = FewShotExtractor(engine, style, settings, shots, identity)
    if extractor.fewer is not None:
        context.say(extractor.fewer)
    return extractor
