"""The references to fetch, and the relations of LOTUS's table, or of a table of another field, that belong to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Entity, Triple
from abroad.sources.field_tables import PMID_COLUMNS, FieldRow, FieldTable, read_field_table
from abroad.sources.lotus import COLUMNS, PMID
from abroad.sources.tables import open_table, read_header, read_rows, shorten

_LABELS = ("organism_name", "structure_nameTraditional")
ITEM_COLUMNS = ("reference_doi", "reference_wikidata")
_RELATIONS_TABLE = "a relations table (tab separated, as `abroad lotus prepare` writes it)"
_REFERENCES = f"a column {' or '.join((*PMID_COLUMNS[:2], *ITEM_COLUMNS))}, or a list of PMIDs"


@dataclass(frozen=True)
class Reference:
    """A publication by its PMID, and the DOI the table knows it by."""

    pmid: str
    doi: str | None = None


@dataclass
class Related:
    """What the table says of one reference; entities by id, in order of appearance.

    Natural products have organisms, chemicals and relations; another field has entities and triples.
    """

    doi: str | None = None
    wikidata: str | None = None
    organisms: dict[str, Entity] = field(default_factory=dict)
    chemicals: dict[str, Entity] = field(default_factory=dict)
    relations: dict[tuple[str, str], None] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)
    triples: dict[Triple, None] = field(default_factory=dict)


def read_references(
    path: str | Path,
    relations: str | Path | FieldTable | None,
    context: Context,
    find_pmids: Callable[[Sequence[str]], Mapping[str, str]] | None = None,
) -> tuple[list[Reference], dict[str, Related]]:
    """Read what to fetch, and with a relations table what is known of it.

    Args:
        path: the sampler's output, another tab-separated table with a PMID column, or a list of
            PMIDs, one a line. A table without PMIDs is looked up in `relations` by its
            reference_doi (without regard to case) or reference_wikidata.
        relations: as `abroad.sources.lotus.prepare` writes it, or a table of another field.
        find_pmids: DOIs in lower case -> PMIDs of those that have one; asked where `relations` has none of them.
    Returns:
        The references in order, each once, and PMID -> what `relations` holds of it.
    Raises:
        InputError: a file cannot be read, or names no reference that can be fetched.
    """
    column, keys = _read_keys(path, context)
    by_pmid = column in PMID_COLUMNS
    if not by_pmid and relations is None:
        raise InputError(f"{path}: has {column} but no PMID; give the relations table to look them up (--relations)")
    rows: Iterator[_Row] = iter(())
    if isinstance(relations, FieldTable):
        rows, relations = _read_field(relations, context), relations.path
    elif relations is not None:
        rows = _read_relations(relations, context)
    pmids_of, related, without = _gather(rows, PMID if by_pmid else column, set(keys))
    if find_pmids is not None and without:
        for key, pmid, its in _found_later(without, find_pmids):
            if key not in pmids_of:
                pmids_of[key] = {pmid: None}
                related.setdefault(pmid, its)
    references: dict[str, Reference] = {}
    for key in keys:
        pmids = [key] if by_pmid else pmids_of.get(key, ())
        if not pmids:
            why = f"no PMID in {relations}, and none found" if key in without else f"no such reference in {relations}"
            context.rejects.add(f"{path}: {column} {key}", why)
        for pmid in pmids:
            known = related.get(pmid)
            references.setdefault(pmid, Reference(pmid, known.doi if known else None))
    if not references:
        raise InputError(f"{path}: no reference with a PMID; expected {_REFERENCES}")
    return list(references.values()), related


def _gather(
    rows: Iterator[_Row], column: str, wanted: Set[str]
) -> tuple[dict[str, dict[str, None]], dict[str, Related], dict[str, tuple[str, Related]]]:
    """Key -> its PMIDs, PMID -> what is known of it, and key -> DOI and what is known of those without a PMID."""
    related: dict[str, Related] = {}
    pmids_of: dict[str, dict[str, None]] = {}
    without: dict[str, tuple[str, Related]] = {}
    for row, add in rows:
        pmid = row[PMID]
        key = pmid if column == PMID else _key(row[column])
        if key not in wanted:
            continue
        if pmid:
            pmids_of.setdefault(key, {})[pmid] = None
            add(related.setdefault(pmid, Related()))
        else:
            add(without.setdefault(key, (_key(row["reference_doi"]), Related()))[1])
    return pmids_of, related, without


def _found_later(
    without: Mapping[str, tuple[str, Related]], find_pmids: Callable[[Sequence[str]], Mapping[str, str]]
) -> Iterator[tuple[str, str, Related]]:
    """(key, PMID, what the table says) of references without a PMID that have one after all."""
    found = find_pmids([doi for doi, _ in without.values()])
    yield from ((key, found[doi], its) for key, (doi, its) in without.items() if doi in found)


def item_column(path: str | Path, header: Sequence[str]) -> str:
    """The column that names the reference: a PMID if there is one, else DOI or Wikidata item.

    Raises:
        InputError: the table has none of them.
    """
    for name in (*PMID_COLUMNS, *ITEM_COLUMNS):
        if name in header:
            return name
    raise InputError(f"{path}: expected {_REFERENCES}; found columns {shorten(header)}")


def _read_keys(path: str | Path, context: Context) -> tuple[str, list[str]]:
    """(column, its distinct values in order); a list of PMIDs counts as the column PMID."""
    header = read_header(path, "\t", _REFERENCES)
    if len(header) == 1 and _is_pmid(header[0].strip()):
        column, values = "PMID", _read_list(path)
    else:
        column = item_column(path, header)
        values = ((line, value) for line, (value,) in read_rows(path, (column,), "\t", _REFERENCES, context))
    keys: dict[str, None] = {}
    for line, value in values:
        value = value.strip()
        if column in PMID_COLUMNS and value and not _is_pmid(value):
            context.rejects.add(f"{path}:{line}", f"expected a PMID (digits), found {value[:40]!r}")
        elif value:
            keys[(value.lstrip("0") or "0") if column in PMID_COLUMNS else _key(value)] = None
    return column, list(keys)


def _read_list(path: str | Path) -> Iterator[tuple[int, str]]:
    with open_table(path, _REFERENCES) as stream:
        yield from enumerate(stream, 1)


_Row = tuple[dict[str, str], Callable[[Related], None]]
"""What names the publication of a row, and what adds the row to what is known of it."""


def _read_field(table: FieldTable, context: Context) -> Iterator[_Row]:
    for row in read_field_table(table, context):
        yield row.keys, partial(_add_typed, row=row)


def _add_typed(related: Related, row: FieldRow) -> None:
    related.doi = related.doi or row.keys["reference_doi"] or None
    related.wikidata = related.wikidata or _qid(row.keys["reference_wikidata"]) or None
    for entity in (row.head, row.tail):
        related.entities.setdefault(entity.id, entity)
    related.triples[row.triple] = None


def _read_relations(path: str | Path, context: Context) -> Iterator[_Row]:
    columns = (*COLUMNS, PMID)
    for line, fields in read_rows(path, columns, "\t", _RELATIONS_TABLE, context):
        row = dict(zip(columns, map(str.strip, fields), strict=True))
        empty = [name for name in ("structure_wikidata", "organism_wikidata", *_LABELS) if not row[name]]
        empty += [PMID] if not row[PMID] and not row["reference_doi"] else []
        if empty:
            context.rejects.add(f"{path}:{line}", f"nothing in {', '.join(empty)}")
        elif row[PMID] and not _is_pmid(row[PMID]):
            context.rejects.add(f"{path}:{line}", f"expected a PMID (digits), found {row[PMID][:40]!r}")
        else:
            yield row, partial(_add, row=row)


def _add(related: Related, row: dict[str, str]) -> None:
    organism_id, chemical_id = _qid(row["organism_wikidata"]), _qid(row["structure_wikidata"])
    related.doi = related.doi or row["reference_doi"] or None
    related.wikidata = related.wikidata or _qid(row["reference_wikidata"]) or None
    related.organisms.setdefault(organism_id, Entity(organism_id, row["organism_name"]))
    cid = row["structure_cid"]
    chemical = Entity(chemical_id, row["structure_nameTraditional"], {"pubchem_id": cid} if cid else {})
    related.chemicals.setdefault(chemical_id, chemical)
    related.relations[organism_id, chemical_id] = None


def _qid(url: str) -> str:
    """The item at the end of a Wikidata address: http://www.wikidata.org/entity/Q43656 -> Q43656."""
    return url.strip().rstrip("/").rpartition("/")[2]


def _key(value: str) -> str:
    return value.strip().lower()


def _is_pmid(text: str) -> bool:
    return text.isascii() and text.isdigit()
