"""Shards spread over processes or nodes with Ray, each process with a copy of the job.

Ray starts workers again when they die, and gives them the shard that was lost. https://docs.ray.io
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from typing import Any

from abroad.core.errors import MissingDependencyError
from abroad.core.machine import cores
from abroad.core.shards import Job, Shard

_LOCAL = "local"
_ATTEMPTS = 3  # at a shard whose worker dies
_LOOK_EVERY = 2.0  # seconds between looks at what is on disk


class ShardWorker:
    """A process of Ray."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def answer(self, shard: Shard) -> int:
        """What the job says of a shard."""
        return self._job(shard)


def run_on_ray(shards: Sequence[Shard], job: Job, workers: int, gpus: float) -> Iterator[int | str | None]:
    """Yield for each shard what the job says, or why it failed; None now and then, while nothing ended.

    Workers are processes of this machine, or of the Ray cluster that RAY_ADDRESS names; then
    all files must lie where all its nodes see them under the same path.

    Args:
        gpus: of each worker, where there are any.
    Raises:
        MissingDependencyError: Ray is not installed.
    """
    ray = start_ray(workers)
    from ray.util import ActorPool

    try:
        gpus = gpus if ray.cluster_resources().get("GPU") else 0
        make = ray.remote(
            num_cpus=1, num_gpus=gpus, max_restarts=-1, max_task_retries=_ATTEMPTS, scheduling_strategy="SPREAD"
        )(ShardWorker)
        actors: Any = ActorPool([make.remote(job) for _ in range(workers)])
        for shard in shards:
            actors.submit(lambda worker, value: worker.answer.remote(value), shard)
        while actors.has_next():
            try:
                yield int(actors.get_next_unordered(timeout=_LOOK_EVERY))
            except TimeoutError:
                yield None
            except ray.exceptions.RayTaskError as error:
                yield f"{type(error.cause).__name__}: {error.cause}"
            except ray.exceptions.RayError as error:
                yield f"its worker died {_ATTEMPTS + 1} times: {str(error).splitlines()[0]}"
    finally:
        ray.shutdown()


def ray_cores() -> int:
    """The cores of the cluster that RAY_ADDRESS names.

    Raises:
        MissingDependencyError: Ray is not installed.
    """
    if os.environ.get("RAY_ADDRESS", _LOCAL) == _LOCAL:
        return cores()
    ray = start_ray(1)
    try:
        return max(1, int(ray.cluster_resources().get("CPU", 1)))
    finally:
        ray.shutdown()


def start_ray(workers: int) -> Any:
    """Ray, connected: to the cluster that RAY_ADDRESS names, else (and by "local") to processes of this machine."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else it reports to its makers
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError:
        raise MissingDependencyError("ray", "scale", "--workers") from None
    if os.environ.get("RAY_ADDRESS", _LOCAL) != _LOCAL:
        ray.init(log_to_driver=False, logging_level=logging.ERROR)
    else:
        context: Any = ray.init(
            address="local",
            num_cpus=max(workers, os.cpu_count() or 1),
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            _node_ip_address="127.0.0.1",
        )
        # Ray leaves its logs and sockets among the system's temporary files for ever.
        atexit.register(shutil.rmtree, context.address_info["session_dir"], True)
    return ray
