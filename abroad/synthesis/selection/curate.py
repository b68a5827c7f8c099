"""The k best and most diverse of accepted abstracts: quality first, then greedy maximum entropy.

After "LIMA: less is more for alignment" (Zhou et al., arXiv 2305.11206): a thousand good and
varied examples beat many alike. Quality is the score of selection; diversity is the
entropy of heads and tails (of natural products, organisms and chemicals) over the abstracts chosen (`gme_sampler`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.synthesis.settings import CurateSettings
from gme_sampler import GreedyMaximumEntropySampler, RelationTable


@dataclass(frozen=True)
class Curated:
    """Documents chosen for quality and diversity.

    Attributes:
        documents: chosen, in the order picked.
        least_score: of those that quality let through.
        candidates: how many these were.
        heads: distinct ones in the chosen documents: of natural products, organisms.
        tails: likewise: chemicals.
    """

    documents: list[Document]
    least_score: float
    candidates: int
    heads: int
    tails: int


def curate(documents: Sequence[Document], settings: CurateSettings | None = None) -> Curated:
    """Choose the best and most diverse documents; diversity never chooses from fewer than are wanted.

    Raises:
        InputError: no document has a relation.
    """
    settings = settings or CurateSettings()
    k, quality = settings.k, settings.quality
    usable = [document for document in documents if document.relations]
    if not usable:
        raise InputError("none of the documents has a relation; expected accepted abstracts of `abroad synth select`")
    ranked = sorted(usable, key=_score, reverse=True)  # stable: among equals the earlier goes first
    least = _score(ranked[min(max(k, math.ceil(quality * len(ranked))), len(ranked)) - 1])
    pool = [document for document in ranked if _score(document) >= least]  # equal scores stand or fall together
    rows = [(document.id, *pair) for document in pool for pair in document.label_pairs()]
    items, heads, tails = zip(*rows, strict=True)
    table = RelationTable.from_columns(items, {"head": heads, "tail": tails})
    by_id = {document.id: document for document in pool}
    chosen = [by_id[id] for id in GreedyMaximumEntropySampler().rank(table, min(k, len(pool))).items]
    return Curated(
        documents=chosen,
        least_score=least,
        candidates=len(pool),
        heads=len({pair[0] for document in chosen for pair in document.label_pairs()}),
        tails=len({pair[1] for document in chosen for pair in document.label_pairs()}),
    )


def _score(document: Document) -> float:
    value = document.extra.get("score")
    return float(value) if isinstance(value, int | float) else 0.0
