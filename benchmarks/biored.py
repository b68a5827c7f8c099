"""The joint extractor on BioRED: pairs of identifiers of a document, whatever the type of their relation.

Run: python -m benchmarks.biored ../shared/data [--sizes 25 50 100 200 400] [--test "why"] > runs/biored.md

BioRED's own split. Everything is learnt from the first N training documents, thresholds too (by cross-validation); the
development documents were looked at while features were chosen. The test documents are scored only when --test says
why, and each time is a line at the end of benchmarks/results/biored.md.

Three figures of pairs: with gold entities (mentions and identifiers given, as in most published figures); end to end,
identifiers (a pair counts if both sides were linked to the right identifiers; only linked pairs are given); end to end,
mentions (a pair counts if both sides are entities whose mentions were found, whatever a database calls them:
recognition and relation without linking, which needs names that the training documents do not have).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from abroad.core.field import load_field
from abroad.documents.biored import biored_documents
from abroad.evaluation.bootstrap import bootstrap_intervals
from abroad.evaluation.metrics import Scores, add_scores
from abroad.extraction.builtin.calibrate import best_threshold, operating_points
from abroad.extraction.joint.extractor import JointExtractor
from abroad.extraction.joint.fit import train_joint
from abroad.extraction.joint.from_documents import annotated, schema_of
from abroad.extraction.joint.linking import UNKNOWN
from abroad.extraction.joint.pair_scorer import PairScorer, pair_table
from abroad.extraction.joint.reread import meant, read_mentions, reread
from abroad.extraction.joint.settings import JointTrainSettings
from abroad.extraction.joint.texts import Annotated, holds

RESULTS = Path(__file__).parent / "results" / "biored.md"
FIELD = load_field(Path(__file__).parents[1] / "configs" / "fields" / "biored.yaml")
SCHEMA = schema_of(FIELD)
FOLDS = 3


@dataclass
class Line:
    """Scores of each document under three readings, and the processor seconds that training took."""

    gold_entities: list[Scores]
    identifiers: list[Scores]
    mentions: list[Scores]
    names: list[Scores]
    seconds: float


def read(data: Path) -> dict[str, list[Annotated]]:
    """BioRED's documents by part of its split."""
    records = [json.loads(line) for line in (data / "ner" / "biored.jsonl").open(encoding="utf-8")]
    documents = [annotated(document) for document in biored_documents(records, FIELD)]
    parts: dict[str, list[Annotated]] = {}
    for record, document in zip(records, documents, strict=True):
        parts.setdefault(record["split"], []).append(document)
    return parts


def with_gold_entities(training: Sequence[Annotated]) -> tuple[PairScorer, float]:
    """A scorer of pairs of gold entities, and the probability from which they are related, by cross-validation."""
    tables = [pair_table(SCHEMA, document) for document in training]
    said: list[np.ndarray] = [np.zeros(0)] * len(tables)
    for fold in range(FOLDS):
        scorer = PairScorer.fit(SCHEMA, [table for place, table in enumerate(tables) if place % FOLDS != fold])
        for place in range(fold, len(tables), FOLDS):
            said[place] = scorer.log_odds(tables[place])
    gold = sum(len(document.relations) for document in training)
    truth = np.concatenate([table.truth for table in tables])
    threshold = best_threshold(operating_points(_probability(np.concatenate(said)), truth, gold))
    return PairScorer.fit(SCHEMA, tables), threshold


def score_gold(scorer: PairScorer, threshold: float, documents: Iterable[Annotated]) -> list[Scores]:
    """Scores of each document, whose mentions and identifiers are given."""
    result = []
    for document in documents:
        table = pair_table(SCHEMA, document)
        chosen = _probability(scorer.log_odds(table)) >= threshold
        result.append(Scores(int(table.truth[chosen].sum()), int(chosen.sum()), len(document.relations)))
    return result


def score_end_to_end(
    extractor: JointExtractor, documents: Iterable[Annotated]
) -> tuple[list[Scores], list[Scores], list[Scores]]:
    """(pairs of identifiers, pairs of found entities, mentions) of each document."""
    by_identifier, by_mentions, names = [], [], []
    for document in documents:
        found = read_mentions(SCHEMA, document.text, extractor.tagger, extractor.linker)
        own = reread(document, found)
        pairs, scores = extractor.scored(own)
        chosen = [pair for pair, score in zip(pairs, scores, strict=True) if score >= extractor.min_score]
        gold = {frozenset(triple[1:]) for triple in document.relations}
        ends = [frozenset(own.entities[e].identifier for e in (pair.head, pair.tail)) for pair in chosen]
        linked = {pair for pair in ends if not any(end.startswith(UNKNOWN) for end in pair)}
        by_identifier.append(Scores(len(linked & gold), len(linked), len(gold)))
        true_of = meant(document, found)
        right = {
            frozenset(true_of[end] for end in pair)
            for pair, c in zip(ends, chosen, strict=True)
            if holds(SCHEMA, c, own)
        }
        wrong = sum(not holds(SCHEMA, candidate, own) for candidate in chosen)
        by_mentions.append(Scores(len(right), len(right) + wrong, len(gold)))
        spans, true = ({(m.start, m.end, m.type) for m in d.mentions} for d in (own, document))
        names.append(Scores(len(spans & true), len(spans), len(true)))
    return by_identifier, by_mentions, names


def measure(training: Sequence[Annotated], parts: Mapping[str, Sequence[Annotated]]) -> dict[str, Line]:
    """Train once; score each part."""
    start = time.process_time()
    extractor, _ = train_joint(SCHEMA, training, JointTrainSettings(folds=FOLDS))
    seconds = time.process_time() - start
    scorer, threshold = with_gold_entities(training)
    return {
        name: Line(score_gold(scorer, threshold, part), *score_end_to_end(extractor, part), seconds)
        for name, part in parts.items()
    }


def _probability(odds: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-odds))


def cell(scores: Sequence[Scores]) -> str:
    total, interval = add_scores(scores), bootstrap_intervals(scores)["f1"]
    return (
        f"{total.precision:.1f} / {total.recall:.1f} / **{total.f1:.1f}** ({interval.low:.1f} to {interval.high:.1f})"
    )


def row(documents: int, part: str, line: Line) -> str:
    cells = [cell(scores) for scores in (line.gold_entities, line.identifiers, line.mentions, line.names)]
    return f"| {documents} | {part} | {' | '.join(cells)} | {line.seconds:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--sizes", type=int, nargs="*", default=[25, 50, 100, 200, 400])
    parser.add_argument("--test", metavar="WHY", help="score the test documents, and log it")
    arguments = parser.parse_args()
    parts = read(arguments.data)
    cores = len(os.sched_getaffinity(0))
    print(f"{date.today()}, Python {platform.python_version()}, {cores} cores, one used. Precision / recall / F1.\n")
    print("| documents | part | gold entities | end to end, identifiers | end to end, mentions | mentions | seconds |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for size in arguments.sizes:
        scored = {"dev": parts["Dev"]}
        if arguments.test and size >= len(parts["Train"]):
            scored["test"] = parts["Test"]
        lines = measure(parts["Train"][:size], scored)
        for name, line in lines.items():
            print(row(size, name, line), flush=True)
        if "test" in lines:
            own = lines["test"]
            with RESULTS.open("a", encoding="utf-8") as stream:
                f1 = [f"{add_scores(s).f1:.1f}" for s in (own.gold_entities, own.identifiers, own.mentions)]
                stream.write(f"| {date.today()} | {' | '.join(f1)} | {arguments.test} |\n")


if __name__ == "__main__":
    main()
