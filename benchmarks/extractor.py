"""The default extractor out of fold: scores, ablation, speed.

Run: python benchmarks/extractor.py ../shared/data/curated_dev.json > benchmarks/results/extractor.md
(about four minutes on 2 cores). Every figure is of documents that the models had not seen: 5 folds by
document, the threshold of each fold chosen on the others.
"""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from unittest.mock import patch

import numpy as np

from abroad.evaluation.bootstrap import bootstrap_intervals
from abroad.evaluation.errors import ceiling, count_errors, find_errors
from abroad.evaluation.metrics import compare
from abroad.extraction.builtin.fit import SYNTHETIC_WEIGHT, Example, cross_validate, fit_models, train_extractor
from abroad.extraction.builtin.mentions import NameTagger
from abroad.extraction.builtin.pairs import DEFAULT_FOLDER, default_names, load_pair_extractor, relation
from abroad.extraction.builtin.score import ScoredPair, candidate_table
from abroad.io import read_documents
from abroad.schema import Document, Prediction

SYNTHETIC = Path(__file__).parents[1] / "data" / "synthetic" / "abstracts.jsonl"


class NoNames(NameTagger):
    """Knows nothing of chemicals at large."""

    def tag(self, tokens):
        return np.zeros(len(tokens)), np.zeros(len(tokens))


def held_out(curated: list[Document], synthetic: list[Document], names: NameTagger, seed: int = 0) -> list[Prediction]:
    examples = [Example(document) for document in curated]
    extra = [Example(document, SYNTHETIC_WEIGHT) for document in synthetic]
    return cross_validate(examples, extra, names, seed=seed).predictions(examples)


def every_organism_with_every_tagged_chemical(curated, synthetic, names):
    """No learned scorer: the tagger's best reading of each fold, crossed with all organisms named."""
    from abroad.extraction.builtin.fit import split_folds

    examples = [Example(document) for document in curated]
    extra = [Example(document, SYNTHETIC_WEIGHT) for document in synthetic]
    predictions = {}
    for part in split_folds(len(examples), 5, 0):
        rest = [example for place, example in enumerate(examples) if place not in part]
        tagger, _ = fit_models([*rest, *extra], names)
        for place in part:
            reading = examples[place].reading
            table = candidate_table(reading, tagger.tag(reading))
            pairs = table.pairs if table else []
            chosen = [ScoredPair(o, c, 1.0) for o, c in pairs if any(span.tagged for span in c.spans)]
            predictions[place] = Prediction(curated[place].id, [relation(reading, pair) for pair in chosen])
    return [predictions[place] for place in range(len(examples))]


def only_synthetic(curated, synthetic, names):
    """Nothing curated seen at all; the threshold is that of held-out synthetic abstracts."""
    return list(train_extractor(synthetic, [], names)[0].extract(curated))


_PARTS: dict[str, tuple[str, dict[str, Callable]]] = {
    "lists, ranges and shared heads not expanded": (
        "plain",
        {
            "abroad.extraction.builtin.reading.expand_lists": lambda text: [],
            "abroad.extraction.builtin.reading.expand_shared_heads": lambda text: [],
            "abroad.extraction.builtin.candidates.expand_phrase": lambda text: [text],
        },
    ),
    "abbreviated genera not resolved": ("plain", {"abroad.text.organisms._abbreviated": lambda *_: iter(())}),
    "spelling of species not mended": (
        "plain",
        {"abroad.text.organisms._one_spelling": lambda mentions: mentions},
    ),
    "overlapping names not sorted out": ("plain", {"abroad.extraction.builtin.fit.without_overlaps": list}),
    "no knowledge of chemical names at large": ("no names", {}),
    "no synthetic abstracts": ("no synthetic", {}),
    "no curated abstracts, synthetic only": ("only synthetic", {}),
    "no scorer: all organisms with all tagged chemicals": ("crossed", {}),
}


def run(name: str, gold: str, seed: int = 0) -> tuple[str, list[Prediction]]:
    curated, synthetic, names = read_documents(gold), read_documents(SYNTHETIC), default_names()
    how, patches = _PARTS.get(name, ("plain", {}))
    active = [patch(target, replacement) for target, replacement in patches.items()]
    for part in active:
        part.start()
    if how == "crossed":
        return name, every_organism_with_every_tagged_chemical(curated, synthetic, names)
    if how == "only synthetic":
        return name, only_synthetic(curated, synthetic, names)
    if how == "no names":
        names = NoNames(names.model)
    return name, held_out(curated, [] if how == "no synthetic" else synthetic, names, seed)


def main(gold: str) -> None:
    curated = read_documents(gold)
    jobs = [("everything", gold, seed) for seed in range(4)] + [(name, gold, 0) for name in _PARTS]
    with ProcessPoolExecutor(2, max_tasks_per_child=1) as pool:
        results = list(pool.map(run, *zip(*jobs, strict=True)))
    whole = results[0][1]

    print(
        f"# The default extractor\n\n{date.today()}, {platform.processor() or platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}; `python benchmarks/extractor.py`.\n"
        f"{len(curated)} curated documents, 5 folds by document, every figure out of fold.\n"
    )
    print("| protocol | precision | recall | F1 |\n| --- | --- | --- | --- |")
    for protocol in ("upstream", "strict"):
        comparison = compare(curated, whole, protocol)
        intervals = bootstrap_intervals([outcome.scores for outcome in comparison.outcomes], 2000, 0)
        cells = [
            f"{getattr(comparison.scores, key):.1f} ({intervals[key].low:.1f} to {intervals[key].high:.1f})"
            for key in ("precision", "recall", "f1")
        ]
        print(f"| {protocol} | {' | '.join(cells)} |")
    others = [compare(curated, predictions).scores.f1 for _, predictions in results[:4]]
    listed = ", ".join(f"{f1:.1f}" for f1 in others)
    print(f"\nF1 with other folds (seeds 0 to 3): {listed}; mean {np.mean(others):.1f}.\n")

    print("## Ablation\n\n| without | precision | recall | F1 | difference |\n| --- | --- | --- | --- | --- |")
    base = compare(curated, whole).scores
    print(f"| (everything in place) | {base.precision:.1f} | {base.recall:.1f} | {base.f1:.1f} | |")
    for name, predictions in results[4:]:
        s = compare(curated, predictions).scores
        print(f"| {name} | {s.precision:.1f} | {s.recall:.1f} | {s.f1:.1f} | {s.f1 - base.f1:+.1f} |")

    comparison = compare(curated, whole)
    print("\n## Ceiling of recall\n\n| reading | reachable | share |\n| --- | --- | --- |")
    for row in ceiling(comparison):
        print(f"| {row.name} | {row.reachable} of {row.gold} | {row.share:.1f} |")
    print("\n## Errors\n\n| kind | relations | documents | example |\n| --- | --- | --- | --- |")
    for count in count_errors(find_errors(comparison)):
        example = f"{count.example.organism} → {count.example.chemical} ({count.example.document})"
        print(f"| {count.side}: {count.kind} | {count.count} | {count.documents} | {example} |")

    start = time.perf_counter()
    extractor = load_pair_extractor()
    loaded = time.perf_counter()
    list(extractor.extract(curated))
    first = time.perf_counter()
    list(extractor.extract(curated * 5))
    seconds = (time.perf_counter() - first) / 5
    size = sum(file.stat().st_size for file in DEFAULT_FOLDER.iterdir()) / 2**20
    print(
        f"\n## Speed and size\n\nLoading {loaded - start:.2f} s, the first {len(curated)} documents "
        f"{first - loaded:.2f} s (names of taxa are read), then {len(curated) / seconds:.0f} documents a second on one "
        f"core. The model is {size:.1f} MB. Calibration error (10 bins, calibrated on the other folds): "
        f"{extractor.facts['calibration error']}."
    )


if __name__ == "__main__":
    main(sys.argv[1])
