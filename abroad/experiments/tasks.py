"""How a model does on each kind of task of an instruction set, beside its base model (as InvestLM is judged).

Answers are decoded greedily after the prompt that training shows. An answer scores the F1 of the parts that it shares
with the right one (relations, names); one of a single part, such as yes or no, is right or wrong.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abroad.core.errors import AbroadError, InputError
from abroad.core.io import read_records
from abroad.core.progress import Progress
from abroad.core.resume import ResumableOutput, digest
from abroad.documents.instructions import Task
from abroad.engines.base import GenerationRequest
from abroad.engines.lazy import LazyEngine
from abroad.evaluation.bootstrap import Interval, mean_interval

if TYPE_CHECKING:
    from abroad.engines.base import Engine


@dataclass(frozen=True)
class TaskScore:
    """Scores of one kind of task.

    Attributes:
        kind: of the tasks; "all" for their mean over kinds.
        count: tasks.
        score: mean of the model's answers, in percent.
        base: that of the base model.
        difference: 95% interval of the model's score less the base model's, in points.
    """

    kind: str
    count: int
    score: float
    base: float | None = None
    difference: Interval | None = None


def answer_tasks(
    prompts: Mapping[str, tuple[int, ...]], engine: Engine, identity: dict[str, Any], out: Path, max_new_tokens: int
) -> dict[str, str]:
    """Id of each task -> the answer to its prompt; kept in `out`, so that a rerun goes on.

    A task beyond the context has none.

    Raises:
        AbroadError: no task could be answered.
    """
    from abroad.extraction.generative.extractor import budget

    wanted = {id: digest(list(prompt)) for id, prompt in prompts.items()}
    found, reason = {}, ""
    with (
        ResumableOutput(out, identity | {"max_new_tokens": max_new_tokens}, wanted) as output,
        Progress("answering tasks", len(prompts), done=len(output.done)) as progress,
    ):
        requests = (
            GenerationRequest(id, prompt, budget(max_new_tokens, len(prompt), engine.context_length))
            for id, prompt in prompts.items()
            if id not in output.done
        )
        for answer in engine.generate(requests):
            reason = reason or answer.error or ""
            output.append({"id": answer.id, "answer": answer.text, "error": answer.error})
            progress.advance()
    output.finish(order=prompts)
    for _, _, record in read_records(out):
        if record["error"] is None:
            found[record["id"]] = record["answer"]
        reason = reason or record["error"] or ""
    if not found:
        raise AbroadError(f"{out}: all {len(prompts)} tasks failed: {reason}")
    return found


def answers_beside_base(
    tasks: Sequence[Task], model: str, folder: Path, max_new_tokens: int
) -> tuple[dict[str, str], dict[str, str] | None]:
    """Answers of a model, and of the base model of an adapter (None of a model that has none).

    Raises:
        InputError: no such model.
        AbroadError: none of the tasks could be answered.
    """
    from abroad.engines.spec import DEFAULT_ENGINE, EngineSpec
    from abroad.extraction.generative.encode import encode_prompt
    from abroad.models.load import load_tokenizer
    from abroad.models.resolve import resolve_model

    def ask(name: str, file: str) -> dict[str, str]:
        spec = EngineSpec.read(DEFAULT_ENGINE, name)
        tokenizer = load_tokenizer(resolve_model(name))
        prompts = {task.id: encode_prompt(tokenizer, task.text) for task in tasks}
        identity = spec.identity | spec.weights
        return answer_tasks(prompts, LazyEngine(spec), identity, folder / file, max_new_tokens)

    source = resolve_model(model)
    own = ask(model, "answers.jsonl")
    return own, ask(source.base, "base.jsonl") if source.adapter is not None else None


def score_answer(expected: str, answer: str) -> float:
    """0 to 1: F1 over the parts of the two, which semicolons divide; case, spaces and final stops do not count."""
    right, given = _parts(expected), _parts(answer)
    if len(right) == 1 and right <= {"yes", "no"}:
        first = re.match(r"\W*(yes|no)\b", answer, re.IGNORECASE)
        return float(first is not None and {first[1].lower()} == right)
    return 2 * len(right & given) / (len(right) + len(given)) if right or given else 1.0


def _parts(text: str) -> set[str]:
    parts = (" ".join(part.split()).strip(" .").casefold() for part in re.split(r"[;\n]", text))
    return {part for part in parts if part}


def score_by_task(
    tasks: Sequence[Task],
    answers: dict[str, str],
    base: dict[str, str] | None = None,
    resamples: int = 2000,
    seed: int = 0,
) -> list[TaskScore]:
    """Scores of each kind, in the order in which kinds come, and their mean over kinds.

    Raises:
        InputError: no task.
    """
    if not tasks:
        raise InputError("expected at least one task to score answers by, found none")
    kinds: dict[str, list[Task]] = {}
    for task in tasks:
        kinds.setdefault(task.kind, []).append(task)
    rows = []
    for kind, items in kinds.items():
        own = [100 * score_answer(task.output, answers.get(task.id, "")) for task in items]
        if base is None:
            rows.append(TaskScore(kind, len(items), sum(own) / len(own)))
            continue
        other = [100 * score_answer(task.output, base.get(task.id, "")) for task in items]
        gains = [a - b for a, b in zip(own, other, strict=True)]
        means = (sum(own) / len(own), sum(other) / len(other))
        rows.append(TaskScore(kind, len(items), *means, mean_interval(gains, resamples, seed)))
    mean = sum(row.score for row in rows) / len(rows)
    of_base = sum(row.base or 0.0 for row in rows) / len(rows) if base is not None else None
    return [*rows, TaskScore("all", len(tasks), mean, of_base)]
