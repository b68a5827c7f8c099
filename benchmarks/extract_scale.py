"""Documents a second of extraction by one and more processes, its memory by the number of documents, and PubMed's time.

    python -m benchmarks.extract_scale [--documents 600] [--many 1000000] [--ray] > benchmarks/results/extract_scale.md
    python -m benchmarks.extract_scale --formats 100000      # the table of memory by format alone

Speed: the built-in extractor on abstracts of the project's own sample, start-up (processes, extractor) apart: each
rate is that between a small and a large run of the same kind. Memory: records that a generator writes, and an extractor
that reads each text and costs next to nothing, so that a million take minutes; each run is a process of its own.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from abroad.core.context import Context
from abroad.core.io import dump_line, read_documents
from abroad.core.provenance import peak_memory_mb
from abroad.core.schema import Document, Prediction, Relation
from abroad.documents.inputs import InputSettings
from abroad.documents.stream import open_inputs
from abroad.extraction.load import load_extractor
from abroad.pipeline.extract import Extraction, extract_stage
from abroad.pipeline.extract_settings import FileSettings

SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "curated.jsonl"
PUBMED = 36_000_000
FEW = 10_000
_MACHINES = ((1, 2), (1, 16), (10, 64))
_WORDS = 180  # of an abstract


class Cheap:
    """Reads each text and finds its first and its last word."""

    identity = {"model": "cheap"}  # noqa: RUF012  # as an extractor has it

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        """One relation a document."""
        for document in documents:
            words = document.text.split()
            yield Prediction(document.id, [Relation(words[0], words[-1], 0.5)])


def papers(count: int) -> Iterator[dict[str, str]]:
    """Records with an id and a text of their own, as long as abstracts are."""
    words = " ".join(document.text for document in read_documents(SAMPLE)).split()
    for number in range(count):
        start = number * 7 % (len(words) - _WORDS)
        text = " ".join(words[start : start + _WORDS])
        yield {"id": str(number + 1), "ArticleTitle": f"Paper {number}", "AbstractText": text}


def write_records(path: Path, count: int) -> None:
    """Records in the format of the file's name."""
    if path.suffix == ".parquet":
        import polars as pl

        pl.DataFrame(list(papers(count))).write_parquet(path, row_group_size=10_000)
        return
    if path.suffix == ".xlsx":
        import openpyxl

        book = openpyxl.Workbook(write_only=True)
        sheet = book.create_sheet()
        sheet.append(["id", "ArticleTitle", "AbstractText"])
        for paper in papers(count):
            sheet.append(list(paper.values()))
        book.save(path)
        return
    packed = gzip.open if path.suffix == ".gz" else open
    with packed(path, "wt", encoding="utf-8", newline="") as stream:
        if ".csv" in path.suffixes:
            writer = csv.DictWriter(stream, ["id", "ArticleTitle", "AbstractText"])
            writer.writeheader()
            writer.writerows(papers(count))
        elif ".xml" in path.suffixes:
            stream.write("<PubmedArticleSet>\n")
            stream.writelines(map(_as_xml, papers(count)))
            stream.write("</PubmedArticleSet>\n")
        elif path.suffix in _TAGGED:
            stream.writelines(map(_TAGGED[path.suffix].format_map, papers(count)))
        else:
            stream.writelines(map(dump_line, papers(count)))


_TAGGED = {
    ".ris": "TY  - JOUR\nID  - {id}\nTI  - {ArticleTitle}\nAB  - {AbstractText}\nER  - \n\n",
    ".nbib": "PMID- {id}\nTI  - {ArticleTitle}\nAB  - {AbstractText}\n\n",
}


def _as_xml(paper: dict[str, str]) -> str:
    title, text = (escape(paper[name]) for name in ("ArticleTitle", "AbstractText"))
    article = f"<ArticleTitle>{title}</ArticleTitle><Abstract><AbstractText>{text}</AbstractText></Abstract>"
    citation = f'<MedlineCitation><PMID Version="1">{paper["id"]}</PMID><Article>{article}</Article></MedlineCitation>'
    return f"<PubmedArticle>{citation}</PubmedArticle>\n"


def run(path: Path, cheap: bool, workers: int) -> dict[str, Any]:
    """One run in this process: its seconds, and the memory of this process and of its workers."""
    make = Cheap if cheap else partial(load_extractor, "builtin")
    begun = time.perf_counter()
    out = path.with_name(f"{path.name}.predictions.jsonl")
    settings = FileSettings(link=not cheap, workers=workers)
    with open_inputs([path], Context(), InputSettings()) as inputs:
        report = extract_stage(inputs, out, Extraction(make(), make), settings, Context())
    seconds = time.perf_counter() - begun
    assert report.counts.documents == sum(1 for _ in out.open("rb"))
    memory = {"driver_mb": peak_memory_mb(), "worker_mb": report.counts.peak_memory_mb}
    return {"documents": report.counts.documents, "seconds": seconds, **memory}


def measured(path: Path, cheap: bool, workers: int, ray: bool = False) -> dict[str, Any]:
    """`run` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.extract_scale", "--run", str(path), "--workers", str(workers)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **({"RAY_ADDRESS": "local"} if ray else {})}
    done = subprocess.run(
        [*command, *(["--cheap"] if cheap else [])], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def rate(folder: Path, documents: int, workers: int, ray: bool) -> tuple[float, float]:
    """(documents a second once all processes are at work, seconds until they are)."""
    runs = []
    for count in (documents // 4, documents):
        path = folder / f"speed-{count}-{workers}-{ray}.jsonl"
        write_records(path, count)
        runs.append(measured(path, cheap=False, workers=workers, ray=ray))
    small, large = runs
    found = (large["documents"] - small["documents"]) / max(large["seconds"] - small["seconds"], 1e-9)
    return found, max(large["seconds"] - large["documents"] / found, 0.0)


def speed_table(folder: Path, documents: int, ray: bool) -> tuple[list[str], float]:
    """The lines of the table, and the documents a second of one process."""
    lines = ["| processes | documents a second | start-up, s |", "| --- | ---: | ---: |"]
    rates = {}
    kinds = [("1, in process", 1, False), ("2", 2, False), *([("2, of Ray", 2, True)] if ray else [])]
    for label, workers, by_ray in kinds:
        rates[label], start = rate(folder, documents, workers, by_ray)
        lines.append(f"| {label} | {rates[label]:.1f} | {start:.1f} |")
    return lines, rates["1, in process"]


def memory_table(folder: Path, many: int) -> tuple[list[str], float]:
    """The lines of the table, and the seconds that a record costs the first process, which no other can share."""
    lines = ["| records | seconds | first process, MiB | workers, MiB |", "| ---: | ---: | ---: | ---: |"]
    found = []
    for count in (FEW, many):
        path = folder / f"memory-{count}.jsonl"
        write_records(path, count)
        found.append(measured(path, cheap=True, workers=2))
        path.unlink()
        row = found[-1]
        lines.append(f"| {count:,} | {row['seconds']:.0f} | {row['driver_mb']:.0f} | {row['worker_mb']:.0f} |")
    few, all_of_them = found
    ratios = [f"{all_of_them[key] / few[key]:.3f}" for key in ("driver_mb", "worker_mb")]
    lines += ["", f"Peak at {many:,} beside that at {FEW:,}: {ratios[0]} (first process), {ratios[1]} (workers)."]
    return lines, serial_cost(folder)


def format_table(folder: Path, many: int) -> list[str]:
    """The lines of a table: the peak of one process for a fifth of the records and for all, by format."""
    lines = ["| format | records | seconds | peak, MiB | beside the fifth |", "| --- | ---: | ---: | ---: | ---: |"]
    for ending in (".jsonl", ".jsonl.gz", ".csv", ".ris", ".nbib", ".xlsx", ".xml", ".xml.gz", ".parquet"):
        peaks = []
        for count in (many // 5, many):
            path = folder / f"records-{count}{ending}"
            write_records(path, count)
            row = measured(path, cheap=True, workers=1)
            path.unlink()
            peaks.append(row["driver_mb"])
            ratio = f"{peaks[-1] / peaks[0]:.2f}" if len(peaks) > 1 else ""
            lines.append(f"| {ending} | {count:,} | {row['seconds']:.0f} | {row['driver_mb']:.0f} | {ratio} |")
    return lines


def serial_cost(folder: Path) -> float:
    """Seconds a record of what the first process does alone: reading, splitting into shards, joining them."""
    from abroad.core.shards import ShardedOutput, ShardPlan

    path = folder / "serial.jsonl"
    write_records(path, FEW)
    begun = time.perf_counter()
    with open_inputs([path], Context(), InputSettings()) as inputs:
        output = ShardedOutput(inputs, folder / "serial.out.jsonl", ShardPlan({"model": "none"}, largest=1000))
        shards = output.plan(Context())
        for shard in shards:  # answers as long as those of the built-in extractor
            shard.out.write_bytes(shard.inputs.read_bytes())
        output.join(shards, Context(), folder / "documents.jsonl")
    return (time.perf_counter() - begun) / FEW


def estimate(per_core: float, serial: float) -> list[str]:
    """How long PubMed takes: the first process before and after, all cores between."""
    lines = ["| machines | cores of each | days | of them, the first process alone |", "| ---: | ---: | ---: | ---: |"]
    for machines, cores in _MACHINES:
        alone = PUBMED * serial / 86_400
        days = alone + PUBMED / (per_core * machines * cores) / 86_400
        lines.append(f"| {machines} | {cores} | {days:.2f} | {alone:.2f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=600, help="for the speed")
    parser.add_argument("--many", type=int, default=1_000_000, help="records for the memory")
    parser.add_argument("--formats", type=int, metavar="RECORDS", help="print the memory by format alone")
    parser.add_argument("--ray", action="store_true", help="measure Ray too")
    parser.add_argument("--run", type=Path, help="one run over this file, for the benchmark itself")
    parser.add_argument("--cheap", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    if options.run is not None:
        print(json.dumps(run(options.run, options.cheap, options.workers)))
        return
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        if options.formats is not None:
            print("\n".join(format_table(folder, options.formats)))
            return
        memory, serial = memory_table(folder, options.many)
        speed, per_core = speed_table(folder, options.documents, options.ray)
    print(
        f"# Extraction at scale\n\n`python -m benchmarks.extract_scale`, {date.today()}, {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}.\n"
    )
    print("## Memory\n\nAn extractor that costs next to nothing, 2 processes, JSONL.\n\n" + "\n".join(memory))
    print("\n## Speed\n\nThe built-in extractor with identifiers; start-up apart.\n\n" + "\n".join(speed))
    print(
        f"\n## The time that {PUBMED:,} abstracts take\n\nAn estimate: {per_core:.1f} documents a second and core, all "
        f"cores alike, and {serial * 1e6:.0f} µs a record of the first process, which reads, splits and joins alone.\n"
    )
    print("\n".join(estimate(per_core, serial)))


if __name__ == "__main__":
    main()
