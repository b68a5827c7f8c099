"""Runs Argilla's queued jobs, in a process that exists only while there are some.

Argilla queues updates of record statuses after a change of the overlap, webhooks, and imports and exports of the
Hugging Face Hub. A worker that waits for them all day would cost as much memory as the server.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

QUEUES = ("high", "default")
_LOOK_SECONDS = 1.0
_PAUSE_SECONDS = 10.0  # after a worker that failed


def watch_queues(url: str) -> None:
    """Start watching, in a thread that ends with this process."""
    threading.Thread(target=_watch, args=(url,), daemon=True).start()


def _watch(url: str) -> None:
    import redis
    from local_redis import guarded
    from rq import Queue

    queues = [Queue(name, connection=redis.from_url(url)) for name in QUEUES]
    while True:
        time.sleep(_LOOK_SECONDS)
        try:
            for queue in queues:
                _queue_due(queue)
            if not any(queue.count for queue in queues):
                continue
            worker = guarded([sys.executable, str(Path(__file__))])
            failed = worker.wait() != 0
            worker.stdin.close()
            if failed:
                time.sleep(_PAUSE_SECONDS)
        except (redis.RedisError, OSError, subprocess.SubprocessError):
            time.sleep(_PAUSE_SECONDS)


def _queue_due(queue) -> None:
    """Move retries whose time has come back into their queue, as RQ's scheduler does."""
    registry = queue.scheduled_job_registry
    for id in registry.get_jobs_to_schedule():
        job = queue.fetch_job(id)
        registry.remove(id)
        if job is not None:
            queue.enqueue_job(job)


def main() -> None:
    """Do what is queued, then end."""
    import embedded_engine  # noqa: F401  (registers itself: jobs look the search engine up)
    import integrity  # noqa: F401  (settings of every connection)
    from argilla_server.jobs.queues import REDIS_CONNECTION
    from rq import SimpleWorker

    SimpleWorker(list(QUEUES), connection=REDIS_CONNECTION).work(burst=True, logging_level="WARNING")


if __name__ == "__main__":
    main()
