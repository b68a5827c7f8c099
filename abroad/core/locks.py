"""One run at a time for an output: the second one is told who holds it.

filelock locks: it knows how on every system (flock, msvcrt), and a process that dies, however it dies, lets go. Who
holds an output stands in a file beside the lock, since taking a lock empties its file, and some systems let nobody
else read it.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from abroad.core.errors import InputError
from abroad.core.helpers import helper

_held: dict[str, int] = {}
_guard = threading.Lock()
_ATTEMPTS = 1000  # each lost to another process that let go in that moment


@contextlib.contextmanager
def held(out: str | Path, command: str = "") -> Iterator[None]:
    """Hold an output for the block; a block within it, in this process, holds it too.

    Where a file system has no locks, nothing is held.

    Args:
        command: is told to whoever wants the output meanwhile.
    Raises:
        InputError: another process holds it.
    """
    place = helper(out, "lock")
    key = os.path.realpath(place)
    with _guard:
        first = not _held.get(key)
        _held[key] = _held.get(key, 0) + 1
    lock, made = None, []
    try:
        if first:
            made = [folder for folder in place.parents if not folder.exists()]
            lock = _take(place, out, command)
        yield
    finally:
        with _guard:
            _held[key] -= 1
        if lock is not None:
            _release(lock, place)
        for folder in made:  # which a run that wrote nothing leaves empty
            with contextlib.suppress(OSError):
                folder.rmdir()


def _take(place: Path, out: str | Path, command: str) -> FileLock | None:
    for _ in range(_ATTEMPTS):
        lock = FileLock(place, timeout=0)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise InputError(f"{out}: another run is at it, {_holder(place)}; wait for it, or stop it") from None
        except FileNotFoundError:  # a holder that left nothing behind removed its folder meanwhile
            continue
        except (OSError, NotImplementedError):  # no locks there, or nothing can be written: that is told elsewhere
            return None
        if place.exists():  # else its last holder removed it between our opening and locking it
            break
        lock.release()
    else:
        return None
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    with contextlib.suppress(OSError):
        facts = {"pid": os.getpid(), "host": socket.gethostname(), "since": since, "command": command}
        _facts(place).write_text(json.dumps(facts), encoding="utf-8")
    return lock


def _release(lock: FileLock, place: Path) -> None:
    for path in (_facts(place), place):
        with contextlib.suppress(OSError):
            path.unlink()
    lock.release()


def _facts(place: Path) -> Path:
    return place.with_name(f"{place.name}.json")


def _holder(place: Path) -> str:
    try:
        facts = json.loads(_facts(place).read_text(encoding="utf-8"))
        command = f" ({facts['command']})" if facts["command"] else ""
        return f"process {facts['pid']} on {facts['host']} since {facts['since']}{command}"
    except (OSError, ValueError, KeyError, TypeError):  # it has only just begun
        return "a process that has just begun"
