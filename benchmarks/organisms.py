"""Measures the finder of organisms on documents that nothing of it was learnt from.

Run: python benchmarks/organisms.py ../shared/data [--words]

Mentions: the third of S1000 that is held out, all ranks. Names: organisms of the relations of
documents, found or not. False mentions: scientific names in 300 abstracts of other fields; most of these texts
name no organism, some do.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections import Counter
from pathlib import Path

from abroad.text.learn.corpora import curated, labelled, other_fields, s1000
from abroad.text.organisms import find_organisms

OTHER = 300


def mentions(data: Path) -> dict[str, float]:
    """Precision and recall of spans: the same span, and spans that overlap."""
    counts: Counter[str] = Counter()
    for record in s1000(data, held_out=True):
        gold = set(record.spans or ())
        found = {(m.start, m.end) for m in find_organisms(record.text)}
        counts["gold"] += len(gold)
        counts["found"] += len(found)
        counts["same"] += len(gold & found)
        counts["gold met"] += sum(any(s < end and start < e for s, e in found) for start, end in gold)
        counts["found met"] += sum(any(s < end and start < e for s, e in gold) for start, end in found)
    return {
        "precision, same span": counts["same"] / counts["found"],
        "recall, same span": counts["same"] / counts["gold"],
        "precision, overlap": counts["found met"] / counts["found"],
        "recall, overlap": counts["gold met"] / counts["gold"],
    }


def names(records: list) -> tuple[float, float, list[str]]:
    """Share of the organisms of relations that are found, mentions per document, and what is missed."""
    right, total, many, missed = 0, 0, 0, []
    for record in records:
        found = find_organisms(record.text)
        labels = {m.label.lower() for m in found}
        many += len(labels)
        for label in record.labels:
            total += 1
            right += label.lower() in labels
            if label.lower() not in labels:
                missed.append(f"{label} | {sorted(labels)}")
    return right / total, many / len(records), missed


def other(data: Path) -> tuple[Counter, Counter]:
    """Mentions by form in abstracts of other fields, and the words."""
    records = [record for record in other_fields(data) if record.source == "journals_2021_other"]
    forms: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for record in random.Random(1).sample(records, OTHER):
        for m in find_organisms(record.text):
            forms[m.form] += 1
            words[f"{m.form} {m.label} {getattr(m, 'belief', 1):.2f}"] += 1
    return forms, words


def speed(records: list) -> float:
    """Milliseconds for 1,500 characters, once everything is loaded, with every text new."""
    texts = [record.text for record in records]
    start = time.perf_counter()
    for text in texts:
        find_organisms(text)
    return (time.perf_counter() - start) * 1000 * 1500 / sum(map(len, texts))


def main(data: Path, show: bool) -> None:
    split = json.loads((Path(__file__).parent / "results" / "split.json").read_text(encoding="utf-8"))
    validation = set(split["validation"])
    start = time.perf_counter()
    find_organisms("Coptis chinensis and a sponge")
    print(f"| first call | {time.perf_counter() - start:.2f} s |")
    for name, value in mentions(data).items():
        print(f"| S1000, {name} | {value:.3f} |")
    sets = {
        "labelled, training part": list(labelled(data, validation, held_out=False)),
        "labelled, validation": list(labelled(data, validation, held_out=True)),
        "curated_dev": list(curated(data)),
    }
    for name, records in sets.items():
        recall, many, missed = names(records)
        print(f"| {name}: organisms of relations found | {recall:.3f} |")
        print(f"| {name}: different labels a document | {many:.2f} |")
        if show and name != "labelled, validation":
            print("\n".join(missed[:120]))
    forms, words = other(data)
    scientific = sum(count for form, count in forms.items() if form != "common")
    print(f"| other fields: scientific names a document | {scientific / OTHER:.3f} |")
    print(f"| other fields: common names a document | {forms['common'] / OTHER:.3f} |")
    print(f"| 1,500 characters | {speed(sets['labelled, training part']):.2f} ms |")
    if show:
        print(words.most_common(200))


if __name__ == "__main__":
    main(Path(sys.argv[1]), "--words" in sys.argv)
