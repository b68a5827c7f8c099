"""Names of chemicals and organisms -> identifiers, and the relations that LOTUS knows: one SQLite file.

SQLite since it is in the standard library, opens a million names without reading them,
and is one file to hand on. `abroad lotus prepare --index` builds it.
"""

from __future__ import annotations

import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from abroad.core.errors import InputError
from abroad.core.io import Rejects
from abroad.core.outputs import check_file
from abroad.core.progress import Progress
from abroad.sources.tables import read_header, read_rows

_FORMAT = 1
_NAMES = ("structure_nameTraditional", "structure_nameIupac")
_STRUCTURE = ("structure_wikidata", "structure_cid", "structure_inchikey")
_ORGANISM = ("organism_wikidata", "organism_name")
_REFERENCE = ("reference_wikidata", "reference_doi")
_WHAT = "a LOTUS metadata table (CSV)"
_MISSING = ("", "NA")
_SCHEMA = """
CREATE TABLE chemical (name TEXT, wikidata TEXT, pubchem TEXT, inchikey TEXT, UNIQUE (name, wikidata, inchikey));
CREATE TABLE organism (name TEXT, wikidata TEXT, UNIQUE (name, wikidata));
CREATE TABLE reference (doi TEXT, wikidata TEXT, UNIQUE (doi));
CREATE TABLE relation (chemical TEXT, organism TEXT, doi TEXT, UNIQUE (chemical, organism, doi));
CREATE INDEX chemical_key ON chemical (inchikey);
CREATE INDEX relation_doi ON relation (doi);
"""
_GREEK = dict(zip("αβγδεζηθικλμνξοπρστυφχψω", (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi "
    "psi omega").split(), strict=True))  # fmt: skip


@dataclass(frozen=True)
class ChemicalEntry:
    """A chemical of the index; each identifier may be missing.

    Attributes:
        wikidata: "Q43656".
        pubchem: "5997".
        inchikey: 27 characters.
    """

    wikidata: str | None
    pubchem: str | None
    inchikey: str | None

    @property
    def identifier(self) -> str | None:
        """The first there is, as a CURIE: Wikidata, PubChem, InChIKey."""
        if self.wikidata:
            return f"wikidata:{self.wikidata}"
        if self.pubchem:
            return f"pubchem.compound:{self.pubchem}"
        return f"inchikey:{self.inchikey}" if self.inchikey else None


def name_key(name: str) -> str:
    """Equal for spellings of one name: case, spaces, hyphens, Greek letters, compound numbers at the end."""
    name = re.sub(r"\s*\(\d+[a-z]?\)(?=$|\s+acid)", "", unicodedata.normalize("NFKC", name).lower())
    name = "".join(_GREEK.get(letter, letter) for letter in name)
    # What stood apart may compose once the space between is gone: an accent of its own after a letter.
    return unicodedata.normalize("NFKC", re.sub(r"[\s\-‐–—'′’\".]+", "", name))


def build_index(metadata: Path, out: Path, rejects: Rejects, synonyms: Path | None = None) -> dict[str, int]:
    """Write the index; gives the number of rows of each table.

    Args:
        metadata: LOTUS frozen metadata (CSV, gzip or not); every row counts, whatever `prepare` filters.
        synonyms: tab separated, columns name and inchikey: further names of chemicals.
    Raises:
        InputError: a file cannot be read or lacks a column.
    """
    header = read_header(metadata, ",", _WHAT)
    optional = [name for name in ("structure_nameIupac", "structure_inchikey") if name in header]
    columns = ("structure_wikidata", "structure_cid", "structure_nameTraditional", *_ORGANISM, *_REFERENCE, *optional)
    check_file(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(f".{out.name}.part")
    part.unlink(missing_ok=True)
    try:
        with sqlite3.connect(part) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute(f"PRAGMA user_version = {_FORMAT}")
            connection.executescript(_SCHEMA)
            _fill(connection, _rows(metadata, columns, rejects))
            if synonyms is not None:
                _add_synonyms(connection, synonyms, rejects)
            tables = ("chemical", "organism", "reference", "relation")
            counts = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}
        connection.close()
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)
    return counts


def _rows(path: Path, columns: tuple[str, ...], rejects: Rejects) -> Iterator[dict[str, str]]:
    with Progress("indexing LOTUS names", total=None) as progress:
        for number, (_, row) in enumerate(read_rows(path, columns, ",", _WHAT, rejects), 1):
            if number % 10_000 == 0:
                progress.advance(10_000)
            yield {
                name: "" if value.strip() in _MISSING else value.strip()
                for name, value in zip(columns, row, strict=True)
            }


def _fill(connection: sqlite3.Connection, rows: Iterable[dict[str, str]]) -> None:
    insert = connection.execute
    for row in rows:
        chemical, organism = _item(row["structure_wikidata"]), _item(row["organism_wikidata"])
        entry = (chemical, row["structure_cid"], row.get("structure_inchikey", ""))
        for name in _NAMES:
            if key := name_key(row.get(name, "")):
                insert("INSERT OR IGNORE INTO chemical VALUES (?, ?, ?, ?)", (key, *entry))
        if key := name_key(row["organism_name"]):
            insert("INSERT OR IGNORE INTO organism VALUES (?, ?)", (key, organism))
        doi = row["reference_doi"].lower()
        if doi:
            insert("INSERT OR IGNORE INTO reference VALUES (?, ?)", (doi, _item(row["reference_wikidata"])))
        if chemical and organism:
            insert("INSERT OR IGNORE INTO relation VALUES (?, ?, ?)", (chemical, organism, doi))


def _add_synonyms(connection: sqlite3.Connection, path: Path, rejects: Rejects) -> None:
    what = "names and InChIKeys (tab separated, columns name and inchikey)"
    for _, (name, inchikey) in read_rows(path, ("name", "inchikey"), "\t", what, rejects):
        if not (key := name_key(name)):
            continue
        known = connection.execute("SELECT wikidata, pubchem FROM chemical WHERE inchikey = ?", (inchikey,)).fetchone()
        wikidata, pubchem = known or ("", "")
        connection.execute("INSERT OR IGNORE INTO chemical VALUES (?, ?, ?, ?)", (key, wikidata, pubchem, inchikey))


def _item(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]


class NameIndex:
    """The index, opened for reading.

    Raises:
        InputError: not a file that `abroad lotus prepare --index` wrote.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(f"{path}: no such index; `abroad lotus prepare ... --index {path}` builds it")
        try:
            self._connection = sqlite3.connect(f"file:{path.resolve().as_posix()}?mode=ro", uri=True)
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path}: not an index of names: {error}") from None
        if version != _FORMAT:
            raise InputError(
                f"{path}: not an index of names of format {_FORMAT}; build it again with `abroad lotus prepare`"
            )

    def chemical(self, name: str) -> ChemicalEntry | None:
        """The chemical of a name; None if there is none, or several (isomers under one name)."""
        rows = self._connection.execute(
            "SELECT DISTINCT wikidata, pubchem, inchikey FROM chemical WHERE name = ?", (name_key(name),)
        ).fetchall()
        return ChemicalEntry(*(value or None for value in rows[0])) if len(rows) == 1 else None

    def chemical_by_inchikey(self, inchikey: str) -> ChemicalEntry | None:
        row = self._connection.execute(
            "SELECT wikidata, pubchem, inchikey FROM chemical WHERE inchikey = ?", (inchikey,)
        ).fetchone()
        return ChemicalEntry(*(value or None for value in row)) if row else None

    def organism(self, name: str) -> str | None:
        """The Wikidata item of a taxon; None if there is none, or several (homonyms)."""
        rows = self._connection.execute("SELECT wikidata FROM organism WHERE name = ?", (name_key(name),)).fetchall()
        return rows[0][0] or None if len(rows) == 1 else None

    def reference(self, doi: str) -> str | None:
        """The Wikidata item of a publication."""
        row = self._connection.execute("SELECT wikidata FROM reference WHERE doi = ?", (doi.lower(),)).fetchone()
        return row[0] or None if row else None

    def is_known(self, chemical: str, organism: str) -> bool:
        """Whether LOTUS has the relation, from any reference."""
        query = "SELECT 1 FROM relation WHERE chemical = ? AND organism = ? LIMIT 1"
        return self._connection.execute(query, (chemical, organism)).fetchone() is not None

    def organisms_in(self, doi: str, chemical: str) -> set[str]:
        """The organisms that LOTUS has for a chemical from one publication."""
        query = "SELECT organism FROM relation WHERE doi = ? AND chemical = ?"
        return {row[0] for row in self._connection.execute(query, (doi.lower(), chemical))}
