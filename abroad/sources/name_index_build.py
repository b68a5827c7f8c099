"""Build the index of names: from LOTUS's metadata, or from any plain table of compound, organism and DOI."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.full_disk import sqlite_errors_told
from abroad.core.outputs import check_file
from abroad.core.record_fields import read_doi
from abroad.sources.name_index import FORMAT
from abroad.sources.name_keys import name_key, organism_key
from abroad.sources.tables import open_table, read_header, read_rows, shorten

METADATA = "a LOTUS metadata table (CSV)"
PLAIN = "a table with columns compound, organism and DOI (CSV or TSV, gzip or not)"
_MISSING = ("", "NA")
_SCHEMA = """
CREATE TABLE chemical (name TEXT, id TEXT, label TEXT, wikidata TEXT, pubchem TEXT, inchikey TEXT, classes TEXT,
  UNIQUE (name, id));
CREATE TABLE organism (name TEXT, id TEXT, label TEXT, wikidata TEXT, lineage TEXT, UNIQUE (name, id));
CREATE TABLE genus (name TEXT PRIMARY KEY, lineage TEXT);
CREATE TABLE reference (doi TEXT, wikidata TEXT, UNIQUE (doi));
CREATE TABLE relation (chemical TEXT, organism TEXT, doi TEXT, UNIQUE (chemical, organism, doi));
CREATE TABLE pmid (pmid TEXT, doi TEXT, UNIQUE (pmid, doi));
CREATE INDEX chemical_key ON chemical (inchikey);
CREATE INDEX relation_doi ON relation (doi);
"""
_TABLES = ("chemical", "organism", "reference", "relation")
_RANKS = ("kingdom", "phylum", "class", "order", "family", "genus")
_LEVELS = ("pathway", "superclass", "class")
_LOTUS_LINEAGE = {
    **{"organism_taxonomy_02kingdom": "kingdom", "organism_taxonomy_03phylum": "phylum"},
    **{"organism_taxonomy_04class": "class", "organism_taxonomy_05order": "order"},
    **{"organism_taxonomy_06family": "family", "organism_taxonomy_08genus": "genus"},
}
_LOTUS_CLASSES = {f"structure_taxonomy_npclassifier_0{n}{level}": level for n, level in enumerate(_LEVELS, 1)}
_PLAIN_NAMES = {
    "compound": ("compound", "chemical", "molecule", "structure", "compound name", "chemical name"),
    "organism": ("organism", "species", "taxon", "organism name", "taxon name"),
    "doi": ("doi", "reference", "reference doi", "publication"),
    "pmid": ("pmid", "pubmed", "pubmed id", "reference pubmed id"),
    "wikidata": ("compound wikidata", "chemical wikidata", "wikidata"),
    "organism wikidata": ("organism wikidata", "taxon wikidata"),
    "inchikey": ("inchikey", "inchi key"),
    "pubchem": ("pubchem", "cid", "pubchem cid"),
}


@dataclass
class _Row:
    """A row of whichever table, read."""

    names: tuple[str, ...]
    organism: str
    doi: str
    pmid: str = ""
    wikidata: str = ""
    organism_wikidata: str = ""
    reference_wikidata: str = ""
    pubchem: str = ""
    inchikey: str = ""
    lineage: dict[str, str] = field(default_factory=dict)
    classes: dict[str, str] = field(default_factory=dict)


def build_index(
    table: Path,
    out: Path,
    context: Context,
    synonyms: Path | None = None,
    pmids: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Write the index; gives the number of rows of each of its tables.

    Args:
        table: LOTUS's frozen metadata (every row counts, whatever `prepare` filters), or a plain table with columns
            compound, organism and DOI, told apart by their columns; CSV or TSV, gzip or not.
        out: the SQLite file; it is there when it is whole.
        context: its rejects are the rows that are broken, or name no compound or organism.
        synonyms: tab separated, columns name and inchikey: further names of chemicals.
        pmids: DOI (lower case) -> PMID, so that a publication is known by either; a plain table may have both.
    Raises:
        InputError: a file cannot be read, lacks a column or holds no usable row.
    """
    rows = _reader(table, context)
    check_file(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")
    part.unlink(missing_ok=True)
    try:
        with sqlite_errors_told(out), closing(sqlite3.connect(part)) as connection, connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute(f"PRAGMA user_version = {FORMAT}")
            connection.executescript(_SCHEMA)
            _fill(connection, rows())
            if synonyms is not None:
                _add_synonyms(connection, synonyms, context)
            _add_pmids(connection, pmids or {})
            _add_genera(connection)
            counts = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in _TABLES}
            if not counts["chemical"] or not counts["organism"]:
                raise InputError(f"{table}: no usable row{context.rejects.first()}; expected {PLAIN}")
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return counts


def _reader(path: Path, context: Context) -> Callable[[], Iterator[_Row]]:
    """What reads the rows of a table; its columns are looked at now."""
    delimiter = _delimiter(path)
    header = read_header(path, delimiter, f"{METADATA}, or {PLAIN}")
    if any(name.startswith("structure_") and name != "structure" for name in header):
        return lambda: _lotus_rows(path, header, delimiter, context)
    columns = _plain_columns(header)
    missing = [name for name in ("compound", "organism", "doi") if name not in columns]
    if missing:
        raise InputError(f"{path}: no column {', '.join(missing)} (found: {shorten(header)}); expected {PLAIN}")
    return lambda: _plain_rows(path, columns, delimiter, context)


def _delimiter(path: Path) -> str:
    with open_table(path, PLAIN) as stream:
        first = next((line for line in stream if line.strip()), "")
    return max(("\t", ",", ";"), key=first.count)


def _plain_columns(header: Sequence[str]) -> dict[str, str]:
    """What a column means -> its name."""
    plain = {re.sub(r"[\W_]+", " ", name).strip().lower(): name for name in reversed(header)}
    meanings = {**_PLAIN_NAMES, **{rank: (rank,) for rank in _RANKS}}
    return {meaning: plain[name] for meaning, names in meanings.items() for name in reversed(names) if name in plain}


def _plain_rows(path: Path, columns: dict[str, str], delimiter: str, context: Context) -> Iterator[_Row]:
    unread: list[str] = []
    for line, fields in _counted(read_rows(path, tuple(columns.values()), delimiter, PLAIN, context), context):
        row = dict(zip(columns, map(_present, fields), strict=True))
        if not row["compound"] or not row["organism"]:
            context.rejects.add(f"{path}:{line}", "expected a compound and an organism")
            continue
        doi = read_doi(row["doi"]) or ""
        if row["doi"] and not doi:
            unread.append(f"{path}:{line}: {row['doi'][:40]!r}")
        yield _Row(
            names=(row["compound"],),
            organism=row["organism"],
            doi=doi.lower(),
            pmid=row.get("pmid", ""),
            wikidata=_item(row.get("wikidata", "")),
            organism_wikidata=_item(row.get("organism wikidata", "")),
            pubchem=row.get("pubchem", ""),
            inchikey=row.get("inchikey", ""),
            lineage={rank: row[rank] for rank in _RANKS if row.get(rank)},
        )
    if unread:
        context.rejects.notes.append(
            f"{len(unread)} row(s) have no DOI that can be read ({unread[0]}): they count without one"
        )


def _lotus_rows(path: Path, header: Sequence[str], delimiter: str, context: Context) -> Iterator[_Row]:
    needed = (
        *("structure_wikidata", "structure_cid", "structure_nameTraditional", "organism_wikidata", "organism_name"),
        *("reference_wikidata", "reference_doi"),
    )
    optional = ("structure_nameIupac", "structure_inchikey", *_LOTUS_LINEAGE, *_LOTUS_CLASSES)
    columns = (*needed, *(name for name in optional if name in header))
    for _, fields in _counted(read_rows(path, columns, delimiter, METADATA, context), context):
        row = dict(zip(columns, map(_present, fields), strict=True))
        yield _Row(
            names=(row["structure_nameTraditional"], row.get("structure_nameIupac", "")),
            organism=row["organism_name"],
            doi=(read_doi(row["reference_doi"]) or row["reference_doi"]).lower(),
            wikidata=_item(row["structure_wikidata"]),
            organism_wikidata=_item(row["organism_wikidata"]),
            reference_wikidata=_item(row["reference_wikidata"]),
            pubchem=row["structure_cid"],
            inchikey=row.get("structure_inchikey", ""),
            lineage={rank: row[name] for name, rank in _LOTUS_LINEAGE.items() if row.get(name)},
            classes={level: row[name] for name, level in _LOTUS_CLASSES.items() if row.get(name)},
        )


def _counted(rows: Iterable[tuple[int, tuple[str, ...]]], context: Context) -> Iterator[tuple[int, tuple[str, ...]]]:
    with context.progress("indexing names", total=None) as progress:
        for number, row in enumerate(rows, 1):
            if number % 10_000 == 0:
                progress.advance(10_000)
            yield row


def _present(value: str) -> str:
    text = " ".join(value.split())
    return "" if text in _MISSING else text


def _fill(connection: sqlite3.Connection, rows: Iterable[_Row]) -> None:
    insert = connection.execute
    for row in rows:
        keys = {key: name for name in row.names if (key := name_key(name))}
        chemical = _chemical_id(row, next(iter(keys), ""))
        organism_name = organism_key(row.organism)
        organism = row.organism_wikidata or (f"name:{organism_name}" if organism_name else "")
        label = next(iter(keys.values()), "")
        classes, lineage = json.dumps(row.classes), json.dumps(row.lineage)
        for key in keys:
            values = (key, chemical, label, row.wikidata, row.pubchem, row.inchikey, classes)
            insert("INSERT OR IGNORE INTO chemical VALUES (?, ?, ?, ?, ?, ?, ?)", values)
        if organism_name:
            taxon = (organism_name, organism, row.organism, row.organism_wikidata, lineage)
            insert("INSERT OR IGNORE INTO organism VALUES (?, ?, ?, ?, ?)", taxon)
        if row.doi:
            insert("INSERT OR IGNORE INTO reference VALUES (?, ?)", (row.doi, row.reference_wikidata))
        if row.doi and row.pmid.isascii() and row.pmid.isdigit():
            insert("INSERT OR IGNORE INTO pmid VALUES (?, ?)", (row.pmid.lstrip("0"), row.doi))
        if chemical and organism:
            insert("INSERT OR IGNORE INTO relation VALUES (?, ?, ?)", (chemical, organism, row.doi))


def _chemical_id(row: _Row, key: str) -> str:
    if row.wikidata:
        return row.wikidata
    if row.inchikey:
        return f"inchikey:{row.inchikey}"
    return f"pubchem.compound:{row.pubchem}" if row.pubchem else f"name:{key}" if key else ""


def _add_synonyms(connection: sqlite3.Connection, path: Path, context: Context) -> None:
    what = "names and InChIKeys (tab separated, columns name and inchikey)"
    query = "SELECT id, label, wikidata, pubchem, classes FROM chemical WHERE inchikey = ?"
    for _, (name, inchikey) in read_rows(path, ("name", "inchikey"), "\t", what, context):
        if not (key := name_key(name)):
            continue
        known = connection.execute(query, (inchikey,)).fetchone()
        id, label, wikidata, pubchem, classes = known or (f"inchikey:{inchikey}", name, "", "", "{}")
        values = (key, id, label, wikidata, pubchem, inchikey, classes)
        connection.execute("INSERT OR IGNORE INTO chemical VALUES (?, ?, ?, ?, ?, ?, ?)", values)


def _add_pmids(connection: sqlite3.Connection, pmids: Mapping[str, str]) -> None:
    """Of the publications that the table names."""
    query = "INSERT OR IGNORE INTO pmid SELECT ?, doi FROM reference WHERE doi = ?"
    connection.executemany(query, ((pmid, doi) for doi, pmid in pmids.items()))


def _add_genera(connection: sqlite3.Connection) -> None:
    """Higher taxa of each genus, as far as its species agree; species that the table lacks get theirs from it."""
    common: dict[str, tuple[str, dict[str, str]]] = {}
    for label, text in connection.execute("SELECT label, lineage FROM organism"):
        lineage = {rank: name for rank, name in json.loads(text).items() if rank != "genus"}
        genus = label.removeprefix("× ").split(" ")[0]
        if not lineage or not genus[:1].isupper():
            continue
        key = organism_key(genus)
        before = common.get(key, (genus, lineage))[1]
        common[key] = genus, {rank: name for rank, name in before.items() if lineage.get(rank) == name}
    rows = [(key, json.dumps({**lineage, "genus": genus})) for key, (genus, lineage) in common.items()]
    connection.executemany("INSERT OR IGNORE INTO genus VALUES (?, ?)", rows)


def _item(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]
