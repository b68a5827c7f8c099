"""The registry of orders in which documents are shown to curators: as given, most diverse, most uncertain, or both."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.registry import Member, Registry
from abroad.core.schema import Document, Prediction

Ranks = Mapping[str, int]
"""PMID, DOI or id -> place in a sample that was made before."""


@dataclass(frozen=True)
class CurationOrder(Member):
    """A member of the registry of orders of curation.

    Attributes:
        key: (documents, predictions by the ids of documents, a sample made before or None) -> id of each document ->
            what it is sorted by, least first; of equal ones the earlier stays first.
    """

    key: Callable[[Sequence[Document], Mapping[str, Prediction], Ranks | None], Mapping[str, Any]]


CURATION_ORDERS: Registry[CurationOrder] = Registry(
    "order",
    "abroad.curation_orders",
    {
        "given": "annotation.argilla.order:GIVEN",
        "gme": "annotation.argilla.order:DIVERSE",
        "uncertainty": "annotation.argilla.order:UNCERTAIN",
        "gme-uncertainty": "annotation.argilla.order:DIVERSE_AND_UNCERTAIN",
    },
)
"""In which order curators are shown documents."""


def order_documents(
    documents: Sequence[Document],
    predictions: Mapping[str, Prediction],
    by: str,
    ranks: Ranks | None = None,
) -> list[Document]:
    """Documents, the ones to curate first in front.

    Args:
        predictions: document id -> prediction; without one a document goes by its own relations, last by uncertainty.
        by: a name of CURATION_ORDERS; "gme-uncertainty" multiplies the nearness to the front of the GME order with
            uncertainty.
        ranks: a sample made before, instead of the GME order of the relations.
    Raises:
        InputError: no such order.
    """
    keys = CURATION_ORDERS.get(by).key(documents, predictions, ranks)
    return sorted(documents, key=lambda document: keys[document.id])


def _given(documents: Sequence[Document], predictions: Mapping[str, Prediction], ranks: Ranks | None) -> dict[str, int]:
    return {document.id: 0 for document in documents}


def _places(
    documents: Sequence[Document], predictions: Mapping[str, Prediction], ranks: Ranks | None
) -> dict[str, int]:
    return _sampled_places(documents, ranks) if ranks is not None else gme_places(documents, predictions)


def _sureness(
    documents: Sequence[Document], predictions: Mapping[str, Prediction], ranks: Ranks | None
) -> dict[str, float]:
    return {document.id: -uncertainty(predictions.get(document.id)) for document in documents}


def _both(
    documents: Sequence[Document], predictions: Mapping[str, Prediction], ranks: Ranks | None
) -> dict[str, tuple[float, int]]:
    places, sureness = _places(documents, predictions, ranks), _sureness(documents, predictions, ranks)
    return {id: ((1 - place / len(documents)) * sureness[id], place) for id, place in places.items()}


GIVEN = CurationOrder(_given)
DIVERSE = CurationOrder(_places)
UNCERTAIN = CurationOrder(_sureness)
DIVERSE_AND_UNCERTAIN = CurationOrder(_both)


def uncertainty(prediction: Prediction | None) -> float:
    """Mean binary entropy of the scores, in bits: 1 where all are 0.5, 0 where all are sure or there is none."""
    scores = [r.score for r in prediction.relations if r.score is not None] if prediction is not None else []
    return sum(map(_entropy, scores)) / len(scores) if scores else 0.0


def _entropy(p: float) -> float:
    return 0.0 if p <= 0 or p >= 1 else -p * math.log2(p) - (1 - p) * math.log2(1 - p)


def gme_places(documents: Sequence[Document], predictions: Mapping[str, Prediction]) -> dict[str, int]:
    """Document id -> place in the greedy maximum entropy order of its relations; those without any come last."""
    from gme_sampler import GreedyMaximumEntropySampler, RelationTable

    rows = []
    for document in documents:
        prediction = predictions.get(document.id)
        pairs = document.label_pairs() if prediction is None else [(r.head, r.tail) for r in prediction.relations]
        rows += [(document.id, organism.casefold(), chemical.casefold()) for organism, chemical in pairs]
    picked: list[str] = []
    if rows:
        items, organisms, chemicals = zip(*rows, strict=True)
        table = RelationTable.from_columns(items, {"organism": organisms, "chemical": chemicals})
        picked = list(GreedyMaximumEntropySampler().rank(table).items)
    rest = [document.id for document in documents if document.id not in set(picked)]
    return {id: place for place, id in enumerate([*picked, *rest])}


def _sampled_places(documents: Sequence[Document], ranks: Ranks) -> dict[str, int]:
    last = max(ranks.values(), default=0) + 1
    return {
        d.id: min((ranks[key] for key in (d.id, d.pmid, d.doi) if key is not None and key in ranks), default=last)
        for d in documents
    }


def read_sample_ranks(path: str | Path) -> dict[str, int]:
    """Place of each item (DOI, PMID or id) in a SAMPLE.tsv of `abroad sample`; any of its columns may name it.

    Raises:
        InputError: the file is missing or empty.
    """
    from abroad.core.io import require_file
    from abroad.core.jsonl import split_lines

    lines = split_lines(require_file(path, "a SAMPLE.tsv of `abroad sample`").read_text(encoding="utf-8"))
    ranks: dict[str, int] = {}
    for index, line in enumerate(lines[1:]):
        for cell in line.split("\t"):
            ranks.setdefault(cell, index)
    return ranks
