"""Names of chemicals and organisms -> identifiers, and the relations that a database knows: one SQLite file.

SQLite since it is in the standard library, opens a million names without reading them, and is one file to hand on.
`abroad lotus prepare --index` and `abroad knowledge index` build it (`abroad.sources.name_index_build`).

Every chemical and organism has an id: the Wikidata item ("Q43656"), else the InChIKey or PubChem's number as a CURIE,
else the key of its name ("name:usnicacid"), since a plain table has nothing but names.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.sources.name_keys import name_key, organism_key

FORMAT = 3
"""The first one had keys without primes, so that 3'-O-methylquercetin was found as 3-O-methylquercetin; the second one
without case, so that N-butylbenzamide was found as n-butylbenzamide."""


@dataclass(frozen=True)
class ChemicalEntry:
    """A chemical of the index; each identifier may be missing.

    Attributes:
        wikidata: "Q43656".
        pubchem: "5997".
        inchikey: 27 characters.
        id: what the index's relations name it by.
        label: a name, as the source has it.
        classes: level ("pathway", "superclass", "class") -> NPClassifier's name.
    """

    wikidata: str | None
    pubchem: str | None
    inchikey: str | None
    id: str | None = field(default=None, compare=False)
    label: str | None = field(default=None, compare=False)
    classes: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def identifiers(self) -> tuple[str, ...]:
        """All there are, as CURIEs: Wikidata, PubChem, InChIKey."""
        named = {"wikidata": self.wikidata, "pubchem.compound": self.pubchem, "inchikey": self.inchikey}
        return tuple(f"{prefix}:{value}" for prefix, value in named.items() if value)

    @property
    def identifier(self) -> str | None:
        """The first there is."""
        return next(iter(self.identifiers), None)


@dataclass(frozen=True)
class OrganismEntry:
    """An organism of the index.

    Attributes:
        wikidata: "Q1146782"; None where the source has names alone.
        id: what the index's relations name it by.
        label: its name, as the source has it.
        lineage: rank ("family") -> name of the taxon.
    """

    wikidata: str | None
    id: str
    label: str
    lineage: Mapping[str, str] = field(default_factory=dict)


class NameIndex:
    """The index, opened for reading.

    Raises:
        InputError: not a file that abroad wrote, or one of an earlier version, which has to be built again.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise InputError(
                f"{path}: no such index; `abroad lotus prepare ... --index {path}` or `abroad knowledge index` "
                "builds it"
            )
        self.path = path
        try:
            self._connection = sqlite3.connect(f"file:{path.resolve().as_posix()}?mode=ro", uri=True)
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            tables = {row[0] for row in self._connection.execute("SELECT name FROM sqlite_master")}
        except sqlite3.DatabaseError as error:
            raise InputError(f"{path}: not an index of names: {error}") from None
        if not {"chemical", "organism", "relation"} <= tables:
            raise InputError(f"{path}: not an index of names; `abroad lotus prepare ... --index` builds one")
        if version < FORMAT:
            raise InputError(
                f"{path}: an index of an earlier version, which takes N-butyl for n-butyl (or 3'-O- for 3-O-) and "
                "so links wrong isomers; build it again with the command that built it "
                "(`abroad lotus prepare ... --index` or `abroad knowledge index`)"
            )
        if version != FORMAT:
            raise InputError(
                f"{path}: an index of a later version of abroad (format {version}); this one reads {FORMAT}"
            )
        self._has_pmids = "pmid" in tables  # those of before know publications by their DOIs alone

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def chemical(self, name: str) -> ChemicalEntry | None:
        """The chemical of a name; None if there is none, or several (isomers under one name)."""
        rows = self._connection.execute(f"{_CHEMICAL} WHERE name = ?", (name_key(name),)).fetchall()
        return _chemical(rows[0]) if len(rows) == 1 else None

    def chemical_by_inchikey(self, inchikey: str) -> ChemicalEntry | None:
        """The chemical of a structure."""
        row = self._connection.execute(f"{_CHEMICAL} WHERE inchikey = ?", (inchikey,)).fetchone()
        return _chemical(row) if row else None

    def organism_entry(self, name: str) -> OrganismEntry | None:
        """The organism of a name; None if there is none, or several (homonyms)."""
        query = "SELECT wikidata, id, label, lineage FROM organism WHERE name = ?"
        rows = self._connection.execute(query, (organism_key(name),)).fetchall()
        if len(rows) != 1:
            return None
        wikidata, id, label, lineage = rows[0]
        return OrganismEntry(wikidata or None, id, label, json.loads(lineage))

    def organism(self, name: str) -> str | None:
        """The Wikidata item of a taxon; None if there is none, or several (homonyms)."""
        entry = self.organism_entry(name)
        return entry.wikidata if entry else None

    def genus_lineage(self, genus: str) -> dict[str, str]:
        """Higher taxa of a genus: those on which all of its species in the index agree."""
        row = self._connection.execute("SELECT lineage FROM genus WHERE name = ?", (organism_key(genus),)).fetchone()
        lineage: dict[str, str] = json.loads(row[0]) if row else {}
        return lineage

    def doi(self, document: Document) -> str | None:
        """The DOI that the index knows a document's publication by: its own, else that of its PMID."""
        return document.doi or (self.doi_of(document.pmid) if document.pmid else None)

    def doi_of(self, pmid: str) -> str | None:
        """The DOI of a publication; None if the index has none for its PMID, or several."""
        if not self._has_pmids:
            return None
        rows = self._connection.execute("SELECT doi FROM pmid WHERE pmid = ?", (pmid.lstrip("0"),)).fetchall()
        return rows[0][0] if len(rows) == 1 else None

    def reference(self, doi: str) -> str | None:
        """The Wikidata item of a publication."""
        row = self._connection.execute("SELECT wikidata FROM reference WHERE doi = ?", (doi.lower(),)).fetchone()
        return row[0] or None if row else None

    def is_known(self, chemical: str, organism: str) -> bool:
        """Whether the database has the relation of two ids, from any reference."""
        query = "SELECT 1 FROM relation WHERE chemical = ? AND organism = ? LIMIT 1"
        return self._connection.execute(query, (chemical, organism)).fetchone() is not None

    def organisms_in(self, doi: str, chemical: str) -> set[str]:
        """The organisms that the database has for a chemical from one publication, all as ids."""
        query = "SELECT organism FROM relation WHERE doi = ? AND chemical = ?"
        return {row[0] for row in self._connection.execute(query, (doi.lower(), chemical))}

    def relations(self) -> Iterator[tuple[str, str, str]]:
        """Yield (organism, chemical, DOI or "") of every relation."""
        with contextlib.closing(self._connection.execute("SELECT organism, chemical, doi FROM relation")) as rows:
            yield from rows


_CHEMICAL = "SELECT DISTINCT wikidata, pubchem, inchikey, id, label, classes FROM chemical"


def _chemical(row: tuple[str, ...]) -> ChemicalEntry:
    wikidata, pubchem, inchikey, id, label, classes = row
    return ChemicalEntry(wikidata or None, pubchem or None, inchikey or None, id, label, json.loads(classes))
