"""Judgements as documents: silver to train with, and what people should look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from abroad.core.schema import Document, Entity, LabelPair, Prediction
from abroad.synthesis.teaching.agreement import Judgement
from abroad.text.evidence import find_evidence, with_evidence


def silver_document(document: Document, judgement: Judgement, kept: Sequence[LabelPair]) -> Document:
    """The document with the relations that are believed; `extra` has its weight and what is not known of it.

    Args:
        kept: those of the agreed relations that every filter left.
    """
    labelled = with_relations(document, kept)
    labelled.extra |= {
        "agreement": round(judgement.agreement, 4),
        **({} if judgement.confidence is None else {"confidence": judgement.confidence}),
        "evidence": [
            {
                "organism": organism,
                "chemical": chemical,
                "agreement": round(judgement.shares[organism, chemical], 4),
                "spans": [asdict(span) for span in find_evidence(document, organism, chemical)],
            }
            for organism, chemical in kept
        ],
        "disputed": [list(pair) for pair in judgement.shares if pair not in set(kept)],
    }
    return labelled


def curation_document(document: Document, judgement: Judgement) -> Document:
    """The document with all relations that any pass named, for people to strike out."""
    shown = with_relations(document, judgement.shares)
    shown.extra["agreement"] = round(judgement.agreement, 4)
    return shown


def curation_prediction(document: Document, judgement: Judgement) -> Prediction:
    """The same as a suggestion: the score of a relation is the share of passes that name it."""
    relations = [with_evidence(document, *pair, score=share) for pair, share in judgement.shares.items()]
    return Prediction(document.id, relations)


def with_relations(document: Document, pairs: Iterable[LabelPair]) -> Document:
    """The document with these relations in place of its own."""
    pairs = list(pairs)
    organisms = {label: f"O{n}" for n, label in enumerate(dict.fromkeys(organism for organism, _ in pairs), 1)}
    chemicals = {label: f"C{n}" for n, label in enumerate(dict.fromkeys(chemical for _, chemical in pairs), 1)}
    heads, tails = ([Entity(id, label) for label, id in side.items()] for side in (organisms, chemicals))
    ids = [(organisms[organism], chemicals[chemical]) for organism, chemical in pairs]
    return replace(document, extra=dict(document.extra)).with_products(heads, tails, ids)
