"""The real build: 7,500 abstracts of the field and an index of 300,000 rows become a knowledge base; what it says.

    python -m benchmarks.knowledge --field ../shared/data/field --work /tmp/kb [--write]

Reads NPAtlas, MIBiG and journal abstracts, extracts with the built-in extractor (some minutes on one core; what is
there from an earlier run is kept), indexes `lotus_wikidata_plants.tsv.gz`, and builds in each format. `--write` puts
the tables into benchmarks/results/knowledge.md. The labels that the probabilities are compared with are those that the
built-in extractor was trained with, so that its scores look better on them than on new documents.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from abroad.core.io import read_documents, write_documents
from abroad.core.schema import Document
from abroad.evaluation.protocols import normalise_upstream
from abroad.knowledge.query import PairFilter, find_pairs
from abroad.knowledge.stats import Stats, measure
from abroad.knowledge.store import Store, readable
from abroad.sources.name_index import NameIndex
from abroad.sources.name_keys import name_key

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "knowledge.md"
Rows = list[tuple[object, ...]]
FILES = ("npatlas_abstracts.jsonl", "mibig_abstracts.jsonl", "np_journals_2021_unlabelled.jsonl")


def documents(field: Path) -> Iterator[Document]:
    """Each publication of the files once; the journal abstracts are of 2021."""
    seen: set[str] = set()
    for name in FILES:
        for number, line in enumerate((field / name).read_text(encoding="utf-8").splitlines()):
            record = json.loads(line)
            pmid, doi = (str(record[key]) if record.get(key) else None for key in ("pmid", "doi"))
            keys = {key.lower() for key in (pmid, doi) if key}
            if keys & seen:
                continue
            seen |= keys
            year = {"year": 2021} if name.startswith("np_journals") else {}
            id = pmid or doi or f"{Path(name).stem}-{number}"
            yield Document(id, record.get("title") or "", record.get("abstract") or "", pmid=pmid, doi=doi, extra=year)


def run(*words: str | Path) -> tuple[float, float]:
    """Run a command of abroad; (seconds, peak memory in MB)."""
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "abroad", *map(str, words)], cwd=ROOT, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(said)
    return time.monotonic() - start, usage.ru_maxrss / (1024 if sys.platform != "darwin" else 1 << 20)


def coverage(store: Store, index: NameIndex, read: list[Document]) -> Rows:
    """Of the index's pairs with these DOIs: how many name what the abstract has at all."""
    texts = {d.doi.lower(): (d.text.lower(), name_key(d.text)) for d in read if d.doi}
    labels = dict(index._connection.execute("SELECT id, label FROM chemical"))
    names = dict(index._connection.execute("SELECT id, label FROM organism"))
    rows = [row for row in store.query("SELECT head, tail, doi FROM known WHERE doi IS NOT NULL") if row[2] in texts]
    both = compound = 0
    for head, tail, doi in rows:
        has_tail = name_key(labels[tail]) in texts[doi][1]
        compound += has_tail
        both += has_tail and names[head].lower() in texts[doi][0]
    found = measure(store).coverage
    return [
        ("pairs that the index has with DOIs of these documents", found.pairs),
        ("of them, with the compound's name in the title or abstract", compound),
        ("of them, with both names there", both),
        ("found again", found.found),
    ]


def reliability(store: Store, field: Path) -> Rows:
    """(publications, pairs, mean probability, share that is right) of pairs whose documents are all labelled."""
    gold: dict[str, set[tuple[str, str]]] = {}
    for document in read_documents(field / "labelled.json"):
        pairs = {(normalise_upstream(o), normalise_upstream(c)) for o, c in document.label_pairs()}
        for key in (document.pmid, (document.doi or "").lower()):
            if key:
                gold[key] = pairs
    right: dict[tuple[str, str], bool] = {}
    labelled: dict[tuple[str, str], bool] = {}
    columns = "s.head, s.tail, s.head_text, s.tail_text, d.pmid, d.doi"
    query = f"SELECT {columns} FROM statement s JOIN document d ON d.id = s.document"
    for head, tail, organism, chemical, pmid, doi in store.query(query):
        said = gold.get(pmid or "", gold.get(doi or ""))
        key = (head, tail)
        labelled[key] = labelled.get(key, True) and said is not None
        found = said is not None and (normalise_upstream(organism), normalise_upstream(chemical)) in said
        right[key] = right.get(key, False) or found
    bins: dict[str, list[tuple[float, bool]]] = {}
    for pair in find_pairs(store, PairFilter()):
        key = (pair.head.id, pair.tail.id)
        if labelled.get(key):
            bins.setdefault(str(pair.publications) if pair.publications < 4 else "4 or more", []).append(
                (pair.probability, right[key])
            )
    return [
        (name, len(each), sum(p for p, _ in each) / len(each), sum(ok for _, ok in each) / len(each))
        for name, each in sorted(bins.items())
    ]


def table(header: tuple[str, ...], rows: Rows) -> str:
    lines = [f"| {' | '.join(header)} |", f"| --- |{' ---: |' * (len(header) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(map(_shown, row))} |" for row in rows)])


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}" if isinstance(value, float) else str(value)


def report(stats: Stats, times: Rows, covered: Rows, bins: Rows) -> str:
    """The page of results."""
    counts: Rows = list(stats.counts.items())
    statuses: Rows = [(f"pairs, {name}", each.pairs) for name, each in stats.statuses.items()]
    parts = [
        "# Knowledge base",
        f"`python -m benchmarks.knowledge`, {time.strftime('%Y-%m-%d')}, {platform.machine()}, one core, Python "
        f"{platform.python_version()}; other processes shared it, so that times are some three times too long.",
        "NPAtlas, MIBiG and journal abstracts of 2021; the index is made from `lotus_wikidata_plants.tsv.gz` "
        "(plants; names alone, no identifiers).",
        table(("what", "figure"), [*counts, *statuses]),
        "A pair is not linked where the index lacks one of its names. NPAtlas and MIBiG are of microbes and the index "
        "is of plants, so most are. Years are known of the journal abstracts alone.",
        "## Coverage of the index",
        table(("what", "figure"), covered),
        "Of the pairs with both names in the abstract that were not found again, all but one are of papers on fungi "
        "that grow in plants: the index has their compounds of the host, and the extractor those of the fungus. Most "
        "other rows have systematic names that no abstract has. `Gordonia` of the index is a plant, and that of two "
        "papers a bacterium: an index of names alone takes homonyms for one.",
        "## Probability",
        "Pairs whose documents are all labelled (`labelled.json`, which the extractor learnt from: on new documents it "
        "is less often right). Noisy-or over publications, scores as the extractor gives them.",
        table(("publications", "pairs", "mean probability", "share right"), bins),
        "## Time and memory",
        table(("step", "seconds", "peak MB", "file MB"), times),
    ]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--field", type=Path, default=ROOT / ".." / "shared" / "data" / "field")
    parser.add_argument("--work", type=Path, default=Path("/tmp/abroad-knowledge"))
    parser.add_argument("--write", action="store_true")
    chosen = parser.parse_args()
    work = chosen.work
    work.mkdir(parents=True, exist_ok=True)
    read = list(documents(chosen.field))
    write_documents(work / "field_documents.jsonl", read)
    times: Rows = []
    predictions, index = work / "field_predictions.jsonl", work / "field_index.sqlite"
    if not predictions.exists():
        times.append(
            (
                f"extract, {len(read):,} documents",
                *run("extract", work / "field_documents.jsonl", "--out", predictions),
                "",
            )
        )
    table_of_plants = chosen.field / "lotus_wikidata_plants.tsv.gz"
    taken = run("knowledge", "index", table_of_plants, "--out", index, "--force")
    times.append(("index of 302,985 rows", *taken, index.stat().st_size / 1e6))
    for format in ("duckdb", "sqlite", "parquet"):
        out = work / f"field.{format}"
        for old in (out, work / f"field.{format}.abroad" / "knowledge.duckdb"):
            old.unlink(missing_ok=True)
        words = ("knowledge", "build", predictions, "--index", index, "--out", out)
        times.append((f"build, {format}", *run(*words), out.stat().st_size / 1e6))
        times.append((f"the same again, {format}", *run(*words), out.stat().st_size / 1e6))
    with readable(work / "field.duckdb") as store:
        stats = measure(store)
        text = report(stats, times, coverage(store, NameIndex(index), read), reliability(store, chosen.field))
    print(text)
    if chosen.write:
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
