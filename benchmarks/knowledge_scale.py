"""Memory of `abroad knowledge build` by the number of predictions, each build in a process of its own.

    python -m benchmarks.knowledge_scale [--few 10000] [--many 200000] [--formats duckdb sqlite]

Documents of the length of abstracts, each with two relations; half of the compounds' names stand in one document only,
as in the literature.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from abroad.core.helpers import helper
from abroad.core.io import dump_line
from abroad.core.schema import Document
from abroad.text.evidence import with_evidence
from benchmarks.extract_scale import papers

_ORGANISMS, _COMPOUNDS = 5_000, 20_000


def write_predictions(path: Path, count: int) -> None:
    """Predictions, and beside them the documents, as `abroad extract` leaves both."""
    beside = helper(path, "documents.jsonl")
    beside.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as predictions, beside.open("w", encoding="utf-8") as documents:
        for number, paper in enumerate(papers(count)):
            organism = f"Usnea examplaris{number % _ORGANISMS}"
            names = (f"examplin {number}", f"samplin {number % _COMPOUNDS}")
            text = f"{paper['AbstractText']} {names[0]} and {names[1]} were isolated from {organism}."
            document = Document(paper["id"], paper["ArticleTitle"], text, pmid=paper["id"])
            relations = [with_evidence(document, organism, name, 0.9).to_dict() for name in names]
            documents.write(dump_line(document.to_dict()))
            predictions.write(dump_line({"id": document.id, "relations": relations, "error": None}))


def build(path: Path, out: Path) -> dict[str, float]:
    """(seconds, peak MiB) of one build by the command."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "abroad", "knowledge", "build", str(path), "--out", str(out)]
    process = os.spawnv(os.P_NOWAIT, sys.executable, command)
    _, status, usage = os.wait4(process, 0)
    if status:
        raise SystemExit(f"{out}: the build failed")
    return {"seconds": time.monotonic() - begun, "peak": usage.ru_maxrss / 1024, "file": out.stat().st_size / 2**20}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--few", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=200_000)
    parser.add_argument("--formats", nargs="+", default=["duckdb", "sqlite"])
    chosen = parser.parse_args()
    print("| format | predictions | seconds | peak, MiB | file, MiB |\n| --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        for count in (chosen.few, chosen.many):
            path = Path(folder) / f"{count}.jsonl"
            write_predictions(path, count)
            for format in chosen.formats:
                found = build(path, Path(folder) / f"{count}.{format}")
                row = f"{found['seconds']:.0f} | {found['peak']:.0f} | {found['file']:.0f}"
                print(f"| {format} | {count:,} | {row} |", flush=True)


if __name__ == "__main__":
    main()
