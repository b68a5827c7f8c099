"""One folder for all temporary files of a server, which goes when the server has ended, however it ended.

Argilla lays a copy of its pages among the system's temporary files at each start and never removes it, and a Redis
has its socket there. A process that is killed removes nothing itself: a shell waits for its end and does.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

PREFIX = "abroad-server-"
_PID = "pid"


def use_scratch_folder() -> Path:
    """Make the folder, and have this process and those that it starts lay their temporary files there."""
    _remove_left()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # private to the user; short, as paths of sockets must be
    (folder / _PID).write_text(str(os.getpid()))
    watcher = subprocess.Popen(
        ["sh", "-c", 'read _; rm -rf "$0"', str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C at the terminal is for the server alone
    )
    assert watcher.stdin is not None, "asked for a pipe"
    atexit.register(watcher.wait, 10)
    atexit.register(watcher.stdin.close)  # run in the opposite order; the system closes it where the process is killed
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    return folder


def _remove_left() -> None:
    """Remove folders of servers that are no more, whose watcher was ended too, as by a power cut."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, ValueError):
            if folder.stat().st_uid == os.getuid() and not _is_alive(int((folder / _PID).read_text())):
                shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
