"""Run every row of a leaderboard, cell by cell and record by record, and score it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_predictions
from abroad.core.registry import Capability
from abroad.core.schema import Prediction
from abroad.engines.lazy import LazyEngine
from abroad.engines.spec import EngineSpec
from abroad.evaluation.bootstrap import Interval, bootstrap_intervals
from abroad.evaluation.metrics import Comparison, Outcome, Scores, compare
from abroad.experiments.leaderboard.settings import NO_RANK, LeaderboardModel, LeaderboardSettings
from abroad.experiments.leaderboard.suite import Suite
from abroad.extraction.base import extract_documents
from abroad.extraction.fewshot.entry import make_extractor
from abroad.extraction.fewshot.run import AnswerCounts, FewShotSettings, count_answers
from abroad.extraction.fewshot.styles import load_style


@dataclass(frozen=True)
class Row:
    """One way to ask one model.

    Attributes:
        retrieve: "" without shots.
        rank: "none" or an order.
    """

    model: LeaderboardModel
    style: str
    shots: int
    retrieve: str
    rank: str

    @property
    def asked(self) -> Row:
        """The row whose answers this one ranks: itself unless it ranks."""
        return replace(self, rank=NO_RANK)

    @property
    def name(self) -> str:
        shots = f"{self.shots} {self.retrieve}".strip()
        return ", ".join([self.model.label, self.style, shots, *([self.rank] if self.rank != NO_RANK else [])])


@dataclass(frozen=True)
class TaskScore:
    """What a model does on one task of a suite.

    Attributes:
        f1: 95% interval over documents.
        parsed: answers that could be read.
    """

    name: str
    scores: Scores
    f1: Interval
    documents: int
    parsed: int


@dataclass(frozen=True)
class Result:
    """What came of one row on one suite.

    Attributes:
        prompt: hash of the prompt's file.
        reading: how answers could be read, and what they cost.
        price: of all tokens, in the currency of the prices; None without prices.
        comparison: document by document.
        predictions: document by document.
    """

    suite: str
    row: Row
    prompt: str
    scores: Scores
    intervals: dict[str, Interval]
    tasks: tuple[TaskScore, ...]
    reading: AnswerCounts
    price: float | None
    comparison: Comparison
    predictions: tuple[Prediction, ...]

    @property
    def tokens_per_second(self) -> float:
        """Generated tokens; prompts are read in the same time."""
        return self.reading.tokens / self.reading.seconds if self.reading.seconds else 0.0


def rows_of(section: LeaderboardSettings) -> list[Row]:
    """Every combination, each once: without shots nothing is retrieved.

    Raises:
        InputError: two models of one name.
    """
    labels = [model.label for model in section.models]
    for label in labels:
        if labels.count(label) > 1:
            raise InputError(f"two models are called {label!r} in the table; expected a 'name' of its own for each")
    rows = (
        Row(model, style, shots, retrieve if shots else "", rank)
        for model in section.models
        for style in section.styles
        for shots in section.shots
        for retrieve in section.retrieve
        for rank in section.rank
    )
    distinct: list[Row] = []
    for row in rows:
        if row not in distinct:  # a mapping of settings has no hash
            distinct.append(row)
    return distinct


def run_leaderboard(
    suites: Sequence[Suite],
    section: LeaderboardSettings,
    out: Path,
    context: Context,
) -> Iterator[Result]:
    """Ask, rank and score row by row; what an earlier run answered is kept.

    A model is loaded once, when the first of its answers is missing.

    Args:
        out: folder; predictions go to its subfolder `cells`.
    Raises:
        InputError: too few examples, or a model that cannot be loaded.
    """
    rows = rows_of(section)
    for model in section.models:
        spec = EngineSpec.read(model.engine, model.model, model.batch_size, model.settings)
        engine = LazyEngine(spec, context)
        ranker = engine
        if model.rank_engine is not None and model.rank_engine != model.engine:
            ranker = LazyEngine(EngineSpec.read(model.rank_engine, model.model), context)
        if section.images:
            engine.spec.require(Capability.IMAGES, "reading images")
        if set(section.rank) != {NO_RANK}:
            ranker.spec.require(Capability.LOGPROBS, "ranking")
        for suite in suites:
            for row in (row for row in rows if row.model == model):
                context.say(f"{suite.name}: {row.name}")
                yield _run_row(suite, row, section, engine, ranker, out / "cells", context)


def _run_row(
    suite: Suite,
    row: Row,
    section: LeaderboardSettings,
    engine: LazyEngine,
    ranker: LazyEngine,
    cells: Path,
    context: Context,
) -> Result:
    style = load_style(row.style, None, section.tokens_per_character)
    can_bind = Capability.CONSTRAINTS in engine.capabilities
    settings = FewShotSettings(
        shots=row.shots,
        retrieve=row.retrieve or "fixed",
        chat=section.chat,
        structured=can_bind if section.structured is None else section.structured,
        fewer_shots=section.fewer_shots,
        resolution=section.images,
        seed=section.seed,
    )
    left_out = context.apart()
    documents = suite.documents
    extractor = make_extractor(engine, style, settings, documents, section.examples, section.embedder, left_out)
    for item in left_out.rejects.items:
        if item not in context.rejects.items:  # the same example is left out of every row
            context.rejects.items.append(item)
    answers = cells / f"{_slug(suite, row.asked)}.jsonl"
    extract_documents(documents, extractor, answers)
    predictions = read_predictions(answers)
    reading = count_answers(predictions)
    if row.rank != NO_RANK:
        ranked = cells / f"{_slug(suite, row)}.jsonl"
        predictions = _rank(predictions, suite, row.rank, section, ranker, ranked)
    return score(suite, row, predictions, reading, style.hash, section)


def _rank(
    predictions: list[Prediction],
    suite: Suite,
    by: str,
    section: LeaderboardSettings,
    ranker: LazyEngine,
    out: Path,
) -> list[Prediction]:
    """The best of each document's relations; the model is asked once for all orders."""
    from abroad.ranking.rank import FewShotRankSettings, RankSettings, rank_file, reorder

    rank_file(ranker, ranker.spec.identity, suite.documents, [predictions], RankSettings(), out)
    settings = FewShotRankSettings.of(section, by=by)
    return [reorder(prediction, settings) for prediction in read_predictions(out)]


def score(
    suite: Suite,
    row: Row,
    predictions: Sequence[Prediction],
    reading: AnswerCounts,
    prompt: str,
    section: LeaderboardSettings,
) -> Result:
    """Scores of all documents and of each task; a document set aside counts as answered with nothing."""
    comparison = compare(suite.documents, predictions, section.protocol)
    by_id = {outcome.document.id: outcome for outcome in comparison.outcomes}
    parsed = {p.id for p in predictions if p.error is None and p.extra.get("parsed")}

    def intervals(outcomes: Sequence[Outcome]) -> dict[str, Interval]:
        return bootstrap_intervals([outcome.scores for outcome in outcomes], section.resamples, section.seed)

    tasks = []
    for task in suite.tasks:
        outcomes = [by_id[document.id] for document in task.documents]
        scores = Comparison(section.protocol, outcomes).scores
        read = sum(outcome.document.id in parsed for outcome in outcomes)
        tasks.append(TaskScore(task.name, scores, intervals(outcomes)["f1"], len(outcomes), read))
    return Result(
        suite.name,
        row,
        prompt,
        comparison.scores,
        intervals(comparison.outcomes),
        tuple(tasks),
        reading,
        _price(row.model, reading),
        comparison,
        tuple(predictions),
    )


def _price(model: LeaderboardModel, reading: AnswerCounts) -> float | None:
    if model.price_in is None and model.price_out is None:
        return None
    return (reading.prompt_tokens * (model.price_in or 0) + reading.tokens * (model.price_out or 0)) / 1e6


def _slug(suite: Suite, row: Row) -> str:
    """A file name that tells the cell; models of one label elsewhere differ by the digest of what they are."""
    parts = [suite.name, row.model.label, row.style, f"{row.shots}{row.retrieve}"]
    if row.rank != NO_RANK:
        parts.append("ranked")
    mark = hashlib.sha256(f"{row.model.engine} {row.model.model}".encode()).hexdigest()[:6]
    return "-".join(re.sub(r"[^\w.+]+", "_", part) for part in [*parts, mark])
