"""From the name of a model to an extractor: engine (loaded when it is first needed), examples, style."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from abroad.core.io import Rejects
from abroad.core.schema import Document
from abroad.engines.base import Engine, Generation, GenerationRequest, Prompt, Score
from abroad.engines.choice import EngineChoice
from abroad.extraction.fewshot.examples import load_examples
from abroad.extraction.fewshot.retrieve import make_retriever, pool_digest
from abroad.extraction.fewshot.run import FewShotExtractor, FewShotSettings, Shots
from abroad.extraction.fewshot.styles import Style


class LazyEngine:
    """An engine that is loaded when something is asked of it: a run that has nothing left to do needs no model."""

    def __init__(self, choice: EngineChoice, say: Callable[[str], None] = lambda message: None) -> None:
        self._choice, self._say = choice, say

    @cached_property
    def engine(self) -> Engine:
        return self._choice.spec.make(self._say)

    @property
    def identity(self) -> dict[str, Any]:
        """What decides a text beside its prompt."""
        return self._choice.text_identity

    @property
    def has_chat_template(self) -> bool:
        return self.engine.has_chat_template

    def generate(self, requests: Iterable[GenerationRequest]) -> Iterator[Generation]:
        return self.engine.generate(requests)

    def score(self, prompts: Sequence[Prompt], continuations: Sequence[str]) -> list[Score | None]:
        return self.engine.score(prompts, continuations)


def make_extractor(
    engine: Engine,
    choice: EngineChoice,
    style: Style,
    settings: FewShotSettings,
    tests: Sequence[Document],
    examples: Path | None,
    embedder: str | None,
    rejects: Rejects,
) -> FewShotExtractor:
    """An extractor for the documents `tests`, with no example that they hold too.

    Args:
        examples: documents to take them from; None takes our own.
        embedder: encoder of the retriever "embeddings".
        rejects: is told of each example left out.
    Raises:
        InputError: too few examples, or a setting that does not exist.
    """
    shots = Shots()
    if settings.shots:
        pool = load_examples(examples, tests, rejects)
        shots = Shots(make_retriever(settings.retrieve, pool, embedder), pool_digest(pool), len(pool))
    identity = choice.text_identity | ({"embedder": embedder} if embedder and settings.retrieve == "embeddings" else {})
    return FewShotExtractor(engine, style, settings, shots, identity)
