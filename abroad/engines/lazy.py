"""An engine that is loaded when something is asked of it: a run that has nothing left to do needs no model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

from abroad.core.context import Context
from abroad.core.registry import Capability
from abroad.engines.base import Engine, Generation, GenerationRequest, Prompt, Score
from abroad.engines.spec import EngineSpec


class LazyEngine:
    """An engine that stands for one still to be made.

    Args:
        spec: what is made.
        context: is told what a person should know while it works.
        check: what the engine must be able to do beside what its kind can; called before anything else is asked.
    """

    def __init__(
        self, spec: EngineSpec, context: Context | None = None, check: Callable[[Engine], None] | None = None
    ) -> None:
        self.spec, self._context, self._check = spec, context, check

    @cached_property
    def engine(self) -> Engine:
        """The engine itself, made at the first use."""
        engine = self.spec.make(self._context)
        if self._check is not None:
            self._check(engine)
        return engine

    @property
    def capabilities(self) -> Capability:
        return self.spec.capabilities

    @property
    def has_chat_template(self) -> bool:
        return self.engine.has_chat_template

    @property
    def context_length(self) -> int | None:
        return self.engine.context_length

    def generate(self, requests: Iterable[GenerationRequest]) -> Iterator[Generation]:
        return self.engine.generate(requests)

    def score(self, prompts: Sequence[Prompt], continuations: Sequence[str]) -> list[Score | None]:
        return self.engine.score(prompts, continuations)
