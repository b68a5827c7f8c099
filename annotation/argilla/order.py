"""In which order documents are shown to curators: as given, most diverse first, most uncertain first, or both."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from abroad.core.errors import InputError
from abroad.core.schema import Document, Prediction

ORDERS = ("given", "gme", "uncertainty", "gme-uncertainty")


def order_documents(
    documents: Sequence[Document],
    predictions: Mapping[str, Prediction],
    by: str,
    ranks: Mapping[str, int] | None = None,
) -> list[Document]:
    """Documents, the ones to curate first in front.

    Args:
        predictions: document id -> prediction; without one a document goes by its own relations, last by uncertainty.
        by: one of ORDERS; "gme-uncertainty" multiplies the nearness to the front of the GME order with uncertainty.
        ranks: PMID, DOI or id -> place in a sample made before; instead of the GME order of the relations.
    Raises:
        InputError: no such order.
    """
    if by not in ORDERS:
        raise InputError(f"order {by!r}: expected one of {', '.join(ORDERS)}")
    if by == "given":
        return list(documents)
    doubt = {document.id: uncertainty(predictions.get(document.id)) for document in documents}
    if by == "uncertainty":
        return sorted(documents, key=lambda document: -doubt[document.id])
    places = _sampled_places(documents, ranks) if ranks is not None else gme_places(documents, predictions)
    if by == "gme":
        return sorted(documents, key=lambda document: places[document.id])
    nearness = {id: 1 - place / len(documents) for id, place in places.items()}
    return sorted(documents, key=lambda d: (-nearness[d.id] * doubt[d.id], places[d.id]))


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
        pairs = (
            document.label_pairs() if prediction is None else [(r.organism, r.chemical) for r in prediction.relations]
        )
        rows += [(document.id, organism.casefold(), chemical.casefold()) for organism, chemical in pairs]
    picked: list[str] = []
    if rows:
        items, organisms, chemicals = zip(*rows, strict=True)
        table = RelationTable.from_columns(items, {"organism": organisms, "chemical": chemicals})
        picked = list(GreedyMaximumEntropySampler().rank(table).items)
    rest = [document.id for document in documents if document.id not in set(picked)]
    return {id: place for place, id in enumerate([*picked, *rest])}


def _sampled_places(documents: Sequence[Document], ranks: Mapping[str, int]) -> dict[str, int]:
    last = max(ranks.values(), default=0) + 1
    return {
        d.id: min((ranks[key] for key in (d.id, d.pmid, d.doi) if key is not None and key in ranks), default=last)
        for d in documents
    }


def read_sample_ranks(path: str) -> dict[str, int]:
    """Place of each item (DOI, PMID or id) in a SAMPLE.tsv of `abroad sample`; any of its columns may name it.

    Raises:
        InputError: the file is missing or empty.
    """
    from abroad.core.io import require_file
    from abroad.core.jsonl import split_lines

    lines = split_lines(require_file(path, "a SAMPLE.tsv of `abroad sample`").read_text(encoding="utf-8"))
    ranks: dict[str, int] = {}
    for place, line in enumerate(lines[1:]):
        for cell in line.split("\t"):
            ranks.setdefault(cell, place)
    return ranks
