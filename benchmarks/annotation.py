"""The annotation server with many records: time to push them, to show a page and to search; start-up and memory.

    python benchmarks/annotation.py --records 10000

Over HTTP with Argilla's SDK, against a server of `abroad annotate serve` in a temporary home. The abstracts are made
of made-up words by frequency, so that the text index grows as with real ones.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import argilla as rg
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.annotation.running import RunningServer

REPEATS = 15


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = RunningServer(Path(directory) / "home", "--port", "0")
        begin = time.perf_counter()
        server.start()
        rows = [("first start", f"{time.perf_counter() - begin:.1f} s")]
        try:
            rows += measure(server, options.records)
        finally:
            server.stop()
        begin = time.perf_counter()
        server.start()
        rows.append(("later start", f"{time.perf_counter() - begin:.1f} s"))
        server.stop()
    report(options.records, rows)


def measure(server: RunningServer, count: int) -> list[tuple[str, str]]:
    client = server.connect()
    rg.Workspace(name="benchmark", client=client).create()
    dataset = rg.Dataset(name="many", workspace="benchmark", settings=settings(), client=client).create()
    records = make_records(count)
    process = psutil.Process(server.process.pid)
    rows = [("memory after the start", megabytes(process))]
    again = records[: count // 10]
    for name, pushed in ((f"push of {count:,} records", records), (f"push of {len(again):,} of them again", again)):
        begin, busy = time.perf_counter(), sum(process.cpu_times()[:2])
        dataset.records.log(pushed)
        busy = sum(process.cpu_times()[:2]) - busy
        rows.append((name, f"{time.perf_counter() - begin:.0f} s ({busy:.0f} s of the server's CPU)"))

    def ask(body: dict, own: bool = True) -> Callable[[], None]:
        path = (
            f"/api/v1/{'me/' if own else ''}datasets/{dataset.id}/records/search?include=responses&include=suggestions"
        )
        return lambda: client.http_client.post(path, params={"limit": 10}, json=body).raise_for_status()

    def terms(scope: dict, values: list[str]) -> dict:
        return {"type": "terms", "scope": scope, "values": values}

    pending = terms({"entity": "response", "property": "status"}, ["pending"])
    kingdom = terms({"entity": "metadata", "metadata_property": "kingdom"}, ["Fungi"])
    low = {"type": "range", "scope": {"entity": "suggestion", "question": "kind", "property": "score"}, "le": 0.1}
    by_score = {"scope": {"entity": "metadata", "metadata_property": "lowest"}, "order": "asc"}
    searches = {
        "first page": {"filters": {"and": [pending]}},
        "text search, rare word": {"query": {"text": {"q": "word4999"}}, "filters": {"and": [pending]}},
        "text search, word of every record": {"query": {"text": {"q": "isolated"}}, "filters": {"and": [pending]}},
        "text search, two words and a filter": {
            "query": {"text": {"q": "isolated word7"}}, "filters": {"and": [pending, kingdom]},
        },
        "filter by metadata": {"filters": {"and": [pending, kingdom]}},
        "filter by suggestion's score": {"filters": {"and": [pending, low]}},
        "page sorted by metadata": {"filters": {"and": [pending]}, "sort": [by_score]},
        "vector similarity": {"query": {"vector": {"name": "meaning", "value": [1.0] * 64, "order": "most_similar"}}},
    }  # fmt: skip
    rows += [(name, milliseconds(ask(body))) for name, body in searches.items()]
    progress = f"/api/v1/me/datasets/{dataset.id}/metrics"
    rows.append(("progress", milliseconds(lambda: client.http_client.get(progress).raise_for_status())))
    ids = iter([record._server_id for record in dataset.records(limit=REPEATS + 1)])

    def submit() -> None:
        body = {"status": "submitted", "values": {"kind": {"value": "yes"}}}
        client.http_client.post(f"/api/v1/records/{next(ids)}/responses", json=body).raise_for_status()

    rows.append(("submit of a response", milliseconds(submit)))
    rows.append(("memory at the end", megabytes(process)))
    return rows


def settings() -> rg.Settings:
    return rg.Settings(
        fields=[rg.TextField(name="title"), rg.TextField(name="abstract")],
        questions=[
            rg.LabelQuestion(name="kind", labels=["yes", "no"]),
            rg.SpanQuestion(name="entities", field="abstract", labels=["organism", "chemical"], required=False),
        ],
        metadata=[rg.TermsMetadataProperty(name="kingdom"), rg.FloatMetadataProperty(name="lowest")],
        vectors=[rg.VectorField(name="meaning", dimensions=64)],
    )


def make_records(count: int) -> list[rg.Record]:
    """Abstracts of 200 words of a Zipf-like vocabulary of 5,000, each with ten span suggestions."""
    draw = random.Random(0)
    words = [f"word{number}" for number in range(5000)]
    weights = [1 / (number + 1) for number in range(5000)]
    records = []
    for number in range(count):
        abstract = "isolated " + " ".join(draw.choices(words, weights, k=200))
        spans = [{"start": start, "end": start + 8, "label": "chemical"} for start in range(0, 200, 20)]
        records.append(
            rg.Record(
                id=str(number),
                fields={"title": f"Title {number}", "abstract": abstract},
                metadata={"kingdom": draw.choice(["Plantae", "Fungi", "Bacteria"]), "lowest": draw.random()},
                suggestions=[
                    rg.Suggestion("kind", "yes", score=draw.random(), agent="model"),
                    rg.Suggestion("entities", spans, score=[0.5] * len(spans), agent="model"),
                ],
                vectors={"meaning": [draw.gauss(0, 1) for _ in range(64)]},
            )
        )
    return records


def milliseconds(work: Callable[[], None]) -> str:
    """Median and greatest of some repeats, the first left out."""
    work()
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - begin))
    return f"{statistics.median(times):.0f} ms (at most {max(times):.0f})"


def megabytes(process: psutil.Process) -> str:
    return f"{process.memory_info().rss / 2**20:.0f} MiB"


def report(count: int, rows: list[tuple[str, str]]) -> None:
    load = psutil.getloadavg()[1]
    lines = [f"# Annotation server, {count:,} records", ""]
    lines += [
        f"{platform.machine()}, {psutil.cpu_count()} cores, {date.today()}; load average {load:.1f} of other work."
    ]
    lines += ["`python benchmarks/annotation.py`; median of 15 requests, ten records a page.", ""]
    lines += ["| what | measured |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)]
    text = "\n".join(lines) + "\n"
    (Path(__file__).parent / "results" / "annotation.md").write_text(text)
    print(text, json.dumps(dict(rows), indent=1), sep="\n")


if __name__ == "__main__":
    main()
