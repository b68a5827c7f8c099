"""What the pages show, read from the database: what a search finds, an entity, a pair, a group, a document."""

from __future__ import annotations

from dataclasses import dataclass, field

from abroad.core.schema import Document, Prediction
from abroad.knowledge.browse.marks import Piece, marked_sentence, marked_text
from abroad.knowledge.curation import Said, answers, documents_of
from abroad.knowledge.identifiers import meaning_of
from abroad.knowledge.kinds import kind_of
from abroad.knowledge.query import (
    Pair,
    PairFilter,
    Side,
    Statement,
    Status,
    find_pairs,
    pair_of,
    pairs_of,
    statements,
)
from abroad.knowledge.store import Store
from abroad.sources.name_keys import name_key, organism_key

PAGE_SIZE = 50
_MAX_FOUND = 50


@dataclass(frozen=True)
class Found:
    """An entity that a search found.

    Attributes:
        id: of the entity.
        type: of the field: "organism" or "compound".
        name: of the entity.
        identifier: CURIE.
        pairs: that it is in.
        new: of those, new ones.
    """

    id: str
    type: str
    name: str
    identifier: str | None
    pairs: int
    new: int


@dataclass(frozen=True)
class Group:
    """A taxon or a class, with how many entities of the database belong to it."""

    level: str
    name: str
    entities: int


@dataclass(frozen=True)
class EntityPage:
    """An organism or a compound: other names and identifiers, groups it belongs to, and its pairs, a page at a time."""

    entity: Found
    names: list[str]
    identifiers: list[str]
    groups: list[Group]
    pairs: list[Pair]
    total: int


@dataclass
class Report:
    """What one document says of a pair.

    Attributes:
        statement: with score, rule and publication.
        pieces: the sentence, mentions marked.
        said: by curators.
    """

    statement: Statement
    pieces: list[Piece]
    said: list[Said] = field(default_factory=list)


@dataclass(frozen=True)
class DocumentPage:
    """A document: its text with all mentions marked, and its relations."""

    document: Document
    prediction: Prediction
    pieces: list[Piece]


def search(store: Store, text: str) -> tuple[list[Found], list[Group]]:
    """Organisms and compounds by name, by part of it or by identifier, and groups by name; what fits best first."""
    text = text.strip()
    like, key = _contains(text.lower()), _contains(name_key(text) or text)
    meant = meaning_of(text)
    known, values = meant.condition("entity")
    exact = f"name_key IN (?, ?) OR lower(identifier) = ? OR item = ? OR {known}"
    rows = store.query(
        f"""
WITH {_COUNTED}, hit AS (
  SELECT entity, max(CASE WHEN {exact} THEN 1 ELSE 0 END) AS exact
  FROM alias WHERE {exact} OR lower(label) LIKE ? ESCAPE '!'
    OR lower(name) LIKE ? ESCAPE '!' OR name_key LIKE ? ESCAPE '!'
  GROUP BY entity)
SELECT {_FOUND} FROM entity e JOIN hit ON hit.entity = e.id LEFT JOIN counted c ON c.id = e.id
ORDER BY hit.exact DESC, coalesce(c.pairs, 0) DESC, e.name, e.id LIMIT {_MAX_FOUND}""",
        (*(name_key(text), organism_key(text), meant.curie, meant.item, *values) * 2, like, like, key),
    )
    groups = store.query(
        "SELECT level, name, count(DISTINCT entity) FROM member WHERE lower(name) LIKE ? ESCAPE '!' "
        "GROUP BY level, name ORDER BY 3 DESC, name, level LIMIT 10",
        (like,),
    )
    return [Found(*row) for row in rows], [Group(*row) for row in groups]


def _contains(text: str) -> str:
    """A pattern of LIKE for what has a text in it."""
    return "%" + text.replace("!", "!!").replace("%", "!%").replace("_", "!_") + "%"


_COUNTED = """counted AS (
  SELECT id, sum(pairs) AS pairs, sum(new) AS new FROM (
    SELECT head AS id, count(*) AS pairs, count(CASE status WHEN 'new' THEN 1 END) AS new FROM pair GROUP BY head
    UNION ALL
    SELECT tail, count(*), count(CASE status WHEN 'new' THEN 1 END) FROM pair GROUP BY tail) both_sides GROUP BY id)"""
_FOUND = "e.id, e.type, e.name, e.identifier, coalesce(c.pairs, 0), coalesce(c.new, 0)"


def entity_page(store: Store, id: str, status: Status | None, page: int) -> EntityPage | None:
    """An entity with its pairs; None if there is none of this id."""
    rows = store.query(
        f"WITH {_COUNTED} SELECT {_FOUND} FROM entity e LEFT JOIN counted c ON c.id = e.id WHERE e.id = ?", (id,)
    )
    if not rows:
        return None
    entity = Found(*rows[0])
    names = [row[0] for row in store.query("SELECT DISTINCT label FROM alias WHERE entity = ? ORDER BY label", (id,))]
    groups = store.query(
        "SELECT level, name, count(DISTINCT entity) FROM member "
        "WHERE name IN (SELECT name FROM member WHERE entity = ?) GROUP BY level, name ORDER BY 3, name",
        (id,),
    )
    rows = store.query("SELECT curie FROM identifier WHERE entity = ? ORDER BY curie", (id,))
    own = (entity.identifier or "").lower()
    others = [curie for (curie,) in rows if curie != own]
    pairs = pairs_of(store, id, status)
    shown = pairs[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    names = [name for name in names if name != entity.name]
    return EntityPage(entity, names, list(map(_as_written, others)), [Group(*g) for g in groups], shown, len(pairs))


def _as_written(curie: str) -> str:
    """A CURIE in the case in which people write it."""
    prefix, _, value = curie.partition(":")
    return (
        f"{prefix}:{value.upper()}" if prefix in ("wikidata", "inchikey") else curie.replace("ncbitaxon", "NCBITaxon")
    )


def pair_page(store: Store, head: str, tail: str, relation: str | None = None) -> tuple[Pair, list[Report]] | None:
    """A pair with what each document says of it, the surest first; None if there is no such pair."""
    pair = pair_of(store, head, tail, relation)
    if pair is None:
        return None
    found = statements(store, pair)
    texts = {document.id: (document, said) for document, said in documents_of(store, [s.document for s in found])}
    reports = [Report(each, _sentence(each, pair.relation, texts)) for each in found]
    for said in answers(store, pair):
        for report in reports:
            if report.statement.document == said.document:
                report.said.append(said)
    return pair, reports


def document_page(store: Store, id: str) -> DocumentPage | None:
    """A document with its relations; None if the database has no text of it."""
    found = documents_of(store, [id])
    if not found:
        return None
    document, prediction = found[0]
    return DocumentPage(document, prediction, marked_text(document, prediction.relations))


def link_of(side: Side) -> str | None:
    """Where an identifier leads; None where it leads nowhere that we know."""
    identifier = side.identifier or ""
    kind, _, value = identifier.partition(":")
    patterns = {
        "NCBITaxon": "https://www.ncbi.nlm.nih.gov/Taxonomy/Browser/wwwtax.cgi?id={}",
        "wikidata": "https://www.wikidata.org/wiki/{}",
        "pubchem.compound": "https://pubchem.ncbi.nlm.nih.gov/compound/{}",
    }
    return patterns[kind].format(value) if kind in patterns and value.isalnum() else None


def _sentence(said: Statement, type: str, texts: dict[str, tuple[Document, Prediction]]) -> list[Piece]:
    document, prediction = texts[said.document]
    for relation in prediction.relations:
        if (relation.head, relation.type, relation.tail) == (said.head_text, type, said.tail_text):
            return marked_sentence(document, relation)
    return [Piece(said.sentence)]


def group_page(store: Store, name: str, status: Status | None, page: int) -> tuple[list[Pair], int]:
    """(pairs of a page, how many there are) of a taxon or of a class of compounds."""
    pairs = find_pairs(store, PairFilter(taxon=name, status=status))
    if not pairs and kind_of(store).is_built_in:
        pairs = find_pairs(store, PairFilter(compound_class=name, status=status))
    return pairs[(page - 1) * PAGE_SIZE : page * PAGE_SIZE], len(pairs)
