"""A table of relations of another field than natural products: a row says that a publication states a relation.

Columns are `PMID` (or `reference_pubmed_id`), `head` and `tail`; `type` where the field has several types of relations;
`head_type` and `tail_type` where a side may be of several; `head_id`, `tail_id` and `reference_doi` if there are any.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from abroad.core.context import Context
from abroad.core.entities import Entity, Triple
from abroad.core.errors import InputError, nearest
from abroad.core.field import Field
from abroad.sources.tables import read_header, read_rows, shorten

PMID_COLUMNS = ("reference_pubmed_id", "PMID", "pmid")
_OTHERS = ("type", "head_type", "tail_type", "head_id", "tail_id", "reference_doi", "reference_wikidata")


@dataclass(frozen=True)
class FieldTable:
    """A table of relations, and the field that they are of."""

    path: Path
    field: Field


@dataclass(frozen=True)
class FieldRow:
    """What a row says.

    Attributes:
        keys: of the publication, by the columns that name it: a PMID, a DOI.
        head: its first entity.
        triple: the relation.
        tail: its second entity.
    """

    keys: dict[str, str]
    head: Entity
    triple: Triple
    tail: Entity


def read_field_table(table: FieldTable, context: Context) -> Iterator[FieldRow]:
    """The rows of a table, the PMID named `reference_pubmed_id` in each; those that are not of the field are set aside.

    Raises:
        InputError: the table cannot be read, or lacks a column that the field needs.
    """
    field, what = table.field, f"a table of relations of the field {table.field.name} (tab separated)"
    header = read_header(table.path, "\t", what)
    pmid = next((name for name in PMID_COLUMNS if name in header), None)
    if pmid is None and "reference_doi" not in header:
        raise InputError(
            f"{table.path}: no column PMID and no reference_doi (found: {shorten(header)}); expected {what}"
        )
    needed = ["head", "tail", *_needed(field)]
    columns = [*([pmid] if pmid else []), *needed, *(n for n in _OTHERS if n in header and n not in needed)]
    for line, values in read_rows(table.path, columns, "\t", what, context):
        row = dict(zip(columns, map(str.strip, values), strict=True))
        row[PMID_COLUMNS[0]] = row.pop(pmid) if pmid else ""
        if reason := _mistake(row, needed, field):
            context.rejects.add(f"{table.path}:{line}", reason)
        else:
            yield _row(row, field)


def _needed(field: Field) -> list[str]:
    """Columns without which rows cannot be understood."""
    several = [s for s in ("head", "tail") if any(len(getattr(r, s)) > 1 for r in field.relations.values())]
    return [*(["type"] if len(field.relations) > 1 else []), *(f"{side}_type" for side in several)]


def _mistake(row: dict[str, str], needed: list[str], field: Field) -> str:
    empty = [name for name in needed if not row[name]]
    if not row[PMID_COLUMNS[0]] and not row.get("reference_doi"):
        empty.append("PMID")
    if empty:
        return f"nothing in {', '.join(empty)}"
    if row[PMID_COLUMNS[0]] and not (row[PMID_COLUMNS[0]].isascii() and row[PMID_COLUMNS[0]].isdigit()):
        return f"expected a PMID (digits), found {row[PMID_COLUMNS[0]][:40]!r}"
    type = row.get("type") or next(iter(field.relations))
    if type not in field.relations:
        near = nearest(type, list(field.relations))
        return f"a relation of the unknown type {type!r}{f'; did you mean {near}?' if near else ''}"
    head, tail = _types(row, field)
    if not field.relations[type].joins(head, tail):
        sides = f"{' or '.join(field.relations[type].head)} and {' or '.join(field.relations[type].tail)}"
        return f"{type} between {head} and {tail}: expected {sides}"
    return ""


def _types(row: dict[str, str], field: Field) -> tuple[str, str]:
    relation = field.relations[row.get("type") or next(iter(field.relations))]
    return row.get("head_type") or relation.head[0], row.get("tail_type") or relation.tail[0]


def _row(row: dict[str, str], field: Field) -> FieldRow:
    head, tail = (
        Entity(_id(row, side, type), row[side], type=type)
        for side, type in zip(("head", "tail"), _types(row, field), strict=True)
    )
    keys = {name: row.get(name, "") for name in (PMID_COLUMNS[0], "reference_doi", "reference_wikidata")}
    return FieldRow(keys, head, Triple(head.id, row.get("type") or next(iter(field.relations)), tail.id), tail)


def _id(row: dict[str, str], side: str, type: str) -> str:
    """Identifier of an entity in its document; without one, its name with its type, since two types may share names."""
    return row.get(f"{side}_id") or f"{type} {row[side]}"
