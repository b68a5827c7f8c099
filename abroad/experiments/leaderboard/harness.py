"""General benchmarks beside our own suites, by lm-evaluation-harness: its tasks, its prompts, its scores.

The model is loaded as everywhere here (adapters, 4 bits, packaged ones) and handed over. Tasks of the harness fetch
their data from a hub; those of a folder of your own may read local files.
https://github.com/EleutherAI/lm-evaluation-harness
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from abroad.core.errors import InputError, MissingDependencyError
from abroad.engines.spec import ENGINES, read_settings
from abroad.engines.transformers.member import KIND, TransformersSettings
from abroad.experiments.leaderboard.settings import LeaderboardModel
from abroad.models.load import load_model, load_tokenizer
from abroad.models.resolve import resolve_model


@dataclass(frozen=True)
class HarnessScore:
    """One metric of one task, for one model.

    Attributes:
        model: as in the table.
        task: of the harness.
        metric: of the harness, such as "acc".
        value: of the metric.
        error: standard error of the value, where the harness gives one.
        shots: examples in the prompt.
        version: of the task; scores of different versions are not comparable.
        documents: that were scored.
    """

    model: str
    task: str
    metric: str
    value: float
    error: float | None
    shots: int
    version: str
    documents: int


def check_harness(models: Sequence[LeaderboardModel], tasks: Sequence[str], folder: Path | None) -> Any:
    """The harness's manager of tasks, once everything that is asked for exists.

    Raises:
        InputError: no such task, or a model of an engine that does not hold the weights in this process.
        MissingDependencyError: the harness is not installed.
    """
    try:
        from lm_eval.tasks import TaskManager
    except ImportError:
        raise MissingDependencyError("lm_eval", "harness", "general benchmarks") from None
    for model in models:
        if ENGINES.get(model.engine) is not KIND:  # it is given the model itself, not an engine
            raise InputError(f"--harness: {model.label} runs by {model.engine}; expected models of engine transformers")
    if folder is not None and not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one with tasks (YAML) of lm-evaluation-harness")
    manager = TaskManager(include_path=str(folder) if folder is not None else None)
    for task in tasks:
        if not manager.match_tasks([task]):
            raise InputError(f"--harness {task}: no such task of lm-evaluation-harness; `lm_eval ls tasks` lists them")
    return manager


def run_harness(
    model: LeaderboardModel, tasks: Sequence[str], manager: Any, limit: int | None = None, shots: int | None = None
) -> list[HarnessScore]:
    """Every metric of every task, for one model.

    Args:
        manager: of `check_harness`.
        limit: documents of each task; None for all.
        shots: examples in the prompt; None for those that a task says.
    Raises:
        InputError: the model cannot be loaded, or a task's data cannot be read.
    """
    import lm_eval
    from lm_eval.models.huggingface import HFLM

    settings = cast("TransformersSettings", read_settings(model.engine, model.settings))
    source = resolve_model(model.model, settings.base)
    loaded, tokenizer = load_model(source, settings.quantization), load_tokenizer(source)
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    runner = HFLM(pretrained=loaded, tokenizer=tokenizer, batch_size=model.batch_size)
    try:
        found = lm_eval.simple_evaluate(
            runner, tasks=list(tasks), num_fewshot=shots, limit=limit, task_manager=manager, log_samples=False
        )
    except (OSError, ValueError, KeyError, ConnectionError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(f"--harness {','.join(tasks)}: its data or prompts cannot be read: {reason}") from None
    return _scores(model.label, found)


def _scores(model: str, found: Any) -> list[HarnessScore]:
    scores = []
    for task, values in found["results"].items():
        for key, value in values.items():
            metric, _, kind = key.partition(",")
            if not kind or metric.endswith("_stderr") or not isinstance(value, int | float):
                continue
            error = values.get(f"{metric}_stderr,{kind}")
            name = metric if kind == "none" else f"{metric} ({kind})"
            counted = found.get("n-samples", {}).get(task, {})
            scores.append(
                HarnessScore(
                    model,
                    task,
                    name,
                    float(value),
                    float(error) if isinstance(error, int | float) else None,
                    int(found.get("n-shot", {}).get(task) or 0),
                    str(found.get("versions", {}).get(task, "")),
                    int(counted.get("effective", 0)),
                )
            )
    return scores


def harness_table(scores: Sequence[HarnessScore]) -> str:
    """The scores as a table in Markdown."""
    lines = [
        "| model | task | version | shots | documents | metric | score | standard error |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for score in scores:
        error = "" if score.error is None else f"{score.error:.4f}"
        lines.append(
            f"| {score.model} | {score.task} | {score.version} | {score.shots} | {score.documents} | {score.metric} "
            f"| {score.value:.4f} | {error} |"
        )
    return "\n".join(lines) + "\n"
