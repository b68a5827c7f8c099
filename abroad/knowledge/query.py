"""Ask a knowledge base: pairs by organism, compound, taxon, class, status, probability and year, the surest first."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from abroad.core.settings import Count, Settings, Share
from abroad.knowledge.entities import HEAD, TAIL
from abroad.knowledge.identifiers import meaning_of
from abroad.knowledge.kinds import PRODUCES
from abroad.knowledge.store import Store
from abroad.linking.link import NEW
from abroad.sources.name_keys import name_key, organism_key

Status = Literal["known", "new", "disputed", "not linked"]
_MAX_NEAR = 3
_ROUNDING = 1e-9  # 0.9 that went through logarithms is 0.9 still
_CHUNK, _MAX_CHUNKS = 400, 10  # pairs whose evidence one statement asks for; of more, all evidence is read at once
_COLUMNS = """
p.head, h.name, h.identifier, h.item, p.relation, p.tail, t.name, t.identifier, t.item, p.probability, p.status,
p.publications, p.documents, p.first_year, p.last_year, p.accepted, p.rejected"""
_PAIRS = "pair p JOIN entity h ON h.id = p.head JOIN entity t ON t.id = p.tail"
_ORDER = "p.probability DESC, p.publications DESC, h.name, t.name, p.head, p.tail"


_MOST = 10**9  # more than there are, and no more than a database counts to


class PairFilter(Settings):
    """Which pairs are wanted; without any of these, all."""

    organism: str | None = Field(None, description="Name or identifier of an organism (Q12, NCBITaxon:4932).")
    compound: str | None = Field(
        None,
        description="Name or identifier of a compound (Q12, pubchem.compound:5997, an InChIKey or its first block).",
    )
    taxon: str | None = Field(None, description="A genus, family or higher taxon, with all that belongs to it.")
    compound_class: str | None = Field(None, description="A pathway, superclass or class of NPClassifier.")
    new: bool = Field(False, description="Take new pairs alone: both names are in the index, the pair is not.")
    status: Status | None = Field(None, description="Take pairs of this status: known, new, disputed or 'not linked'.")
    min_probability: Share | None = Field(None, description="Leave out pairs of a lower probability.")
    since: Count | None = Field(
        None, le=9999, description="Leave out pairs that were not reported in this year or later."
    )
    min_publications: Count = Field(1, le=_MOST, description="Leave out pairs of fewer independent publications.")
    limit: Count | None = Field(None, le=_MOST, description="Take the first so many, the surest first.")


@dataclass(frozen=True)
class Side:
    """An organism or a compound of a pair: id in the database, name, CURIE, and item of Wikidata."""

    id: str
    name: str
    identifier: str | None
    item: str | None


@dataclass(frozen=True)
class Pair:
    """A row of the database.

    Attributes:
        head: the organism.
        relation: "produces".
        tail: the compound.
        probability: that the pair is right.
        status: in the index.
        publications: independent ones.
        documents: read.
        first_year: of its publications, where any year is known.
        last_year: likewise.
        accepted: by so many curators, counted by document.
        rejected: likewise.
    """

    head: Side
    relation: str
    tail: Side
    probability: float
    status: str
    publications: int
    documents: int
    first_year: int | None
    last_year: int | None
    accepted: int
    rejected: int

    @property
    def years(self) -> str:
        """ "2001 to 2019"; "" where none is known."""
        if self.first_year is None:
            return ""
        return str(self.first_year) if self.first_year == self.last_year else f"{self.first_year} to {self.last_year}"


@dataclass(frozen=True)
class Statement:
    """What one document says of a pair.

    Attributes:
        document: its id.
        pmid: of the publication.
        doi: likewise.
        item: of the publication in Wikidata.
        year: of the publication.
        title: of the document.
        publication: equal for documents of one publication.
        score: of the extractor.
        rule: how the compound's name follows from the text.
        sentence: that says so.
        head_text: the organism's name, as it was extracted.
        tail_text: the compound's.
        retracted: whether the publication is.
    """

    document: str
    pmid: str | None
    doi: str | None
    item: str | None
    year: int | None
    title: str
    publication: str
    score: float | None
    rule: str
    sentence: str
    head_text: str
    tail_text: str
    retracted: bool


_STATEMENT = """
s.document, d.pmid, d.doi, d.item, d.year, d.title, d.publication, s.score, s.rule, s.sentence, s.head_text,
s.tail_text, d.retracted"""


def find_pairs(store: Store, wanted: PairFilter) -> list[Pair]:
    """The pairs, the surest first."""
    where, parameters = _conditions(store, wanted)
    limit = f" LIMIT {wanted.limit}" if wanted.limit is not None else ""
    rows = store.query(f"SELECT {_COLUMNS} FROM {_PAIRS} {where} ORDER BY {_ORDER}{limit}", parameters)
    return [_pair(row) for row in rows]


def statements(store: Store, head: str, tail: str) -> list[Statement]:
    """All that documents say of a pair, the surest first."""
    return _statements(store, "WHERE s.head = ? AND s.tail = ?", (head, tail)).get((head, tail), [])


def all_statements(store: Store, pairs: Sequence[Pair]) -> dict[tuple[str, str], list[Statement]]:
    """(head, tail) -> what its documents say, the surest first."""
    wanted = {(pair.head.id, pair.tail.id) for pair in pairs}
    found: dict[tuple[str, str], list[Statement]] = {}
    for start in range(0, len(pairs), _CHUNK) if len(pairs) <= _MAX_CHUNKS * _CHUNK else ():
        part = pairs[start : start + _CHUNK]
        heads, tails = sorted({p.head.id for p in part}), sorted({p.tail.id for p in part})
        where = f"WHERE s.head IN ({_marks(heads)}) AND s.tail IN ({_marks(tails)})"
        found |= _statements(store, where, (*heads, *tails))
    if len(pairs) > _MAX_CHUNKS * _CHUNK:
        found = _statements(store, "", ())
    return {key: evidence for key, evidence in found.items() if key in wanted}


def _statements(store: Store, where: str, parameters: Sequence[str]) -> dict[tuple[str, str], list[Statement]]:
    found: dict[tuple[str, str], list[Statement]] = {}
    query = f"SELECT s.head, s.tail, {_STATEMENT} FROM statement s JOIN document d ON d.id = s.document {where}"
    for head, tail, *row in store.query(f"{query} ORDER BY s.score DESC NULLS LAST, s.document", parameters):
        found.setdefault((head, tail), []).append(_statement(row))
    return found


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def entities_of(store: Store, type: str, name: str) -> list[str]:
    """Ids of what goes by a name, in any of its spellings, or by any identifier (`abroad.knowledge.identifiers`)."""
    key = organism_key(name) if type == HEAD else name_key(name)
    meant = meaning_of(name)
    known, values = meant.condition("entity")
    where = f"type = ? AND (name_key = ? OR lower(identifier) = ? OR item = ? OR indexed = ? OR entity = ? OR {known})"
    values = (type, key, meant.curie, meant.item, meant.item or name.strip(), name.strip(), *values)
    rows = store.query(f"SELECT DISTINCT entity FROM alias WHERE {where} ORDER BY 1", values)
    return [row[0] for row in rows]


def near_names(store: Store, type: str, name: str) -> list[str]:
    """Names in the database that are like one that is not there."""
    word = {HEAD: PRODUCES.head, TAIL: PRODUCES.tail}[type]
    start = name.strip()[:3].lower().replace("%", "").replace("_", "")
    rows = store.query(
        "SELECT DISTINCT name FROM entity WHERE type = ? AND lower(name) LIKE ? ORDER BY name LIMIT 5000",
        (word, f"{start}%"),
    )
    return difflib.get_close_matches(name, [row[0] for row in rows], _MAX_NEAR, 0.7)


def why_nothing(store: Store, wanted: PairFilter) -> str:
    """What a query that found nothing asked for, and what there is instead."""
    for type, word, name in ((HEAD, "organism", wanted.organism), (TAIL, "compound", wanted.compound)):
        if name is not None and not entities_of(store, type, name):
            near = near_names(store, type, name)
            meant = f"; did you mean {', '.join(near)}?" if near else ""
            return f"no {word} of the database goes by {name!r}{meant}"
    for word, name in (("taxon", wanted.taxon), ("class", wanted.compound_class)):
        if name is not None and not store.query("SELECT 1 FROM member WHERE lower(name) = lower(?) LIMIT 1", (name,)):
            return f"nothing in the database belongs to a {word} {name!r} (taxa and classes come from the index)"
    count = store.query("SELECT count(*) FROM pair")[0][0]
    return f"none of the {count:,} pairs of the database is like that: ask for less"


def _conditions(store: Store, wanted: PairFilter) -> tuple[str, list[Any]]:
    parts: list[str] = []
    parameters: list[Any] = []

    def add(condition: str, *values: Any) -> None:
        parts.append(condition)
        parameters.extend(values)

    for type, column, name in ((HEAD, "p.head", wanted.organism), (TAIL, "p.tail", wanted.compound)):
        if name is not None:
            ids = entities_of(store, type, name)
            add(f"{column} IN ({_marks(ids) or 'NULL'})", *ids)
    for column, name in (("p.head", wanted.taxon), ("p.tail", wanted.compound_class)):
        if name is not None:
            add(f"EXISTS (SELECT 1 FROM member m WHERE m.entity = {column} AND lower(m.name) = lower(?))", name)
    for status in (wanted.status, NEW if wanted.new else None):
        if status is not None:
            add("p.status = ?", status)
    if wanted.min_probability:
        add("p.probability >= ?", wanted.min_probability - _ROUNDING)
    if wanted.since is not None:
        add("p.last_year >= ?", wanted.since)
    if wanted.min_publications > 1:
        add("p.publications >= ?", wanted.min_publications)
    return (f"WHERE {' AND '.join(parts)}" if parts else ""), parameters


def _pair(row: Sequence[Any]) -> Pair:
    head, relation, tail, rest = Side(*row[:4]), row[4], Side(*row[5:9]), row[9:]
    return Pair(head, relation, tail, *rest)


def _statement(row: Sequence[Any]) -> Statement:
    found = Statement(*row)
    return replace(found, retracted=bool(found.retracted))
