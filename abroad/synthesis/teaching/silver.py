"""Judgements as documents: silver to train with, and what people should look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from abroad.core.entities import PRODUCES
from abroad.core.schema import Document, Entity, Prediction, Relation, Triple
from abroad.extraction.generative.notation import Notation
from abroad.synthesis.teaching.agreement import Judgement, Said


def silver_document(
    document: Document, judgement: Judgement, kept: Sequence[Said], notation: Notation | None = None
) -> Document:
    """The document with the relations that are believed; `extra` has its weight and what is not known of it.

    That is `disputed`, `left_out` (relations with a name that the text has not) and, where some answers were cut off
    (`cut_off` counts them), whatever the document does not say.

    Args:
        kept: those of the agreed relations that every filter left.
        notation: of the field; by default natural products.
    """
    notation = notation or Notation()
    labelled = with_relations(document, kept, notation)
    for told in ("left_out", "cut_off"):  # of an earlier judgement
        labelled.extra.pop(told, None)
    labelled.extra |= {
        "agreement": round(judgement.agreement, 4),
        **({} if judgement.confidence is None else {"confidence": judgement.confidence}),
        "evidence": [_evidence(document, labels, judgement.shares[labels], notation) for labels in kept],
        "disputed": [list(labels) for labels in judgement.shares if labels not in set(kept)],
        **({"left_out": [list(labels) for labels in judgement.left_out]} if judgement.left_out else {}),
        **({"cut_off": judgement.cut_off} if judgement.cut_off else {}),
    }
    return labelled


def curation_document(
    document: Document, judgement: Judgement, notation: Notation | None = None, unread: Sequence[str] = ()
) -> Document:
    """The document with all relations that any pass named, for people to strike out.

    Args:
        notation: of the field; by default natural products.
        unread: why passes say nothing of it.
    """
    shown = with_relations(document, judgement.shares, notation or Notation())
    shown.extra["agreement"] = round(judgement.agreement, 4)
    if unread:
        shown.extra["unread"] = list(unread)
    return shown


def curation_prediction(document: Document, judgement: Judgement, notation: Notation | None = None) -> Prediction:
    """The same as a suggestion: the score of a relation is the share of passes that name it."""
    notation = notation or Notation()
    relations = [stated(document, labels, notation) for labels in judgement.shares]
    for relation, share in zip(relations, judgement.shares.values(), strict=True):
        relation.score = share
    return Prediction(document.id, relations)


def stated(document: Document, labels: Said, notation: Notation) -> Relation:
    """The relation that labels say, with the evidence that the text gives for it."""
    head, type, tail = labels if len(labels) == 3 else (labels[0], PRODUCES, labels[-1])
    return notation.relation(document, head, type, tail)


def with_relations(document: Document, said: Iterable[Said], notation: Notation) -> Document:
    """The document with these relations in place of its own."""
    relations = [stated(document, labels, notation) for labels in said]
    document = replace(document, extra=dict(document.extra))
    if not notation.field.is_built_in:
        return _with_entities(document, relations, notation)
    organisms = {label: f"O{n}" for n, label in enumerate(dict.fromkeys(each.head for each in relations), 1)}
    chemicals = {label: f"C{n}" for n, label in enumerate(dict.fromkeys(each.tail for each in relations), 1)}
    heads, tails = ([Entity(id, label) for label, id in side.items()] for side in (organisms, chemicals))
    return document.with_products(heads, tails, [(organisms[each.head], chemicals[each.tail]) for each in relations])


def _with_entities(document: Document, relations: Iterable[Relation], notation: Notation) -> Document:
    """The document of another field; a side that may be of several types counts as the first of them."""
    known: dict[tuple[str, str], Entity] = {}
    triples: dict[tuple[str, str, str], Triple] = {}
    for each in relations:
        sides = notation.field.relations[each.type]
        ends = []
        for label, type in ((each.head, each.head_type or sides.head[0]), (each.tail, each.tail_type or sides.tail[0])):
            ends.append(known.setdefault((label, type), Entity(f"E{len(known) + 1}", label, type=type)).id)
        head, tail = ends
        triples.setdefault((head, each.type, tail), Triple(head, each.type, tail))
    return replace(document, entities=list(known.values()), relations=list(triples.values()))


def _evidence(document: Document, labels: Said, share: float, notation: Notation) -> dict[str, Any]:
    names = ("organism", "chemical") if len(labels) == 2 else ("head", "type", "tail")
    spans = stated(document, labels, notation).evidence
    return {
        **dict(zip(names, labels, strict=True)),
        "agreement": round(share, 4),
        "spans": [asdict(span) for span in spans],
    }
