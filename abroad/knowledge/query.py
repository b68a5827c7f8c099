"""Ask a knowledge base: pairs by organism, compound, taxon, class, status, probability and year, the surest first."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import Field

from abroad.core.errors import InputError
from abroad.core.settings import Count, Settings, Share
from abroad.knowledge.entities import HEAD, TAIL
from abroad.knowledge.identifiers import meaning_of
from abroad.knowledge.kinds import BaseKind, kind_of
from abroad.knowledge.store import Store
from abroad.linking.link import NEW
from abroad.sources.name_keys import name_key, organism_key

Status = Literal["known", "new", "disputed", "not linked"]
Key = tuple[str, str, str]
"""Id of the head, relation, id of the tail."""
_MAX_NEAR = 3
_ROUNDING = 1e-9  # 0.9 that went through logarithms is 0.9 still
_CHUNK, _MAX_CHUNKS = 400, 10  # pairs whose evidence one statement asks for; of more, all evidence is read at once
_COLUMNS = """
p.head, h.name, h.identifier, h.item, h.type, p.relation, p.tail, t.name, t.identifier, t.item, t.type,
p.probability, p.status,
p.publications, p.documents, p.first_year, p.last_year, p.accepted, p.rejected"""
_PAIRS = "pair p JOIN entity h ON h.id = p.head JOIN entity t ON t.id = p.tail"
_ORDER = "p.probability DESC, p.publications DESC, h.name, t.name, p.head, p.tail, p.relation"


_MAX_ROWS = 10**9  # more than there are, and no more than a database counts to


class PairFilter(Settings):
    """Which pairs are wanted; without any of these, all."""

    organism: str | None = Field(None, description="Name or identifier of an organism (Q12, NCBITaxon:4932).")
    compound: str | None = Field(
        None,
        description="Name or identifier of a compound (Q12, pubchem.compound:5997, an InChIKey or its first block).",
    )
    head: str | None = Field(None, description="Name or identifier of the first side, in a database of any field.")
    tail: str | None = Field(None, description="Name or identifier of the second side, likewise.")
    relation: str | None = Field(None, description="A relation, by the name that its field gives it.")
    taxon: str | None = Field(None, description="A genus, family or higher taxon, with all that belongs to it.")
    compound_class: str | None = Field(None, description="A pathway, superclass or class of NPClassifier.")
    new: bool = Field(False, description="Take new pairs alone: both names are in the index, the pair is not.")
    status: Status | None = Field(None, description="Take pairs of this status: known, new, disputed or 'not linked'.")
    min_probability: Share | None = Field(None, description="Leave out pairs of a lower probability.")
    since: Count | None = Field(
        None, le=9999, description="Leave out pairs that were not reported in this year or later."
    )
    min_publications: Count = Field(1, le=_MAX_ROWS, description="Leave out pairs of fewer independent publications.")
    limit: Count | None = Field(None, le=_MAX_ROWS, description="Take the first so many, the surest first.")


@dataclass(frozen=True)
class Side:
    """A side of a pair: id in the database, name, CURIE, item of Wikidata, and type: "organism", "compound"."""

    id: str
    name: str
    identifier: str | None
    item: str | None
    type: str = ""


@dataclass(frozen=True)
class Pair:
    """A row of the database.

    Attributes:
        head: the organism, in natural products.
        relation: between the two: "produces".
        tail: the compound, in natural products.
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
    def key(self) -> Key:
        """What it is known by in the database."""
        return self.head.id, self.relation, self.tail.id

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


def pairs_of(store: Store, entity: str, status: Status | None) -> list[Pair]:
    """The pairs that an entity is a side of, by its id, the surest first."""
    where = "WHERE (p.head = ? OR p.tail = ?)" + (" AND p.status = ?" if status else "")
    values = (entity, entity, *((status,) if status else ()))
    return [_pair(row) for row in store.query(f"SELECT {_COLUMNS} FROM {_PAIRS} {where} ORDER BY {_ORDER}", values)]


def pair_of(store: Store, head: str, tail: str, relation: str | None = None) -> Pair | None:
    """The pair of two entities, by their ids; the surest where no relation is named."""
    where = "WHERE p.head = ? AND p.tail = ?" + (" AND p.relation = ?" if relation else "")
    values = (head, tail, *((relation,) if relation else ()))
    rows = store.query(f"SELECT {_COLUMNS} FROM {_PAIRS} {where} ORDER BY {_ORDER} LIMIT 1", values)
    return _pair(rows[0]) if rows else None


def statements(store: Store, pair: Pair) -> list[Statement]:
    """All that documents say of a pair, the surest first."""
    return _statements(store, "WHERE s.head = ? AND s.relation = ? AND s.tail = ?", pair.key).get(pair.key, [])


def all_statements(store: Store, pairs: Sequence[Pair]) -> dict[Key, list[Statement]]:
    """Key of a pair -> what its documents say, the surest first."""
    wanted = {pair.key for pair in pairs}
    found: dict[Key, list[Statement]] = {}
    for start in range(0, len(pairs), _CHUNK) if len(pairs) <= _MAX_CHUNKS * _CHUNK else ():
        part = pairs[start : start + _CHUNK]
        heads, tails = sorted({p.head.id for p in part}), sorted({p.tail.id for p in part})
        where = f"WHERE s.head IN ({_marks(heads)}) AND s.tail IN ({_marks(tails)})"
        found |= _statements(store, where, (*heads, *tails))
    if len(pairs) > _MAX_CHUNKS * _CHUNK:
        found = _statements(store, "", ())
    return {key: evidence for key, evidence in found.items() if key in wanted}


def _statements(store: Store, where: str, parameters: Sequence[str]) -> dict[Key, list[Statement]]:
    found: dict[Key, list[Statement]] = {}
    columns = f"s.head, s.relation, s.tail, {_STATEMENT}"
    query = f"SELECT {columns} FROM stated s JOIN document d ON d.id = s.document {where}"
    for head, relation, tail, *row in store.query(f"{query} ORDER BY s.score DESC NULLS LAST, s.document", parameters):
        found.setdefault((head, relation, tail), []).append(_statement(row))
    return found


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))


def entities_of(store: Store, side: str, name: str, kind: BaseKind | None = None) -> list[str]:
    """Ids of what goes by a name, in any of its spellings, or by any identifier (`abroad.knowledge.identifiers`).

    Args:
        side: HEAD or TAIL.
        kind: of the database, where it is at hand.
    """
    types = (kind or kind_of(store)).alias_types(side)
    meant = meaning_of(name)
    known, values = meant.condition("entity")
    own = f"name_key IN (?, ?) OR lower(identifier) = ? OR item = ? OR indexed = ? OR entity = ? OR {known}"
    keys = [organism_key(name), name_key(name)]
    if types == (HEAD,) or types == (TAIL,):
        keys = keys[:1] * 2 if side == HEAD else keys[1:] * 2
    parameters = (*types, *keys, meant.curie, meant.item, meant.item or name.strip(), name.strip(), *values)
    query = f"SELECT DISTINCT entity FROM alias WHERE type IN ({_marks(types)}) AND ({own}) ORDER BY 1"
    return [row[0] for row in store.query(query, parameters)]


def near_names(store: Store, side: str, name: str) -> list[str]:
    """Names in the database that are like one that is not there."""
    types = kind_of(store).side_types(side)
    start = name.strip()[:3].lower().replace("%", "").replace("_", "")
    rows = store.query(
        f"SELECT DISTINCT name FROM entity WHERE type IN ({_marks(types)}) AND lower(name) LIKE ? "
        "ORDER BY name LIMIT 5000",
        (*types, f"{start}%"),
    )
    return difflib.get_close_matches(name, [row[0] for row in rows], _MAX_NEAR, 0.7)


def why_nothing(store: Store, wanted: PairFilter) -> str:
    """What a query that found nothing asked for, and what there is instead."""
    kind = kind_of(store)
    for side, name in _sides(wanted, kind):
        if not entities_of(store, side, name, kind):
            near = near_names(store, side, name)
            meant = f"; did you mean {', '.join(near)}?" if near else ""
            return f"no {kind.side_word(side)} of the database goes by {name!r}{meant}"
    for word, group in (("taxon", wanted.taxon), ("class", wanted.compound_class)):
        if group is not None and not store.query("SELECT 1 FROM member WHERE lower(name) = lower(?) LIMIT 1", (group,)):
            return f"nothing in the database belongs to a {word} {group!r} (taxa and classes come from the index)"
    count = store.query("SELECT count(*) FROM pair")[0][0]
    return f"none of the {count:,} pairs of the database is like that: ask for less"


def _conditions(store: Store, wanted: PairFilter) -> tuple[str, list[Any]]:
    parts: list[str] = []
    parameters: list[Any] = []

    def add(condition: str, *values: Any) -> None:
        parts.append(condition)
        parameters.extend(values)

    kind = kind_of(store)
    for side, name in _sides(wanted, kind):
        ids = entities_of(store, side, name, kind)
        among = f"IN ({_marks(ids) or 'NULL'})"
        if kind.undirected:
            other, either = TAIL if side == HEAD else HEAD, _marks(kind.undirected)
            add(f"(p.{side} {among} OR (p.relation IN ({either}) AND p.{other} {among}))", *ids, *kind.undirected, *ids)
        else:
            add(f"p.{side} {among}", *ids)
    if wanted.relation is not None:
        if wanted.relation not in kind.field.relations:
            raise InputError(f"--relation {wanted.relation}: expected one of: {', '.join(kind.field.relations)}")
        add("p.relation = ?", wanted.relation)
    for column, group in (("p.head", wanted.taxon), ("p.tail", wanted.compound_class)):
        if group is not None:
            sides = column if kind.is_built_in else "p.head, p.tail"
            add(f"EXISTS (SELECT 1 FROM member m WHERE m.entity IN ({sides}) AND lower(m.name) = lower(?))", group)
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


def _sides(wanted: PairFilter, kind: BaseKind) -> list[tuple[str, str]]:
    """(side, name) of what is asked for.

    Raises:
        InputError: an organism or a compound, of a database of another field.
    """
    if not kind.is_built_in:
        for option, name in (("organism", wanted.organism), ("compound", wanted.compound)):
            if name is not None:
                sides = f"--head ({kind.side_word(HEAD)}) or --tail ({kind.side_word(TAIL)})"
                raise InputError(f"--{option}: a database of the field {kind.field.name}: expected {sides}")
    given = ((HEAD, wanted.organism), (HEAD, wanted.head), (TAIL, wanted.compound), (TAIL, wanted.tail))
    return [(side, name) for side, name in given if name is not None]


def _pair(row: Sequence[Any]) -> Pair:
    head, relation, tail, rest = Side(*row[:5]), row[5], Side(*row[6:11]), row[11:]
    return Pair(head, relation, tail, *rest)


def _statement(row: Sequence[Any]) -> Statement:
    found = Statement(*row)
    return replace(found, retracted=bool(found.retracted))
