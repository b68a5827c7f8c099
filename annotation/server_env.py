"""The annotation server's own virtual environment: made once, whole or not at all, then used without network.

argilla-server 2.8.0 needs older versions of click, typer and pydantic than abroad, so it cannot live in abroad's
environment. The directory's name holds a hash of the requirements and the Python version: an update of either makes
a new environment, and the old one is left until it is deleted.

    python -m annotation.server_env    # make it now (as `make test` and images do)
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from annotation.home import data_directory

SERVER = Path(__file__).parent / "server"
VERSION = "2.8.0"
_READY = "ready"


def server_python(context: Context | None = None) -> Path:
    """The interpreter of the server's environment, which is made first if it is not there.

    ABROAD_ANNOTATION_PYTHON names an interpreter of one's own that has the requirements; nothing is made then.

    Raises:
        AbroadError: it cannot be made: no venv module, no network, no room.
    """
    own = os.environ.get("ABROAD_ANNOTATION_PYTHON")
    if own:
        if not shutil.which(own):
            raise AbroadError(f"ABROAD_ANNOTATION_PYTHON: {own}: no such program")
        return Path(own)
    place = environment_directory()
    python = place / "bin" / "python"
    if not _works(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with (place.parent / ".lock").open("w") as lock:  # two first starts at once: the second waits
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _works(place):
                _make(place, context or Context())
    return python


def environment_directory() -> Path:
    """Where the environment for these requirements and this Python lies, made or not."""
    digest = hashlib.sha256()
    for name in ("requirements.txt", "constraints.txt"):
        digest.update((SERVER / name).read_bytes())
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    return data_directory() / "envs" / f"argilla-server-{VERSION}-{python}-{digest.hexdigest()[:10]}"


def _works(place: Path) -> bool:
    return (place / _READY).exists() and (place / "bin" / "python").exists()


def _make(place: Path, context: Context) -> None:
    context.say(f"first use: making the annotation server's own environment in {place} (about 600 MB, a minute or two)")
    shutil.rmtree(place, ignore_errors=True)  # what an interrupted attempt left: without the mark it is nothing
    pip = [str(place / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    packages = ["-r", str(SERVER / "requirements.txt"), "-c", str(SERVER / "constraints.txt")]
    try:
        _run([sys.executable, "-m", "venv", str(place)], "is the package python3-venv installed?")
        _run([*pip, *packages], "is there a network, and room on the disk?")
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    (place / _READY).write_text("")
    context.say("the environment is ready; later starts need no network")


def _run(command: list[str], advice: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        reason = "\n".join((done.stderr or done.stdout).strip().splitlines()[-5:])
        raise AbroadError(f"the annotation server's environment cannot be made; {advice}\n{reason}")


if __name__ == "__main__":
    print(server_python(Context(say=lambda message: print(message, flush=True))))
