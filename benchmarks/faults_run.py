"""A command of `abroad` in a process of its own, and what of its end is a fault; for `benchmarks.faults`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bad_inputs import SENTENCE

ROOT = Path(__file__).parents[1]
MAX_SECONDS, MAX_MEGABYTES = 12.0, 1024  # 10 s, and 2 until the extractor is loaded
SECONDS_A_MEGABYTE = 3.0  # beyond the first: whole texts are read, in time that grows with their length
TIMEOUT = 900  # of the clock, since a busy machine gives little of itself; what counts is the time of the processor
CODES = (0, 1, 2)
GOLD = [
    {
        "id": str(number),
        "PMID": str(number),
        "AbstractText": f"{SENTENCE} Sample {number}.",
        "organisms": [{"id": "o", "label": "Allium cepa"}],
        "chemicals": [{"id": "c", "label": "Quercetin"}],
        "relations": [["o", "c"]],
    }
    for number in range(1, 41)
]


@dataclass
class Ended:
    """How a command ended, and what it needed."""

    code: int
    errors: str
    seconds: float
    megabytes: int
    allowed: float = MAX_SECONDS

    def faults(self) -> list[str]:
        """What is wrong with that."""
        found = []
        if "Traceback" in self.errors:
            found.append("traceback")
        if self.code not in CODES:
            found.append(f"exit code {self.code}")
        if self.code == 2 and "Usage:" not in self.errors and self.errors.count("error: ") > 1:
            found.append("more than one error")
        if self.seconds > self.allowed:
            found.append(f"{self.seconds:.1f} s")
        if self.megabytes > MAX_MEGABYTES:
            found.append(f"{self.megabytes} MB")
        return found


@dataclass
class Row:
    """One line of the table."""

    kind: str
    cases: int = 0
    codes: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0
    megabytes: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, name: str, ended: Ended, faults: Sequence[str] = ()) -> None:
        self.cases += 1
        self.codes[ended.code] = self.codes.get(ended.code, 0) + 1
        self.seconds, self.megabytes = max(self.seconds, ended.seconds), max(self.megabytes, ended.megabytes)
        if wrong := [*ended.faults(), *faults]:
            self.faults.append(f"{name}: {', '.join(wrong)}")


def run(
    command: str, folder: Path, kill_after: float | None = None, environment: Mapping[str, str] | None = None
) -> Ended:
    """Run a command of abroad in a folder, or kill it after so many seconds.

    Args:
        command: its words, without "abroad".
        folder: to run it in.
        kill_after: seconds; None lets it come to its end.
        environment: variables for it alone.
    """
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    variables |= {"ABROAD_ANSWERS": str(folder / "answers.sqlite"), **(environment or {})}
    with (folder / "errors.log").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "abroad", *command.split()],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        deadline = time.monotonic() + (TIMEOUT if kill_after is None else kill_after)
        kilobytes = 0
        while True:
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            kilobytes = _peak(process.pid) or kilobytes
            if time.monotonic() > deadline:
                os.kill(process.pid, signal.SIGKILL)
                deadline = float("inf")
            time.sleep(0.01)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = (folder / "errors.log").read_text(encoding="utf-8", errors="replace")
    return Ended(process.returncode, said, usage.ru_utime + usage.ru_stime, kilobytes // 1024)


def _peak(pid: int) -> int:
    """Kilobytes that a process has held at most; `ru_maxrss` would count those of the process that started it."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) if found else 0


def fresh(folder: Path) -> Path:
    """A folder with the gold documents and nothing else."""
    folder.mkdir()
    (folder / "gold.jsonl").write_text("".join(json.dumps(record) + "\n" for record in GOLD), encoding="utf-8")
    return folder


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, but for links' targets."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
    folder.rmdir()
