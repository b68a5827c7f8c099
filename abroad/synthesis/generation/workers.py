"""Shards of prompts spread over processes or nodes with Ray, each process with an engine of its own.

Ray starts workers again when they die, and gives them the shard that was lost; what of it was
written is kept (`generate_shard`), so every prompt is answered once. https://docs.ray.io
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import AbroadError, MissingDependencyError
from abroad.core.io import require_file
from abroad.core.progress import tell
from abroad.engines.base import Engine
from abroad.engines.spec import EngineSpec
from abroad.synthesis.generation.generate import GenerationReport, generate_shard
from abroad.synthesis.generation.shards import LARGEST, Shard, ShardedOutput

_SHARDS_A_WORKER = 8  # so that all end at about the same time
_ATTEMPTS = 3  # at a shard whose worker dies
_LOOK_EVERY = 2.0  # seconds between looks at what is on disk


class ShardWorker:
    """Answers shards; the engine is made with the first."""

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        self._engine: Engine | None = None

    def answer(self, shard: Shard) -> int:
        """As `generate_shard`."""
        if self._engine is None:
            self._engine = self._spec.make(Context(say=tell))
        return generate_shard(shard, self._engine, self._spec.identity)


def generate_on_workers(prompts: Path, out: Path, spec: EngineSpec, workers: int, context: Context) -> GenerationReport:
    """As `generate_abstracts`, by several workers at once.

    Workers are processes of this machine, or of the Ray cluster that RAY_ADDRESS names; then
    `prompts` and `out` must lie where all its nodes see them under the same path.

    Raises:
        InputError: the prompt file cannot be read, or holds no usable record.
        AbroadError: a shard could not be answered; all others are, and kept.
        MissingDependencyError: Ray is not installed.
    """
    output = ShardedOutput(prompts.resolve(), out.resolve(), spec.identity, _shard_size(prompts, workers))
    shards = output.plan(context)
    resumed, tokens, failures = sum(shard.answered() for shard in shards), 0, []
    todo = [shard for shard in shards if not shard.done]
    if todo:
        with context.progress("generating abstracts", sum(shard.count for shard in shards), done=resumed) as progress:
            for outcome in _run(spec, min(workers, len(todo)), todo):
                if isinstance(outcome, int):
                    tokens += outcome
                elif isinstance(outcome, str):
                    failures.append(outcome)
                answered = sum(shard.answered() for shard in shards)
                progress.advance(answered - progress.done, f"{workers} workers")
    if failures:
        raise AbroadError(
            f"{len(failures)} of {len(shards)} shards could not be answered ({failures[0]}); "
            "the others are kept: run the same command again to go on"
        )
    return GenerationReport(output.join(shards, context), resumed, tokens)


def _run(spec: EngineSpec, workers: int, shards: list[Shard]) -> Iterator[int | str | None]:
    """Yield for each shard its number of tokens, or why it failed; None now and then, while nothing ended."""
    ray = _start_ray(workers)
    from ray.util import ActorPool

    try:
        gpus = spec.gpus if ray.cluster_resources().get("GPU") else 0
        make = ray.remote(
            num_cpus=1, num_gpus=gpus, max_restarts=-1, max_task_retries=_ATTEMPTS, scheduling_strategy="SPREAD"
        )(ShardWorker)
        pool = ActorPool([make.remote(spec) for _ in range(workers)])
        for shard in shards:
            pool.submit(lambda worker, value: worker.answer.remote(value), shard)
        while pool.has_next():
            try:
                yield int(pool.get_next_unordered(timeout=_LOOK_EVERY))
            except TimeoutError:
                yield None
            except ray.exceptions.RayTaskError as error:
                yield f"{type(error.cause).__name__}: {error.cause}"
            except ray.exceptions.RayError as error:
                yield f"its worker died {_ATTEMPTS + 1} times: {str(error).splitlines()[0]}"
    finally:
        ray.shutdown()


def _start_ray(workers: int) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it reports to its makers
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise MissingDependencyError("ray", "scale", "--workers") from None
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    else:
        ray.init(
            address="local",
            num_cpus=max(workers, os.cpu_count() or 1),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address="127.0.0.1",
        )
    return ray


def _shard_size(prompts: Path, workers: int) -> int:
    """So that each worker has several shards, and none is too large."""
    with require_file(prompts, "prompts of `abroad synth instruct`").open("rb") as stream:
        lines = sum(1 for _ in stream)
    return max(1, min(LARGEST, -(-lines // (workers * _SHARDS_A_WORKER))))
