"""The matrix of bad inputs, bad servers and kills: what does `abroad` make of each, in what time and memory?

    python -m benchmarks.faults [--kills 20] [--only KIND] [--short] [--ray] [--out FILE.md]     (make fuzz)

A case fails if the command ends with a traceback or an exit code that is none of ours, says its error in more than a
line, needs more than 12 s of processor time (and 3 s a megabyte beyond the first) or 1 GB, or, killed (-9) at a random
moment and started again, writes another result than a run that nobody disturbed. Prints a table;
exit code 1 if a case failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from benchmarks.bad_inputs import bad_inputs
from benchmarks.faults_kills import RAY, run_kills
from benchmarks.faults_run import CODES, SECONDS_A_MEGABYTE, Row, fresh, remove, run

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
            ended.allowed += SECONDS_A_MEGABYTE * max(0.0, len(content) / 1e6 - 1)
            row.add(f"{command.split()[0]} {name}", ended, _lost(folder / name, content))
            remove(folder)
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
    parser.add_argument("--ray", action="store_true", help="kill runs on Ray too: a few, since each starts a cluster")
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
    if options.ray:
        yield from run_kills(work, max(1, options.kills // 4), only=[RAY])


if __name__ == "__main__":
    sys.exit(main())
