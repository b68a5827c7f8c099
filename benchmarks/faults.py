"""The matrix of bad inputs, bad servers and kills: what does `abroad` make of each, in what time and memory?

    python -m benchmarks.faults [--kills 20] [--only KIND] [--short] [--out FILE.md]     (make fuzz)

A case fails if the command ends with a traceback or an exit code that is none of ours, says its error in more than a
line, needs more than 12 s of processor time or 1 GB, or, killed (-9) at a random moment and started again, writes
another result than a run that nobody disturbed. Prints a table; exit code 1 if a case failed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from benchmarks.bad_inputs import SENTENCE, bad_inputs

ROOT = Path(__file__).parents[1]
MAX_SECONDS, MAX_MEGABYTES = 12.0, 1024  # 10 s, and 2 until the extractor is loaded
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
COMMANDS = {
    "configs": ["config check FILE"],
    "predictions": ["evaluate --gold gold.jsonl --pred FILE --report report.html"],
    "texts without end": ["extract FILE --out out.csv"],
}
DOCUMENT_COMMANDS = [
    "extract FILE --out out.csv --base-url http://127.0.0.1:9",
    "documents split FILE --random --out-train a.jsonl --out-test b.jsonl",
    "annotate export FILE --html page.html",
]
KILLED = {
    "extract, JSONL": ("extract gold.jsonl --out out.jsonl", ["out.jsonl"]),
    "extract, CSV": ("extract gold.jsonl --out out.csv", ["out.csv"]),
    "documents split": (
        "documents split gold.jsonl --random --out-train a.jsonl --out-test b.jsonl",
        ["a.jsonl", "b.jsonl"],
    ),
    "annotate export": ("annotate export gold.jsonl --html page.html", ["page.html"]),
}
ANSWERS = {
    "page": (200, b"<html>busy</html>"),
    "nothing": (200, b""),
    "array": (200, b"[]"),
    "deep": (200, b"[" * 100_000),
    "other XML": (200, b"<a/>"),
    "not found": (404, b"no"),
    "forbidden": (403, b"no"),
    "failing": (500, b"no"),
}


@dataclass
class Ended:
    """How a command ended, and what it needed."""

    code: int
    errors: str
    seconds: float
    megabytes: int

    def faults(self) -> list[str]:
        """What is wrong with that."""
        found = []
        if "Traceback" in self.errors:
            found.append("traceback")
        if self.code not in CODES:
            found.append(f"exit code {self.code}")
        if self.code == 2 and "Usage:" not in self.errors and self.errors.count("error: ") > 1:
            found.append("more than one error")
        if self.seconds > MAX_SECONDS:
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


def run(command: str, folder: Path, kill_after: float | None = None) -> Ended:
    """Run a command of abroad in a folder, or kill it after so many seconds."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with (folder / "errors.log").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "abroad", *command.split()],
            cwd=folder,
            env=environment,
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


def run_bad_inputs(
    work: Path, only: str | None = None, commands: Sequence[str] | None = None, every: int = 1
) -> Iterator[Row]:
    """A row for each kind of input.

    Args:
        work: a folder to work in.
        only: one kind.
        commands: in place of those that read documents.
        every: 3 takes every third input.
    """
    row: Row | None = None
    for count, (kind, name, content) in enumerate(bad_inputs()):
        if only not in (None, kind) or count % every:
            continue
        if row is not None and row.kind != kind:
            yield row
        row = Row(kind) if row is None or row.kind != kind else row
        for number, command in enumerate(COMMANDS.get(kind) or commands or DOCUMENT_COMMANDS):
            folder = fresh(work / f"{kind.replace(' ', '_')}-{name}-{number}")
            (folder / name).write_bytes(content)
            ended = run(command.replace("FILE", name), folder)
            row.add(f"{command.split()[0]} {name}", ended, _lost(folder / name, content))
            _remove(folder)
    if row is not None:
        yield row


def _lost(path: Path, content: bytes) -> list[str]:
    return [] if path.read_bytes() == content else ["the input was changed"]


def run_bad_servers(work: Path) -> Row:
    """A server in place of NCBI's that answers anything but what was asked."""
    from tests.sources.servers import _Handler, serving

    row = Row("servers")
    for name, (code, body) in ANSWERS.items():

        class Handler(_Handler):
            answered = (code, body)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.answer(*self.answered, {"Retry-After": "0"})

        handler: type[BaseHTTPRequestHandler] = Handler
        folder = fresh(work / f"server-{name.replace(' ', '_')}")
        (folder / "ids.txt").write_text("1\n10.1021/x\n")
        with serving(handler) as url:
            row.add(name, run(f"extract ids.txt gold.jsonl --out out.csv --base-url {url}", folder))
    return row


def run_kills(work: Path, kills: int, seed: int = 0, only: Sequence[str] = tuple(KILLED)) -> Iterator[Row]:
    """A row for each command: killed twice at random moments, then run to its end."""
    draw = random.Random(seed)
    for name in only:
        command, outputs = KILLED[name]
        whole = fresh(work / f"whole-{name.replace(' ', '_')}")
        start = time.monotonic()
        run(command, whole)
        duration, row = time.monotonic() - start, Row(f"kills: {name}")
        for number in range(kills):
            folder = fresh(work / f"killed-{name.replace(' ', '_')}-{number}")
            for _ in range(2):
                run(command, folder, draw.uniform(0, duration))
            ended = run(command, folder)
            other = [path for path in outputs if _content(folder / path) != _content(whole / path)]
            row.add(f"kill {number}", ended, [f"{path} differs" for path in other])
            _remove(folder)
        yield row


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _remove(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    folder.rmdir()


HEADER = "| kind | cases | exit 0, 1, 2, other | longest (processor) | most memory | faults |\n" + "| --- " * 6 + "|"


def line(row: Row) -> str:
    """A row of the table."""
    codes = [row.codes.get(code, 0) for code in CODES]
    shown = ", ".join(map(str, [*codes, row.cases - sum(codes)]))
    return f"| {row.kind} | {row.cases} | {shown} | {row.seconds:.1f} s | {row.megabytes} MB | {len(row.faults)} |"


def main() -> int:
    """Run what the options say and print the table; 1 if a case failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--kills", type=int, default=20, help="of each command")
    parser.add_argument("--only", help="one kind of inputs, 'servers' or 'kills'")
    parser.add_argument("--short", action="store_true", help="one command for the inputs, three kills")
    parser.add_argument("--out", type=Path, help="write the table and the faults to this file too, as they come")
    options = parser.parse_args()
    if options.out is not None:
        options.out.write_text(f"{HEADER}\n", encoding="utf-8")
    print(HEADER, flush=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="faults-") as work:
        for row in _rows(Path(work), options):
            print(line(row), flush=True)
            rows.append(row)
            if options.out is not None:
                with options.out.open("a", encoding="utf-8") as stream:
                    stream.write("\n".join([line(row), *(f"  - {fault}" for fault in row.faults)]) + "\n")
    print("\n".join(f"{row.kind}: {fault}" for row in rows for fault in row.faults))
    return 1 if any(row.faults for row in rows) else 0


def _rows(work: Path, options: argparse.Namespace) -> Iterator[Row]:
    if options.only not in ("servers", "kills"):
        yield from run_bad_inputs(work, options.only, DOCUMENT_COMMANDS[1:2] if options.short else None)
    if options.only in (None, "servers"):
        yield run_bad_servers(work)
    if options.only in (None, "kills"):
        yield from run_kills(work, 3 if options.short else options.kills)


if __name__ == "__main__":
    sys.exit(main())
