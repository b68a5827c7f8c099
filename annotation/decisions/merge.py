"""Several curators' decisions on a document -> one curated document, and the conflicts that are left.

Relations are compared as `abroad evaluate` compares them (protocol upstream). A relation stands if more than half of
the curators who submitted the document have it; where exactly half have it, it is open: it is left out and the
document is listed as a conflict. The newest submitted decision of an adjudication batch overrules all others.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as default
from typing import Any

from abroad.core.field import Field
from abroad.core.schema import Document, Entity
from abroad.text.characters import normalise_upstream
from annotation.decisions.records import Decision, counted
from annotation.decisions.typed import marked, typed_document
from annotation.words import RelationText

AGREED, MAJORITY, CONFLICT, ADJUDICATED, SINGLE = "agreed", "majority", "conflict", "adjudicated", "single"


@dataclass(frozen=True)
class Conflict:
    """A document whose curators differ in relations that no majority settles.

    Attributes:
        answers: curator -> relations.
        open: relations that half of them have.
    """

    document: str
    answers: dict[str, tuple[RelationText, ...]]
    open: tuple[RelationText, ...]

    def to_dict(self) -> dict[str, Any]:
        answers = {curator: [list(pair) for pair in pairs] for curator, pairs in self.answers.items()}
        return {"document": self.document, "answers": answers, "open": [list(pair) for pair in self.open]}


@dataclass
class Merged:
    """The decisions of all curators, joined.

    Attributes:
        documents: curated ones; `extra["curation"]` says how each came about.
        conflicts: documents with open relations, not adjudicated.
    """

    documents: list[Document] = default(default_factory=list)
    conflicts: list[Conflict] = default(default_factory=list)


def merge(decisions: Sequence[Decision], documents: Iterable[Document], typing: Typing | None = None) -> Merged:
    """Merge what was submitted; documents that nobody submitted are left out.

    Args:
        typing: of another field than natural products.
    """
    by_document: dict[str, list[Decision]] = {}
    for decision in counted(decisions):
        by_document.setdefault(decision.document, []).append(decision)
    merged = Merged()
    for document in documents:
        votes = by_document.get(document.id)
        if not votes:
            continue
        relations, status, conflict = settle(votes)
        facts = {"status": status, "curators": sorted({vote.curator for vote in votes})}
        merged.documents.append(curated_document(document, relations, facts, typing and typing.beside(document, votes)))
        if conflict is not None:
            merged.conflicts.append(conflict)
    return merged


def settle(votes: Sequence[Decision]) -> tuple[list[RelationText], str, Conflict | None]:
    """(relations that stand, how, what is open) of the submitted decisions on one document."""
    judged = [vote for vote in votes if vote.batch.endswith("adjudication")]
    if judged:
        return list(max(judged, key=lambda vote: vote.updated_at).relations), ADJUDICATED, None
    latest: dict[str, Decision] = {}
    for vote in sorted(votes, key=lambda vote: vote.updated_at):
        latest[vote.curator] = vote
    names: dict[RelationText, RelationText] = {}
    count: dict[RelationText, int] = {}
    for vote in latest.values():
        for key, pair in {pair_key(pair): pair for pair in reversed(vote.relations)}.items():
            names.setdefault(key, pair)
            count[key] = count.get(key, 0) + 1
    order = dict.fromkeys(pair_key(pair) for vote in latest.values() for pair in vote.relations)
    stand = [names[key] for key in order if 2 * count[key] > len(latest)]
    undecided = tuple(names[key] for key in order if 2 * count[key] == len(latest))
    if undecided:
        answers = {curator: vote.relations for curator, vote in sorted(latest.items())}
        return stand, CONFLICT, Conflict(votes[0].document, answers, undecided)
    if len(latest) == 1:
        return stand, SINGLE, None
    return stand, AGREED if all(number == len(latest) for number in count.values()) else MAJORITY, None


def pair_key(relation: RelationText) -> RelationText:
    """What makes two relations the same."""
    return tuple(map(normalise_upstream, relation))


@dataclass(frozen=True)
class Typing:
    """Which types names of a field other than natural products have.

    Attributes:
        known: document id -> (label, type) of what was suggested.
        marks: (words, type) of what the curators of one document have marked.
    """

    field: Field
    known: Mapping[str, Sequence[tuple[str, str]]] = default(default_factory=dict)
    marks: Sequence[tuple[str, str]] = ()

    def beside(self, document: Document, votes: Sequence[Decision]) -> Typing:
        """With the marks of these decisions on a document."""
        return replace(self, marks=[mark for vote in votes for mark in marked(document, vote.mentions)])


def curated_document(
    document: Document, relations: Sequence[RelationText], curation: dict[str, Any], typing: Typing | None = None
) -> Document:
    """The document with these relations and no others.

    An entity that the document has already keeps its id and what is said of it (`type`, `pubchem_id`); ids of others
    are O1, O2, ... and C1, C2, ...
    """
    if typing is not None:
        known = [*typing.marks, *typing.known.get(document.id, ())]
        entities, triples = typed_document(document, relations, known, typing.field)
        return replace(document, entities=entities, relations=triples, extra={"curation": curation})
    organisms = _entities(dict.fromkeys(o for o, _ in relations), document.organisms, "O")
    chemicals = _entities(dict.fromkeys(c for _, c in relations), document.chemicals, "C")
    bare = Document(
        document.id,
        document.title,
        document.abstract,
        pmid=document.pmid,
        doi=document.doi,
        extra={"curation": curation},
    )
    pairs = [(organisms[organism].id, chemicals[chemical].id) for organism, chemical in relations]
    return bare.with_products(organisms.values(), chemicals.values(), pairs)


def _entities(labels: Iterable[str], known: Sequence[Entity], letter: str) -> dict[str, Entity]:
    """Label -> its entity; labels are compared as `pair_key` does, and no id is given twice."""
    known_of = {normalise_upstream(entity.label): entity for entity in reversed(known)}
    taken = {entity.id for entity in known}
    entities: dict[str, Entity] = {}
    for number, label in enumerate(labels, 1):
        same = known_of.get(normalise_upstream(label))
        id = same.id if same is not None else ""
        if same is None or any(entity.id == id for entity in entities.values()):
            id = next(new for n in itertools.count(number) if (new := f"{letter}{n}") not in taken)
            taken.add(id)
        entities[label] = Entity(id, label, dict(same.extra) if same is not None else {})
    return entities
