"""Which documents curators see next: diverse and uncertain ones, and a few drawn blindly."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from abroad.core.schema import Document, Prediction
from annotation.argilla.order import gme_places, order_documents, uncertainty

CHOSEN, BLIND = "gme-uncertainty", "blind"


@dataclass(frozen=True)
class Choice:
    """A document of a batch.

    Attributes:
        why: CHOSEN or BLIND.
        place: in the greedy maximum entropy order of all candidates, from 0.
        uncertainty: mean entropy of its scores in bits.
    """

    document: Document
    why: str
    place: int
    uncertainty: float


def choose_batch(
    documents: Sequence[Document], predictions: Mapping[str, Prediction], size: int, blind: float = 0.0, seed: int = 0
) -> list[Choice]:
    """The next documents to curate, of those that are not curated yet.

    The score of document d, of N, is (1 - place(d) / N) * u(d): place(d) is its place in the greedy maximum entropy
    order of the predicted relations (`gme_sampler`; Delmas et al. 2024, section 3.1), u(d) the mean binary entropy
    -p log2 p - (1 - p) log2 (1 - p) of its relations' calibrated scores (uncertainty sampling: Lewis and Gale 1994,
    https://arxiv.org/abs/cmp-lg/9407020). By that alone a document without predicted relations would come last and
    the model's misses stay unseen; so a share of the batch is drawn at random from the rest.

    Args:
        predictions: document id -> prediction.
        size: documents wanted; all if there are fewer.
        blind: share of the batch drawn at random.
    """
    size = min(size, len(documents))
    drawn = min(round(blind * size), len(documents))
    ordered = order_documents(documents, predictions, "gme-uncertainty")
    places = gme_places(documents, predictions)
    first, rest = ordered[: size - drawn], ordered[size - drawn :]
    picked = random.Random(seed).sample(sorted(rest, key=lambda document: document.id), drawn)
    return [
        Choice(document, why, places[document.id], uncertainty(predictions.get(document.id)))
        for why, part in ((CHOSEN, first), (BLIND, picked))
        for document in part
    ]
