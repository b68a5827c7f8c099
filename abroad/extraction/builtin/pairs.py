"""The built-in extractor: candidate organisms and chemicals of a text, paired and scored. No GPU, no language model.

It comes trained with the package (`abroad/extraction/builtin/default`, 23 MB): users have no
curated documents to train one on, and building it at installation would ask for them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.core.io import atomic_write, file_sha256, write_json
from abroad.core.schema import Document, Evidence, Prediction, Relation
from abroad.extraction.base import each_by_itself
from abroad.extraction.builtin.calibrate import (
    OperatingPoint,
    Scaling,
    nearest_point,
    scaling_from_dict,
    threshold_for_precision,
)
from abroad.extraction.builtin.candidates import ChemicalSpan
from abroad.extraction.builtin.decide import Decision
from abroad.extraction.builtin.encoder import MODEL, WIDTH, EncoderTagger, TextScores
from abroad.extraction.builtin.manifest import MANIFEST, check_manifest, write_manifest
from abroad.extraction.builtin.mentions import AdaptedTagger, MeanTagger, NoTagger, Tagger, TokenField
from abroad.extraction.builtin.reading import Reading, read_text
from abroad.extraction.builtin.score import (
    CandidateTable,
    RelationScorer,
    ScoredPair,
    candidate_table,
    ranked_pairs,
    stacked,
)

DEFAULT_FOLDER = Path(__file__).parent / "default"
FIELD = "mentions.crf"
_SCORER = "scorer.json"
_MAX_SPANS = 3  # of each side of a relation
_FORMAT = 3


@dataclass
class PairExtractor:
    """Relations with calibrated scores and evidence.

    Attributes:
        points: what each threshold gave on held-out documents.
        min_score: relations below it are left out.
        beside: in an abstract that has a relation of `min_score`, the others are left out below this; None: below
            `min_score` too.
        facts: how the model was trained and what it scored, for people.
        identity: names the model for resumption and the run record.
    """

    tagger: Tagger
    scorer: RelationScorer
    scaling: Scaling
    points: Sequence[OperatingPoint]
    min_score: float
    facts: dict[str, Any]
    identity: dict[str, Any]
    beside: float | None = None

    def __repr__(self) -> str:
        """One line: weights of thousands of features tell a reader nothing."""
        learned = f"of {self.facts.get('curated documents', 'unknown')} curated documents"
        return f"<{type(self).__name__} {learned}, {type(self.tagger).__name__}, min_score={self.min_score:g}>"

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        """One prediction a document; what fails becomes the prediction's error."""
        return each_by_itself(documents, self.predict)

    def predict(self, document: Document) -> Prediction:
        reading = read_text(document.text, len(document.title))
        return self.prediction(document.id, reading, self.scored(reading))

    def prediction(self, id: str, reading: Reading, pairs: Sequence[ScoredPair]) -> Prediction:
        """What is probable enough of the scored pairs of a text, in the order of the text."""
        chosen = in_order(Decision(self.min_score, self.beside).chosen(reading, pairs))
        capped = sum(expansion.capped for expansion in reading.expansions)
        left_out = reading.left_out.organisms + reading.left_out.chemicals
        relations = [relation(reading, pair) for pair in chosen]
        counts = {"capped": capped, "names_left_out": left_out}
        return Prediction(id, relations, extra={name: count for name, count in counts.items() if count})

    def scored(self, reading: Reading) -> list[ScoredPair]:
        """Every candidate relation with its calibrated score, best first."""
        table = candidate_table(reading, self.tagger.tag(reading))
        return self.ranked(table) if table is not None else []

    def ranked(self, table: CandidateTable) -> list[ScoredPair]:
        """The pairs of a table with their calibrated scores, best first."""
        pairs = ranked_pairs(table, self.scorer.probabilities(table))  # before calibration, which may make scores equal
        adjusted = self.scaling.apply(np.array([pair.score for pair in pairs]))
        return [replace(pair, score=float(score)) for pair, score in zip(pairs, adjusted, strict=True)]

    @property
    def point(self) -> OperatingPoint:
        """What the threshold nearest to `min_score` gave on held-out documents."""
        return nearest_point(self.points, self.min_score)

    def save(self, folder: Path) -> None:
        """Write the model: a JSON file, and a CRFsuite file where the tagger was adapted; then their checksums."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)  # so that a crash leaves none of an earlier model
        adapted = isinstance(self.tagger, AdaptedTagger)
        if isinstance(self.tagger, AdaptedTagger):
            with atomic_write(folder / FIELD, binary=True) as stream:
                stream.write(self.tagger.field.model)
        record = {
            "format": _FORMAT,
            "tagger": tagger_digest(),
            "adapted": adapted,
            "from_scratch": isinstance(self.tagger, AdaptedTagger) and isinstance(self.tagger.base, NoTagger),
            "min_score": self.min_score,
            "beside": self.beside,
            "facts": self.facts,
            "scaling": self.scaling.to_dict(),
            "points": [asdict(point) for point in self.points],
            "scorer": self.scorer.to_dict(),
        }
        write_json(folder / _SCORER, record)
        write_manifest(folder, (_SCORER, FIELD) if adapted else (_SCORER,))

    @classmethod
    def load(cls, folder: Path = DEFAULT_FOLDER, min_score: float | None = None) -> PairExtractor:
        """Read a model that `save` wrote.

        Raises:
            InputError: a file is missing, damaged, not of this format, or made with another encoder than the one that
                is here.
        """
        check_manifest(folder)
        try:
            record = json.loads((folder / _SCORER).read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(
                f"{folder}: not an extractor, {error.strerror}: {error.filename}; `abroad extractor train` makes one"
            ) from None
        except ValueError as error:
            raise InputError(f"{folder / _SCORER}: expected JSON: {error}") from None
        if not isinstance(record, dict) or record.get("format") != _FORMAT:
            raise InputError(
                f"{folder / _SCORER}: expected an extractor of format {_FORMAT}; train it again with "
                "`abroad extractor train`"
            )
        _check_model(folder, record)
        tagger = NoTagger() if record["from_scratch"] else default_tagger()
        if record["adapted"]:
            tagger = AdaptedTagger(tagger, TokenField(_read(folder / FIELD)))
        files = (_SCORER, FIELD) if record["adapted"] else (_SCORER,)
        digests = {name: file_sha256(folder / name)[:16] for name in files}
        beside = record.get("beside") if min_score is None else None
        chosen = float(record["min_score"]) if min_score is None else min_score
        decided = {"min_score": chosen} | ({"beside": beside} if beside is not None else {})
        return cls(
            tagger=tagger,
            scorer=RelationScorer.from_dict(record["scorer"]),
            scaling=scaling_from_dict(record["scaling"]),
            points=[OperatingPoint(**point) for point in record["points"]],
            min_score=chosen,
            facts=record["facts"],
            identity={"model": "pairs", "tagger": record["tagger"], "files": digests, **decided},
            beside=beside,
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path.parent}: not an extractor, {error.strerror}: {path}") from None


def _check_model(folder: Path, record: dict[str, Any]) -> None:
    """A model that counts other features than this version of the code would give nonsense, or nothing."""
    if not record["from_scratch"] and record["tagger"] != tagger_digest():
        raise InputError(f"{folder}: made with another tagger than this version of abroad has; train it again")
    reading = read_text("Usnic acid was isolated from Usnea barbata.")
    tokens = len(reading.tokens)
    tags, nothing = np.zeros((tokens, 3)), np.zeros((tokens, WIDTH))
    tags[:, 0], tags[0], tags[1] = 1, (0, 1, 0), (0, 0, 1)
    table = candidate_table(reading, TextScores(tags, np.roll(tags, 5, axis=0), nothing, nothing, 0.0))
    assert table is not None
    own = dict(zip(("organism", "chemical"), table.names, strict=False))
    own["pair"] = tuple(stacked(table, np.zeros(len(table.organisms)), np.zeros(len(table.chemicals)))[0])
    if any(tuple(record["scorer"][side]["names"]) != names for side, names in own.items()):
        raise InputError(f"{folder}: made by another version of abroad; train it again with `abroad extractor train`")


@cache
def default_tagger() -> Tagger:
    """The tagger that comes with the package; read once a process."""
    return MeanTagger(EncoderTagger(DEFAULT_FOLDER), TokenField(_read(DEFAULT_FOLDER / FIELD)))


@cache
def tagger_digest() -> str:
    """What tells one tagger from another."""
    digests = [file_sha256(DEFAULT_FOLDER / name) for name in (MODEL, FIELD)]
    return hashlib.sha256("".join(digests).encode("ascii")).hexdigest()[:16]


def in_order(pairs: Sequence[ScoredPair]) -> list[ScoredPair]:
    """In the order of the text: where the chemical is first named, its place in a list, then the organism."""
    return sorted(
        pairs,
        key=lambda pair: (
            min(span.start for span in pair.chemical.spans),
            pair.chemical.place,
            min(m.start for m in pair.organism.mentions),
        ),
    )


def relation(reading: Reading, pair: ScoredPair) -> Relation:
    """The relation of a scored pair, with its spans in the text as it was given."""
    given = reading.given

    def evidence(start: int, end: int, role: str, rule: str) -> Evidence:
        first, last = reading.original_span(start, end)
        return Evidence(first, last, given[first:last], role, rule)

    found = [evidence(m.start, m.end, "organism", m.rule) for m in pair.organism.mentions[:_MAX_SPANS]]
    spans = {(span.start, span.end): span for span in pair.chemical.spans}
    chosen = sorted(spans.values(), key=lambda span: (-span.log_score, span.start))[:_MAX_SPANS]
    for span in sorted(chosen, key=lambda span: span.start):
        found.append(evidence(span.start, span.end, "chemical", rule_of(reading, span)))
    return Relation(pair.organism.label, pair.chemical.label, round(pair.score, 4), evidence=found)


def rule_of(reading: Reading, span: ChemicalSpan) -> str:
    """How the labels of a span follow from the text, with the kind of list where it is one."""
    if span.labels == 1:
        return span.rule
    rules = [e.rule for e in reading.expansions if e.start < span.end and e.end > span.start]
    return rules[0] if rules else "list"


def load_pair_extractor(
    model: str | None = None, min_score: float | None = None, precision: float | None = None
) -> PairExtractor:
    """The built-in extractor or one of your own, at the threshold asked for.

    Args:
        model: directory that `abroad extractor train` wrote; None for the built-in.
        min_score: leave out relations below it; None for the extractor's own threshold.
        precision: take the threshold that gave it on held-out documents, in the place of `min_score`.
    Raises:
        InputError: no such extractor, or the precision was never reached.
    """
    folder = Path(model) if model is not None else DEFAULT_FOLDER
    extractor = PairExtractor.load(folder, min_score)
    if precision is None:
        return extractor
    return PairExtractor.load(folder, threshold_for_precision(extractor.points, precision).threshold)
