"""Passes of a model that is not trained for the task: each has examples, or samples, of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field
from abroad.core.registry import Capability
from abroad.core.schema import Document, Prediction
from abroad.engines.base import Generation
from abroad.engines.lazy import LazyEngine
from abroad.extraction.fewshot.answers import goes_round, whole_parts
from abroad.extraction.fewshot.examples import load_examples
from abroad.extraction.fewshot.retrieve import RETRIEVERS, make_retriever, pool_digest
from abroad.extraction.fewshot.run import FewShotExtractor, FewShotSettings, Shots, read_answer
from abroad.extraction.fewshot.styles import Style
from abroad.synthesis.teaching.settings import TeachSettings

_READ = ("parsed", "malformed", "repeated", "not_in_text", "left_out")
"""What reading an answer tells of it."""


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
class FewShotPass:
    """A pass of an extractor that shows examples."""

    extractor: FewShotExtractor

    @property
    def field(self) -> Field:
        return self.extractor.style.field

    @property
    def identity(self) -> dict[str, Any]:
        # Answers are read when they are judged, so that another way of reading asks nothing anew.
        return {key: value for key, value in self.extractor.identity.items() if key != "reading"}

    def input_digest(self, document: Document) -> str:
        return self.extractor.input_digest(document)

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        return self.extractor.extract(documents)

    def read(self, document: Document, prediction: Prediction) -> Prediction:
        extra, answer = prediction.extra, prediction.extra.get("answer")
        if prediction.error is not None or not isinstance(answer, str):
            return prediction
        # Of an answer that took its budget, the last relation may have half a name. One that goes round lacks nothing.
        cut_off = bool(extra.get("cut_off"))
        generation = Generation(document.id, whole_parts(answer) if cut_off else answer, "stop", 0)
        read = read_answer(
            document, generation, self.extractor.style, self.extractor.settings.names_from_text is not False
        )
        told = {key: read.extra[key] for key in _READ if key in read.extra}
        rest = {key: value for key, value in extra.items() if key not in _READ}
        return replace(read, extra=rest | told | {"cut_off": cut_off and not goes_round(answer)})

    def prompt_characters(self, document: Document, prediction: Prediction | None = None) -> int:
        shots = self.extractor.count if prediction is None else int(prediction.extra.get("shots") or 0)
        return len(self.extractor.prompt(document, shots))

    def max_tokens(self, document: Document) -> int:
        return self.extractor.style.budget(len(document.text))


def make_passes(
    engine: LazyEngine, asked: Asking, settings: TeachSettings, documents: Sequence[Document], context: Context
) -> list[FewShotPass]:
    """An extractor for each pass.

    Args:
        documents: that are labelled; no example is one of them.
    Raises:
        InputError: passes that cannot differ or tell no confidence, or too few examples.
    """
    style, asking = asked.style, asked.settings
    _check_varied(asked, settings)
    examples, only = asked.examples, asking.only_stating
    pool = load_examples(examples, documents, context, only, style.field) if asked.shots else []
    if settings.vary == "examples" and len(pool) < settings.passes and not asking.temperature:
        raise InputError(
            f"{len(pool)} examples for {settings.passes} passes that differ by examples; expected one of its own for "
            "each with --examples, or --vary samples"
        )
    passes = [
        FewShotPass(
            FewShotExtractor(
                engine,
                style,
                asking.replace(seed=asking.seed + number),
                _shots_of(_part(pool, number, asking, settings), asking),
                engine.spec.identity,
            )
        )
        for number in range(settings.passes)
    ]
    for fewer in dict.fromkeys(each.extractor.fewer for each in passes):
        if fewer is not None:
            context.say(fewer)
    return passes


def _check_varied(asked: Asking, settings: TeachSettings) -> None:
    if settings.min_confidence:
        raise InputError("--min-confidence: only a fine-tuned model tells how sure it is; expected --min-agreement")
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
