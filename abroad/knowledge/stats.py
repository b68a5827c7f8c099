"""Figures of a knowledge base: how many of what, new pairs by year, and how much of the index was found again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from abroad.knowledge.combine import Calibration, read_calibration
from abroad.knowledge.kinds import BaseKind, kind_of
from abroad.knowledge.store import Store, read_meta

_COUNTS = {
    "documents": "SELECT count(*) FROM document",
    "documents with relations": "SELECT count(DISTINCT document) FROM evidence",
    "publications": "SELECT count(DISTINCT publication) FROM document",
    "retracted": "SELECT count(*) FROM document WHERE retracted = 1",
    "relations": "SELECT count(*) FROM evidence",
    "entities": "",  # of each type, see `_counts`
    "pairs": "SELECT count(*) FROM pair",
    "pairs of two publications or more": "SELECT count(*) FROM pair WHERE publications > 1",
    "accepted by curators": "SELECT count(*) FROM pair WHERE accepted > rejected",
    "rejected by curators": "SELECT count(*) FROM pair WHERE rejected > accepted",
}
_ENTITIES = (
    "SELECT count(*) FROM entity WHERE type = ? AND (id IN (SELECT head FROM pair) OR id IN (SELECT tail FROM pair))"
)
_COVERED = """
WITH said AS (
  SELECT DISTINCT s.doi, h.indexed AS head, t.indexed AS tail
  FROM stated s JOIN entity h ON h.id = s.head JOIN entity t ON t.id = s.tail
  WHERE s.doi IS NOT NULL AND h.indexed IS NOT NULL AND t.indexed IS NOT NULL),
there AS (
  SELECT DISTINCT k.doi, k.head, k.tail FROM known k WHERE k.doi IN (SELECT doi FROM document WHERE doi IS NOT NULL))
SELECT count(*), count(s.doi), count(DISTINCT t.doi) FROM there t
LEFT JOIN said s ON s.doi = t.doi AND s.head = t.head AND s.tail = t.tail
"""


@dataclass(frozen=True)
class Coverage:
    """The index's pairs of the documents' DOIs: how many there are, and how many were found again.

    Attributes:
        publications: of the index, that were read.
        pairs: that the index has of them.
        found: of those, from the same publication.
    """

    publications: int
    pairs: int
    found: int

    @property
    def share(self) -> float | None:
        """At least the recall: an abstract does not name all that its paper has."""
        return self.found / self.pairs if self.pairs else None


@dataclass(frozen=True)
class StatusCount:
    """Pairs of a status, and how many of them are expected to be right: the sum of their probabilities."""

    pairs: int
    expected: float


@dataclass
class Stats:
    """Figures.

    Attributes:
        counts: what -> how many.
        statuses: status -> pairs.
        years: year -> (pairs, new pairs) that it was the first to report; None stands for no known year.
        coverage: of the index.
        calibration: of the scores.
        index: name of the index's file.
    """

    counts: dict[str, int]
    statuses: dict[str, StatusCount]
    years: dict[int | None, tuple[int, int]]
    coverage: Coverage
    calibration: Calibration
    index: str | None = field(default=None)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        years = [{"year": year, "pairs": pairs, "new": new} for year, (pairs, new) in self.years.items()]
        coverage = {**asdict(self.coverage), "share": self.coverage.share}
        return {**asdict(self), "years": years, "coverage": coverage}


def measure(store: Store) -> Stats:
    """Count what there is."""
    kind = kind_of(store)
    counts = dict(_counts(store, kind))
    rows = store.query("SELECT status, count(*), sum(probability) FROM pair GROUP BY status ORDER BY status")
    years = store.query(
        "SELECT first_year, count(*), count(CASE status WHEN 'new' THEN 1 END) FROM pair "
        "GROUP BY first_year ORDER BY first_year NULLS LAST"
    )
    pairs, found, publications = store.query(_COVERED)[0]
    return Stats(
        counts,
        {status: StatusCount(count, round(expected, 1)) for status, count, expected in rows},
        {year: (count, new) for year, count, new in years},
        Coverage(publications, pairs, found),
        read_calibration(store),
        (read_meta(store).get("index") or {}).get("name"),
    )


def _counts(store: Store, kind: BaseKind) -> Iterator[tuple[str, int]]:
    for name, query in _COUNTS.items():
        if query:
            yield name, int(store.query(query)[0][0])
        elif name == "entities":
            for type in kind.types:
                yield kind.words(type), int(store.query(_ENTITIES, (type,))[0][0])
                if kind.compares:
                    indexed = store.query(f"{_ENTITIES} AND indexed IS NOT NULL", (type,))
                    yield f"{kind.words(type)} in the index", int(indexed[0][0])
    if len(kind.field.relations) > 1:
        for relation, count in store.query("SELECT relation, count(*) FROM pair GROUP BY relation ORDER BY relation"):
            yield f"pairs, {relation}", int(count)
