"""Shards worked through by several processes: of this machine, or of a cluster with Ray.

Whatever dies, nothing is lost and nothing stands twice: a process that dies is replaced and its shard given out again,
and what of a shard was written is kept. Workers of this machine end when the process that started them does.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from abroad.core.errors import AbroadError
from abroad.core.progress import Progress
from abroad.core.shards import Job, Shard

ATTEMPTS = 3
"""How often a shard whose worker died is given out again."""
LOOK_EVERY = 2.0
"""Seconds between looks at what is on disk."""
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS")


@dataclass(frozen=True)
class Pool:
    """The processes of a run.

    Attributes:
        workers: how many.
        ray: whether they are Ray's; else of this machine.
        gpus: of each, where Ray has some.
    """

    workers: int
    ray: bool = False
    gpus: float = 0


def asks_for_ray() -> bool:
    """Whether RAY_ADDRESS names a cluster ("local": one of this machine alone)."""
    return bool(os.environ.get("RAY_ADDRESS"))


def work_through(shards: Sequence[Shard], job: Job, pool: Pool, bar: Progress) -> int:
    """Let the workers do all shards that are not done; the sum of what the job says.

    Raises:
        AbroadError: a shard could not be done; all others are, and kept.
        MissingDependencyError: Ray is asked for and not installed.
    """
    todo = [shard for shard in shards if not shard.done]
    before = bar.done - sum(shard.answered() for shard in todo)
    workers = min(pool.workers, len(todo))
    total, done, failures = 0, 0, list[str]()
    for outcome in _outcomes(todo, job, Pool(workers, pool.ray, pool.gpus)) if todo else ():
        if isinstance(outcome, int):
            total += outcome
        elif isinstance(outcome, str):
            failures.append(outcome)
        while todo and todo[0].done:
            done += todo.pop(0).count
        # Shards are given out in order, so that those at work are among the first that are not done.
        now = before + done + sum(shard.answered() for shard in todo[: 2 * workers])
        bar.advance(max(now - bar.done, 0), f"{workers} workers")
    if failures:
        raise AbroadError(
            f"{len(failures)} of {len(shards)} shards could not be answered ({failures[0]}); "
            "the others are kept: run the same command again to go on"
        )
    return total


def _outcomes(shards: Sequence[Shard], job: Job, pool: Pool) -> Iterator[int | str | None]:
    """Yield for each shard what the job says, or why it failed; None now and then, while nothing ended."""
    if pool.ray:
        from abroad.core.ray_workers import run_on_ray

        return run_on_ray(shards, job, pool.workers, pool.gpus)
    return _Team(shards, job, pool.workers).outcomes()


@dataclass
class _Member:
    process: Any
    connection: Connection
    shard: Shard


class _Team:
    """Processes of this machine, each with a shard at a time."""

    def __init__(self, shards: Sequence[Shard], job: Job, workers: int) -> None:
        self._todo, self._job, self._workers = deque(shards), job, workers
        self._deaths: Counter[Shard] = Counter()
        self._members: list[_Member] = []

    def outcomes(self) -> Iterator[int | str | None]:
        try:
            while self._todo or self._members:
                while self._todo and len(self._members) < self._workers:
                    self._members.append(self._hire(self._todo.popleft()))
                ready = wait([member.connection for member in self._members], LOOK_EVERY)
                if not ready:
                    yield None
                for member in [member for member in self._members if member.connection in ready]:
                    yield self._outcome(member)
        finally:
            for member in self._members:
                member.process.terminate()
            for member in self._members:
                member.process.join()

    def _outcome(self, member: _Member) -> int | str | None:
        try:
            outcome: int | str = member.connection.recv()
        except (EOFError, OSError):
            return self._lost(member)
        if self._todo:
            shard = self._todo.popleft()
            with contextlib.suppress(OSError):  # it died since; the next look finds that
                member.connection.send(shard)
            member.shard = shard
        else:
            self._dismiss(member)
        return outcome

    def _lost(self, member: _Member) -> str | None:
        """Give out the shard of a dead worker again, first, unless it kills all who take it."""
        self._dismiss(member)
        self._deaths[member.shard] += 1
        if self._deaths[member.shard] <= ATTEMPTS:
            self._todo.appendleft(member.shard)
            return None
        return f"its worker died {self._deaths[member.shard]} times, the last time with {_end(member.process)}"

    def _dismiss(self, member: _Member) -> None:
        member.connection.close()
        member.process.join()
        self._members.remove(member)

    def _hire(self, shard: Shard) -> _Member:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs, self._job), daemon=True)
        with _one_thread_each():
            process.start()
        theirs.close()
        with contextlib.suppress(OSError):
            ours.send(shard)
        return _Member(process, ours, shard)


def _end(process: Any) -> str:
    code = process.exitcode
    if code is not None and code < 0:
        with contextlib.suppress(ValueError):
            return f"{signal.Signals(-code).name}; memory may be short: fewer --workers?"
    return f"exit code {code}"


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Libraries take a core for each thread of theirs; so many processes would have that many times the cores."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(connection: Connection, job: Job) -> None:
    """Do shards until there are no more; runs in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the first process ends the others
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):  # the last: told to end, it has waited
        while True:
            shard = connection.recv()
            try:
                outcome: int | str = job(shard)
            except Exception as error:
                outcome = f"{type(error).__name__}: {error}"
            connection.send(outcome)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
