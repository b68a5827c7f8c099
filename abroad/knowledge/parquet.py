"""Pairs with all their evidence as one Parquet file, for whoever computes with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from abroad.core.io import atomic_write
from abroad.core.outputs import check_file
from abroad.knowledge.kinds import kind_of
from abroad.knowledge.store import Store

_BUILT_IN = ("organism", "organism_id", "relation", "compound", "compound_id")
_TYPED = ("head", "head_type", "head_id", "relation", "tail", "tail_type", "tail_id")
_FACTS = ("probability", "status", "publications", "documents", "first_year", "last_year", "accepted", "rejected")
_SIDES = {
    _BUILT_IN: "h.name, h.identifier, p.relation, t.name, t.identifier",
    _TYPED: "h.name, h.type, h.identifier, p.relation, t.name, t.type, t.identifier",
}
_PAIRS = """
SELECT p.head || '|' || p.relation || '|' || p.tail, {sides}, p.probability, p.status,
  p.publications, p.documents, p.first_year, p.last_year, p.accepted, p.rejected
FROM pair p JOIN entity h ON h.id = p.head JOIN entity t ON t.id = p.tail
ORDER BY h.name, t.name, p.head, p.tail, p.relation
"""
_EVIDENCE = """
SELECT s.head || '|' || s.relation || '|' || s.tail, s.document, d.pmid, s.doi, s.year, s.score, s.rule, s.sentence
FROM stated s JOIN document d ON d.id = s.document ORDER BY s.document
"""
_FIELDS = ("document", "pmid", "doi", "year", "score", "rule", "sentence")


def write_parquet(store: Store, out: Path) -> None:
    """Write the file; it is whole or as it was before."""
    import polars as pl

    check_file(out)
    evidence: dict[str, list[dict[str, object]]] = {}
    for pair, *values in store.query(_EVIDENCE):
        evidence.setdefault(pair, []).append(dict(zip(_FIELDS, values, strict=True)))
    sides = _BUILT_IN if kind_of(store).is_built_in else _TYPED
    names = (*sides, *_FACTS)
    rows = store.query(_PAIRS.format(sides=_SIDES[sides]))
    columns = {name: [row[place] for row in rows] for place, name in enumerate(names, 1)}
    kinds: dict[str, Any] = {**dict.fromkeys(_FIELDS, pl.String), "year": pl.Int32, "score": pl.Float64}
    schema: dict[str, Any] = {**dict.fromkeys(names, pl.String), **dict.fromkeys(_FACTS[2:], pl.Int32)}
    schema |= {"probability": pl.Float64, "evidence": pl.List(pl.Struct(kinds))}
    table = pl.DataFrame({**columns, "evidence": [evidence.get(row[0], []) for row in rows]}, schema=schema)
    with atomic_write(out, binary=True) as stream:
        table.write_parquet(stream)
