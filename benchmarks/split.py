"""Which documents the built-in extractor is validated on: drawn once, never trained on.

Run: python benchmarks/split.py ../shared/data > benchmarks/results/split.json

300 documents of labelled.json (of each source its share: those with relations by greedy maximum
entropy over genera and chemicals, one relation a document so that long lists are not preferred;
those without by chance), 200 of the NPAtlas silver set with a host or test strain, and 400 of
other fields. The locked documents are no part of it.
"""

from __future__ import annotations

import json
import random
import sys
from collections import defaultdict
from pathlib import Path

from gme_sampler import GreedyMaximumEntropySampler, RelationTable

VALIDATION, NPATLAS, OTHER = 300, 200, 400
TWINS = ["f0164", "g0400", "g0576", "g1246"]
"""The same papers as a locked or a validation document, reached through another feed: trained on never."""


def validation(documents: dict) -> list[str]:
    groups = defaultdict(list)
    for key, document in documents.items():
        groups[document["source"], bool(document["relations"])].append(key)
    chosen: list[str] = []
    for (_, related), keys in sorted(groups.items()):
        n = round(VALIDATION * len(keys) / len(documents))
        chosen += _by_entropy(documents, keys, n) if related and n else random.Random(0).sample(sorted(keys), n)
    return sorted(chosen)


def _by_entropy(documents: dict, keys: list[str], n: int) -> list[str]:
    rows = []
    for key in keys:
        names = {e["id"]: e["label"] for side in ("organisms", "chemicals") for e in documents[key][side]}
        organism, chemical = documents[key]["relations"][0]
        rows.append((key, names[organism].split()[0].lower(), names[chemical].lower()))
    items, organisms, chemicals = zip(*rows, strict=True)
    table = RelationTable.from_columns(items, {"organism": organisms, "chemical": chemicals})
    return list(GreedyMaximumEntropySampler().rank(table, n).items)


def _text(document: dict) -> str:
    return " ".join((document.get("AbstractText") or document.get("abstract") or "").split())[:80]


def main(folder: Path) -> None:
    field = folder / "field"
    documents = json.loads((field / "labelled.json").read_text(encoding="utf-8"))
    locked = json.loads((field / "labelled_locked.json").read_text(encoding="utf-8"))
    known = {_text(document) for document in (*documents.values(), *locked.values())}
    silver = json.loads((field / "npatlas_silver.json").read_text(encoding="utf-8"))
    with_host = [key for key, d in silver.items() if d["negative_organisms"] and _text(d) not in known]
    others = []
    for name in ("journals_2021_other", "mibig_negatives"):
        lines = (field / f"{name}.jsonl").read_text(encoding="utf-8").split("\n")
        records = [json.loads(line) for line in lines if line]
        others += [
            f"{name}:{number}" for number, record in enumerate(records) if _text(record) and _text(record) not in known
        ]
    random.Random(0).shuffle(others)
    random.Random(0).shuffle(with_host)
    split = {
        "validation": validation(documents),
        "npatlas": sorted(with_host[:NPATLAS]),
        "other": sorted(others[:OTHER]),
        "twins": TWINS,
    }
    json.dump(split, sys.stdout, indent=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
