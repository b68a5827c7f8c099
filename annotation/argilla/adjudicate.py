"""Conflicts as a batch of their own, with every curator's answer shown; the decision wins at the next pull."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abroad.core.schema import Document, Prediction, Relation
from abroad.text.evidence import find_evidence, with_evidence
from annotation.argilla.connection import explained
from annotation.argilla.pull import Pulled
from annotation.argilla.push import ensure_workspace, find_dataset, send
from annotation.argilla.stored import stored_records
from annotation.argilla.task import Card
from annotation.decisions.merge import Conflict, merge, pair_key
from annotation.decisions.records import ADJUDICATION
from annotation.words import SEPARATOR, RelationText

if TYPE_CHECKING:
    from argilla import Argilla


def adjudicate(client: Argilla, pulled: Pulled, dataset: str, workspace: str) -> list[str]:
    """Push the open conflicts of a pull to `<dataset>-adjudication`; returns the ids of their documents.

    The question is filled with what stands and what is open, so that the adjudicator deletes rather than types.
    Conflicts that an adjudicator has begun to answer are left as they are.

    Raises:
        AbroadError: the server is away or refuses.
    """
    conflicts = merge(pulled.decisions, pulled.documents.values(), pulled.typing).conflicts
    name = f"{dataset}-{ADJUDICATION}"
    with explained(client):
        ensure_workspace(client, workspace)
        place = find_dataset(client, name, workspace)
        begun = set()
        if place is not None:
            begun = {record.id for record in stored_records(client, place) if record.answers}
    cards = [
        Card(
            pulled.documents[conflict.document],
            all_answers(conflict, pulled.documents[conflict.document]),
            "curators",
            ADJUDICATION,
            rank,
            answers=show_answers(conflict),
            field=pulled.of,
        )
        for rank, conflict in enumerate(conflicts)
        if conflict.document not in begun
    ]
    if cards:
        send(client, name, workspace, 1, cards)
    return [card.document.id for card in cards]


def show_answers(conflict: Conflict) -> str:
    """The answers of all curators as plain text; what is open is marked."""
    undecided = set(conflict.open)
    parts = []
    for curator, pairs in conflict.answers.items():
        lines = [f"{'? ' if pair in undecided else '  '}{SEPARATOR.join(pair)}" for pair in pairs] or ["  none"]
        parts.append("\n".join([f"{curator}:", *lines]))
    return "\n\n".join([*parts, "? = not settled"])


def all_answers(conflict: Conflict, document: Document) -> Prediction:
    """What stands and what is open, as a suggestion to the adjudicator."""
    pairs = dict.fromkeys(pair for answer in conflict.answers.values() for pair in answer)
    distinct = {pair_key(pair): pair for pair in reversed(pairs)}
    kept = [pair for pair in pairs if distinct[pair_key(pair)] == pair]
    return Prediction(document.id, [_suggested(document, relation) for relation in kept])


def _suggested(document: Document, relation: RelationText) -> Relation:
    if len(relation) == 2:
        return with_evidence(document, *relation)
    head, type, tail = relation
    found = find_evidence(document, head, tail, ("head", "tail"))
    return Relation(head, tail, evidence=found, type=type, head_type="", tail_type="")
