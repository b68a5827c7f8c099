"""The joint extractor: finds the mentions of a field's entities, links them, and scores the relations between them.

Everything it knows was learnt from annotated documents of that field. No GPU, no language model; its files hold numbers
and names only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.errors import InputError
from abroad.core.io import atomic_write, file_sha256, write_json
from abroad.core.schema import Document, Evidence, Prediction, Relation
from abroad.core.schema import Entity as NamedEntity
from abroad.extraction.base import each_by_itself
from abroad.extraction.builtin.calibrate import OperatingPoint, PlattScaling, nearest_point, threshold_for_precision
from abroad.extraction.builtin.manifest import MANIFEST, check_manifest, write_manifest
from abroad.extraction.builtin.reading import LONGEST_TEXT, TextTooLong
from abroad.extraction.joint.linking import UNKNOWN, Linker
from abroad.extraction.joint.names import NameFinder
from abroad.extraction.joint.pair_scorer import PairScorer, pair_table
from abroad.extraction.joint.reread import read_mentions
from abroad.extraction.joint.tagger import MentionTagger
from abroad.extraction.joint.texts import Annotated, Candidate, Entity, Mention, RelationType, Schema, Text
from abroad.text.scientific_names import organism_identifier

MODEL, TAGGER = "joint.json", "mentions.crf"
_FORMAT = 1
_MAX_SPANS = 3  # of each side of a relation
_MAX_ENTITIES = 150  # an abstract names 12, a review in full 100


@dataclass
class JointExtractor:
    """Relations of a field with calibrated scores and evidence.

    Attributes:
        points: what each threshold gave on held-out documents.
        min_score: relations below it are left out.
        facts: how it was trained and what it scored, for people.
        identity: names the model for resumption and the run record.
        beside: a lower threshold of what stands beside a surer relation, as `PairExtractor` has; here there is none.
    """

    schema: Schema
    tagger: MentionTagger
    linker: Linker
    scorer: PairScorer
    scaling: PlattScaling
    points: Sequence[OperatingPoint]
    min_score: float
    facts: dict[str, Any]
    identity: dict[str, Any]
    beside: float | None = None

    def __repr__(self) -> str:
        """One line: weights of thousands of features tell a reader nothing."""
        return f"<{type(self).__name__} of {self.facts.get('documents')} documents, min_score={self.min_score:g}>"

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        """One prediction a document; what fails becomes the prediction's error."""
        return each_by_itself(documents, self.predict)

    @property
    def entity_types(self) -> Sequence[str]:
        """All there are in the field."""
        return self.schema.types

    def entities(self, document: Document) -> list[NamedEntity]:
        """What the text names, in a relation or not; the id is empty of what no list of names has."""
        read = self._read(document)
        return [
            NamedEntity(
                _identifier(self.schema, read.text, entity) or "",
                _label(read.text, entity),
                {"spans": [[mention.start, mention.end] for mention in entity.mentions]},
                type=entity.type,
            )
            for entity in read.entities
        ]

    def _read(self, document: Document) -> Annotated:
        if len(document.text.strip()) > LONGEST_TEXT:
            raise TextTooLong(f"the text has {len(document.text):,} characters; expected at most {LONGEST_TEXT:,}")
        text = Text(document.id, document.text, len(document.title))
        return Annotated(text, read_mentions(self.schema, text, self.tagger, self.linker))

    def predict(self, document: Document) -> Prediction:
        read = self._read(document)
        kept = Annotated(read.text, most_named(read))
        found, scores = self.scored(kept)
        prediction = prediction_of(self.schema, kept, found, scores, self.min_score)
        if left_out := len(read.entities) - len(kept.entities):
            prediction.extra["names_left_out"] = left_out
        return prediction

    def scored(self, read: Annotated) -> tuple[list[Candidate], np.ndarray]:
        """Every candidate relation between the entities of a text, and its probability, shape (candidates,)."""
        table = pair_table(self.schema, read)
        odds = self.scorer.log_odds(table)
        return list(table.found), self.scaling.apply(1 / (1 + np.exp(-odds)))

    @property
    def point(self) -> OperatingPoint:
        """What the threshold nearest to `min_score` gave on held-out documents."""
        return nearest_point(self.points, self.min_score)

    def save(self, folder: Path) -> None:
        """Write the model: a JSON file and a CRFsuite file; then their checksums."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / MANIFEST).unlink(missing_ok=True)  # so that a crash leaves none of an earlier model
        with atomic_write(folder / TAGGER, binary=True) as stream:
            stream.write(self.tagger.model)
        schema = {
            "types": list(self.schema.types),
            "relations": [asdict(relation) for relation in self.schema.relations],
            "strains": list(self.schema.strains),
        }
        further = {"ranges": list(self.schema.ranges), "taxa": list(self.schema.taxa)}
        schema |= {key: types for key, types in further.items() if types}  # without, files are as before these keys
        record = {
            "format": _FORMAT,
            "schema": schema,
            "min_score": self.min_score,
            "facts": self.facts,
            "scaling": self.scaling.to_dict(),
            "points": [asdict(point) for point in self.points],
            "names": self.linker.to_dict(),
            "sources": self.tagger.names.to_dict(),
            "scorer": self.scorer.to_dict(),
        }
        write_json(folder / MODEL, record)
        write_manifest(folder, (MODEL, TAGGER))

    @classmethod
    def load(cls, folder: Path, min_score: float | None = None) -> JointExtractor:
        """Read a model that `save` wrote.

        Raises:
            InputError: a file is missing, damaged or not of this format.
        """
        check_manifest(folder)
        record = _read_model(folder)
        relations = tuple(RelationType(**relation) for relation in record["schema"]["relations"])
        strains, ranges, taxa = (tuple(record["schema"].get(key, ())) for key in ("strains", "ranges", "taxa"))
        schema = Schema(tuple(record["schema"]["types"]), relations, strains, ranges, taxa)
        sources = NameFinder.from_dict(record["sources"]) if "sources" in record else NameFinder()
        chosen = float(record["min_score"]) if min_score is None else min_score
        try:
            tagger = MentionTagger((folder / TAGGER).read_bytes(), 1 + 2 * len(schema.types), sources)
        except OSError as error:
            raise InputError(f"{folder}: not an extractor, {error.strerror}: {error.filename}") from None
        digests = {name: file_sha256(folder / name)[:16] for name in (MODEL, TAGGER)}
        return cls(
            schema=schema,
            tagger=tagger,
            linker=Linker.from_dict(record["names"]),
            scorer=PairScorer.from_dict(record["scorer"]),
            scaling=PlattScaling(record["scaling"]["slope"], record["scaling"]["intercept"]),
            points=[OperatingPoint(**point) for point in record["points"]],
            min_score=chosen,
            facts=record["facts"],
            identity={"model": "joint", "files": digests, "min_score": chosen},
        )


def load_joint_extractor(
    folder: Path, min_score: float | None = None, precision: float | None = None
) -> JointExtractor:
    """An extractor of a directory, at the threshold asked for.

    Raises:
        InputError: no such extractor, or the precision was never reached on held-out documents.
    """
    extractor = JointExtractor.load(folder, min_score)
    if precision is None:
        return extractor
    chosen = threshold_for_precision(extractor.points, precision).threshold
    return replace(extractor, min_score=chosen, identity={**extractor.identity, "min_score": chosen})


def prediction_of(
    schema: Schema, read: Annotated, found: Sequence[Candidate], scores: np.ndarray, min_score: float
) -> Prediction:
    """What is probable enough, in the order of the text.

    Args:
        scores: of the candidates, shape (candidates,).
    """
    chosen = [(c, float(score)) for c, score in zip(found, scores, strict=True) if score >= min_score]
    entities = read.entities
    chosen.sort(key=lambda pair: (entities[pair[0].head].spans[0], entities[pair[0].tail].spans[0], pair[0].relation))
    return Prediction(read.text.id, [relation_of(schema, read, candidate, score) for candidate, score in chosen])


def most_named(read: Annotated) -> list[Mention]:
    """The mentions of a text without those of entities beyond a bound: time grows with the square of their number."""
    if len(read.entities) <= _MAX_ENTITIES:
        return list(read.mentions)
    ranked = sorted(read.entities, key=lambda entity: (-len(entity.spans), entity.spans))
    kept = {(entity.identifier, entity.type) for entity in ranked[:_MAX_ENTITIES]}
    limited = (
        replace(mention, identifiers=tuple(i for i in mention.identifiers if (i, mention.type) in kept))
        for mention in read.mentions
    )
    return [mention for mention in limited if mention.identifiers]


def relation_of(schema: Schema, read: Annotated, candidate: Candidate, score: float | None) -> Relation:
    """A relation with its evidence.

    Args:
        score: None where there is none.
    """
    text, kind = read.text, schema.relations[candidate.relation]
    head, tail = read.entities[candidate.head], read.entities[candidate.tail]
    relation = Relation(
        _label(text, head),
        _label(text, tail),
        None if score is None else round(score, 4),
        _identifier(schema, text, head),
        _identifier(schema, text, tail),
        type=kind.name,
        head_type=head.type,
        tail_type=tail.type,
    )
    for entity, role in zip((head, tail), relation.roles, strict=True):
        relation.evidence += _evidence(text, entity, role)
    return relation


def _identifier(schema: Schema, text: Text, entity: Entity) -> str | None:
    """The identifier that was learnt, or that a table gives; else what the field links names to, if that knows it."""
    if not entity.identifier.startswith(UNKNOWN):
        return entity.identifier
    return organism_identifier(_label(text, entity)) if entity.type in schema.taxa else None


def _label(text: Text, entity: Entity) -> str:
    """The longest name of an entity in the text, the first of these: an abbreviation is the worst to know it by."""
    names = [text.name(mention) for mention in entity.mentions]
    return " ".join(max(names, key=len).split())


def _evidence(text: Text, entity: Entity, role: str) -> list[Evidence]:
    shown = entity.mentions[:_MAX_SPANS]
    return [Evidence(m.start, m.end, text.given[m.start : m.end], role, m.rule) for m in shown]


def _read_model(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / MODEL).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{folder}: not an extractor, {error.strerror}: {error.filename}") from None
    except ValueError as error:
        raise InputError(f"{folder / MODEL}: expected JSON: {error}") from None
    if not isinstance(record, dict) or record.get("format") != _FORMAT:
        raise InputError(f"{folder / MODEL}: expected an extractor of format {_FORMAT}; train it again")
    return record
