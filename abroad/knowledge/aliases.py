"""Labels of a database that are new get their entities, some at a time, so that memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from abroad.core.io import file_sha256
from abroad.knowledge.entities import Named, Names
from abroad.knowledge.kinds import HEAD, TAIL, BaseKind
from abroad.knowledge.store import Store, read_meta, write_meta
from abroad.sources.name_index import NameIndex

_CHUNK = 5_000
_NAMED = "name_key, entity, identifier, indexed, item, name"


def link_labels(store: Store, kind: BaseKind, names: NameIndex | None, opsin: bool) -> bool:
    """Link labels that are new, or all of them where the index is another than before; whether it is another."""
    another = False
    if names is not None:
        facts = {"name": names.path.name, "sha256": file_sha256(names.path), "opsin": opsin, "identifiers": True}
        another = read_meta(store).get("index") != facts
        if another:
            for table in ("alias", "identifier", "member", "known"):
                store.query(f"DELETE FROM {table}")
            if kind.compares:
                store.insert("known", [(o, c, doi or None) for o, c, doi in names.relations()])
            write_meta(store, index=facts)
        _name_references(store, names)
    looked_up = Names(kind, names, opsin)
    for type in (HEAD, TAIL) if kind.is_built_in else kind.types:
        for labels in _unlinked(store, type):
            found = _again(store, type, labels, looked_up)
            store.insert("alias", [_alias_row(type, label, named) for label, named in found.items()])
            _add_facts(store, found)
    return another


def _again(store: Store, type: str, labels: Sequence[str], names: Names) -> dict[str, Named]:
    """What labels name: what another spelling of the name does already, else what is looked up now."""
    keys = {label: names.key(type, label) for label in labels}
    wanted = sorted(set(keys.values()))
    rows = store.query(
        f"SELECT {_NAMED} FROM alias WHERE type = ? AND name_key IN ({', '.join('?' * len(wanted))}) ORDER BY label",
        (type, *wanted),
    )
    known = {row[0]: Named(row[1], row[0], *row[2:]) for row in reversed(rows)}
    new = names.look_up(type, [label for label in labels if keys[label] not in known])
    return {label: known[keys[label]] if keys[label] in known else new[label] for label in labels}


def _unlinked(store: Store, type: str) -> Iterator[list[str]]:
    """Labels without an entity, in their order, some at a time; spellings of one name may come apart."""
    store.query(
        "CREATE TEMPORARY TABLE unlinked AS SELECT DISTINCT label FROM used WHERE alias_type = ? "
        "AND label NOT IN (SELECT label FROM alias WHERE type = ?)",
        (type, type),
    )
    last = ""
    while labels := [
        row[0]
        for row in store.query(f"SELECT label FROM unlinked WHERE label > ? ORDER BY label LIMIT {_CHUNK}", (last,))
    ]:
        yield labels
        last = labels[-1]
    store.query("DROP TABLE unlinked")


def _add_facts(store: Store, found: Mapping[str, Named]) -> None:
    """Note the groups and identifiers of entities that are not noted yet."""
    groups = {(named.entity, level, name) for named in found.values() for level, name in named.groups.items()}
    curies = {(named.entity, curie.lower()) for named in found.values() for curie in named.identifiers}
    for table, columns, rows in (("member", "entity, level, name", groups), ("identifier", "entity, curie", curies)):
        new: set[tuple[str, ...]] = set(rows)
        ids = sorted({row[0] for row in new})
        if ids:
            marks = ", ".join("?" * len(ids))
            new -= set(store.query(f"SELECT {columns} FROM {table} WHERE entity IN ({marks})", ids))
        store.insert(table, sorted(new))


def _name_references(store: Store, names: NameIndex) -> None:
    """DOIs that the index has for PMIDs, and Wikidata's items of publications, for the sources of statements."""
    for pmid in _each(store, "pmid", "doi"):
        if doi := names.doi_of(pmid):
            store.query("UPDATE document SET doi = ? WHERE pmid = ? AND doi IS NULL", (doi, pmid))
    for doi in _each(store, "doi", "item"):
        if item := names.reference(doi):
            store.query("UPDATE document SET item = ? WHERE doi = ?", (item, doi))


def _each(store: Store, known: str, lacking: str) -> Iterator[str]:
    """What documents have in one column that have nothing in another, some at a time."""
    last = ""
    query = f"SELECT DISTINCT {known} FROM document WHERE {known} > ? AND {lacking} IS NULL ORDER BY {known}"
    while rows := store.query(f"{query} LIMIT {_CHUNK}", (last,)):
        yield from (value for (value,) in rows)
        last = rows[-1][0]


def _alias_row(type: str, label: str, named: Named) -> tuple[Any, ...]:
    return type, label, named.key, named.entity, named.identifier, named.indexed, named.item, named.name
