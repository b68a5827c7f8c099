"""Shards of prompts spread over processes or nodes with Ray, each process with an engine of its own.

Ray starts workers again when they die, and gives them the shard that was lost; what of it was
written is kept (`generate_shard`), so every prompt is answered once. https://docs.ray.io
"""

from __future__ import annotations

from pathlib import Path

from abroad.core.context import Context
from abroad.core.progress import tell
from abroad.core.shards import Shard, ShardedOutput, ShardPlan, shard_size
from abroad.core.workers import Pool, work_through
from abroad.engines.base import Engine
from abroad.engines.spec import EngineSpec
from abroad.synthesis.generation.generate import GenerationReport, generate_shard
from abroad.synthesis.generation.prompts import PromptFile


class GenerateJob:
    """Answers shards; the engine is made with the first."""

    def __init__(self, spec: EngineSpec) -> None:
        self._spec = spec
        self._engine: Engine | None = None

    def __call__(self, shard: Shard) -> int:
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
    source = PromptFile(prompts.resolve())
    size = shard_size(source.lines(), workers)
    output = ShardedOutput(source, out.resolve(), ShardPlan(spec.identity, largest=size))
    shards = output.plan(context)
    resumed = sum(shard.answered() for shard in shards)
    with context.progress("generating abstracts", sum(shard.count for shard in shards), done=resumed) as progress:
        tokens = work_through(shards, GenerateJob(spec), Pool(workers, ray=True, gpus=spec.gpus), progress)
    return GenerationReport(output.join(shards, context), resumed, tokens)
