"""The built-in extractor on documents that it was not trained on: scores, hosts, other fields, calibration, speed.

Run: python -m benchmarks.extractor ../shared/data [--locked "why"] > runs/extractor.md

The validation documents (benchmarks/results/split.json) fitted the scorer: their figures are out of fold, at the
threshold that ships. The 97 curated ones were trained on in no way, but the rules of the reading were once written on
them. The locked ones are scored only when --locked says why, and each time is a line in benchmarks/results/locked.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np

from abroad.core.io import read_documents
from abroad.core.jsonl import read_jsonl
from abroad.core.schema import Document, Prediction
from abroad.evaluation.bootstrap import bootstrap_intervals
from abroad.evaluation.metrics import compare
from abroad.extraction.builtin.calibrate import expected_calibration_error
from abroad.extraction.builtin.candidates import label_key
from abroad.extraction.builtin.examples import Example
from abroad.extraction.builtin.fit import Basis, cross_validate
from abroad.extraction.builtin.pairs import DEFAULT_FOLDER, PairExtractor, default_tagger, load_pair_extractor
from abroad.extraction.builtin.reading import read_text
from benchmarks.field_data import (
    ROOT,
    SPLIT,
    food_sentences,
    further_examples,
    is_measured,
    other_fields,
    validation,
)

RESULTS = ROOT / "benchmarks" / "results"
LOG = RESULTS / "locked.md"


def row(name: str, documents: Sequence[Document], predictions: Sequence[Prediction], protocol: str = "upstream") -> str:
    comparison = compare(documents, predictions, protocol)
    intervals = bootstrap_intervals([outcome.scores for outcome in comparison.outcomes], 2000, 0)
    cells = [
        f"{getattr(comparison.scores, key):.1f} ({intervals[key].low:.1f} to {intervals[key].high:.1f})"
        for key in ("precision", "recall", "f1")
    ]
    return f"| {name} | {len(documents)} | {protocol} | {' | '.join(cells)} |"


def calibration_error(extractor: PairExtractor, documents: Sequence[Document]) -> float:
    """Of all candidate relations of the documents."""
    scores, truth = [], []
    for document in documents:
        gold = Example(document).gold
        for pair in extractor.scored(read_text(document.text, len(document.title))):
            scores.append(pair.score)
            truth.append((pair.organism.key, pair.chemical.key) in gold)
    return expected_calibration_error(np.array(scores), np.array(truth, dtype=float))


def reported_calibration_error(predictions: Sequence[Prediction], documents: Sequence[Document]) -> float:
    """Of the relations that are reported."""
    gold = {document.id: Example(document).gold for document in documents}
    rows = [
        (r.score, (label_key(r.organism), label_key(r.chemical)) in gold[p.id])
        for p in predictions
        for r in p.relations
    ]
    return expected_calibration_error(np.array([s for s, _ in rows]), np.array([y for _, y in rows], dtype=float))


def hosts(shared: Path, extractor: PairExtractor) -> str:
    """Relations given to hosts and test strains, and recall of what NPAtlas has, on documents kept from training.

    Some organisms that NPAtlas's negatives name do produce what is given to them: benchmarks/results/
    hosts_held_out.jsonl says which, read one by one; a pair that nobody read counts as wrong.
    """
    records = json.loads((shared / "field" / "npatlas_silver.json").read_text(encoding="utf-8"))
    read = {(r["id"], label_key(r["organism"])): r["produces"] for r in read_jsonl(RESULTS / "hosts_held_out.jsonl")}
    given = wrong = false = unsure = found = gold = 0
    for key in SPLIT["npatlas"]:
        document = Document.from_dict(records[key], key)
        prediction = extractor.predict(document)
        pairs = {(label_key(r.organism), label_key(r.chemical)) for r in prediction.relations}
        bad = {label_key(o if isinstance(o, str) else o["label"]) for o in records[key]["negative_organisms"]}
        given += len(pairs)
        for organism, chemical in (pair for pair in pairs if pair[0] in bad):
            produces = read.get((key, organism), [])
            wrong += 1
            unsure += produces is None
            false += produces is not None and chemical not in map(label_key, produces)
        wanted = Example(document).gold
        gold += len(wanted)
        found += len(wanted & pairs)
    return (
        f"| NPAtlas, {len(SPLIT['npatlas'])} documents naming a host or test strain | {100 * wrong / given:.1f}% of "
        f"{given} relations go to one; read one by one, {100 * false / given:.1f}% wrongly, "
        f"{100 * unsure / given:.1f}% unsure | recall of its compounds {100 * found / gold:.1f}% |"
    )


def food(shared: Path, extractor: PairExtractor) -> str:
    """Calibration on sentences of another kind: judged pairs of food and chemical, of the half not trained on."""
    scores, truth, judged = [], [], 0
    for document, pairs in food_sentences(shared):
        if is_measured(document):
            found = {
                (pair.organism.key, pair.chemical.key): pair.score
                for pair in extractor.scored(read_text(document.text, 0))
            }
            judged += len(pairs)
            scores += [found[pair] for pair in pairs if pair in found]
            truth += [float(holds) for pair, holds in pairs.items() if pair in found]
    error = expected_calibration_error(np.array(scores), np.array(truth))
    return (
        f"| FoodAtlas, {judged} pairs, {len(scores)} of them candidates | calibration error {error:.3f} | "
        f"{100 * np.mean(truth):.0f}% are true, mean score {np.mean(scores):.2f} |"
    )


def answered(shared: Path, extractor: PairExtractor) -> tuple[str, list[Prediction]]:
    texts = other_fields(shared)
    predictions = [extractor.predict(texts[key]) for key in SPLIT["other"]]
    firing = [prediction for prediction in predictions if prediction.relations]
    records = read_jsonl(RESULTS / "other_held_out.jsonl")
    states = {record["id"]: record["states_production"] for record in records}
    counts = Counter(states[prediction.id] for prediction in firing)
    totals = Counter(states[key] for key in SPLIT["other"])
    return (
        f"| other fields, {len(predictions)} documents read one by one | get relations: {counts[False]} of the "
        f"{totals[False]} that state no production, {counts[None]} of {totals[None]} unsure ones | "
        f"{counts[True]} of the {totals[True]} that state some |",
        firing,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--locked", metavar="WHY", help="score the locked documents too, and log why")
    parser.add_argument("--firing", type=Path, help="write what the extractor says of other fields, to be read")
    arguments = parser.parse_args()
    shared = arguments.shared
    extractor = load_pair_extractor()
    print(
        f"# The built-in extractor\n\n{date.today()}, {platform.processor() or platform.machine()}, {os.cpu_count()} "
        f"cores, Python {platform.python_version()}; `python -m benchmarks.extractor`.\n"
    )
    print("| documents | number | protocol | precision | recall | F1 |\n| --- | --- | --- | --- | --- | --- |")
    held_out, curated = validation(shared), read_documents(shared / "curated_dev.json")
    examples = [Example(document) for document in (*held_out, *curated)]
    further = further_examples(shared, [*held_out, *curated])
    measured = cross_validate(examples, further, Basis(default_tagger()), adapt=False)
    out_of_fold = measured.predictions(examples, extractor.min_score)
    predictions = out_of_fold[len(held_out) :]
    print(row("validation (scorer out of fold)", held_out, out_of_fold[: len(held_out)]))
    print(row("97 curated, published set (scorer out of fold; looked at)", curated, predictions))
    print(row("97 curated, published set (scorer out of fold; looked at)", curated, predictions, "strict"))
    if arguments.locked:
        locked = read_documents(shared / "field" / "labelled_locked.json")
        locked_predictions = list(extractor.extract(locked))
        print(row("locked", locked, locked_predictions))
        seen = "f0037"  # its twin g1246 was among what the encoder first learnt from
        rest = [place for place, document in enumerate(locked) if document.id != seen]
        print(row(f"locked without {seen}", [locked[p] for p in rest], [locked_predictions[p] for p in rest]))
        scores = compare(locked, locked_predictions).scores
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT
        ).stdout.strip()
        with LOG.open("a", encoding="utf-8") as stream:
            stream.write(
                f"| {date.today()} | {commit} | built-in extractor, default threshold | upstream | "
                f"{scores.precision:.1f} | {scores.recall:.1f} | {scores.f1:.1f} | {arguments.locked} |\n"
            )
    empty = [p for p, d in zip(predictions, curated, strict=True) if not d.relations]
    print("\n| of | figure | |\n| --- | --- | --- |")
    print(
        f"| curated documents without relations | {sum(not p.relations for p in empty)} of {len(empty)} left empty | |"
    )
    print(hosts(shared, extractor))
    print(food(shared, extractor))
    line, firing = answered(shared, extractor)
    print(line)
    if arguments.firing:
        texts = other_fields(shared)
        with arguments.firing.open("w", encoding="utf-8") as stream:
            for prediction in firing:
                document = texts[prediction.id]
                pairs = [[r.organism, r.chemical, r.score] for r in prediction.relations]
                record = {"id": document.id, "title": document.title, "abstract": document.abstract, "pairs": pairs}
                stream.write(json.dumps(record, ensure_ascii=False) + "\n")
    for name, documents in (("validation", held_out), ("97 curated", curated)):
        pairs = [(pair, example) for example in map(Example, documents) for pair in measured.pairs[example.document.id]]
        truth = np.array([float((p.organism.key, p.chemical.key) in example.gold) for p, example in pairs])
        error = expected_calibration_error(np.array([pair.score for pair, _ in pairs]), truth)
        print(f"| calibration error, candidates of the {name} (out of fold) | {error:.3f} | |")
    if arguments.locked:
        error, reported = calibration_error(extractor, locked), reported_calibration_error(locked_predictions, locked)
        print(f"| calibration error, candidates of the locked | {error:.3f} | of reported relations {reported:.3f} |")
    start = time.perf_counter()
    for document in held_out:
        extractor.predict(document)
    speed = len(held_out) / (time.perf_counter() - start)
    size = sum(file.stat().st_size for file in DEFAULT_FOLDER.iterdir()) / 2**20
    print(f"| speed, one core | {speed:.0f} documents a second | {size:.1f} MB |")


if __name__ == "__main__":
    main()
