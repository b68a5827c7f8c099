"""Pairs of names that somebody knows to be related -> documents that `abroad synth instruct` makes prompts of.

They have a title and no abstract. A document names several heads, so that pairs of it are unrelated too, and names
without a relation where the field has tables of names: an extractor that sees related names alone learns that all are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Annotated, NamedTuple

from pydantic import Field as Key

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field
from abroad.core.field_names import table_names
from abroad.core.io import require_file
from abroad.core.schema import Document, Entity, Triple
from abroad.core.settings import Count, CountOrNone, Seed, Settings
from abroad.sources.formats.recognise import decode
from abroad.sources.formats.spreadsheets import Rows, read_delimited

_WHAT = "a table of pairs (CSV or TSV)"


class DealSettings(Settings):
    """How pairs are dealt to documents."""

    documents: Count = Key(100, description="How many documents are written.")
    heads: Count = Key(3, description="Heads of a document, at most; how many is drawn.")
    tails: Annotated[int, Key(ge=1)] = Key(4, description="Tails of a head in a document, at most.")
    others: CountOrNone = Key(
        2, description="Names of the field's tables in a document that it relates to none, at most."
    )
    seed: Seed = Key(0, description="Seed of all draws.")


class Pair(NamedTuple):
    """Two names and how they are related.

    Attributes:
        relation: name of its type in the field.
        types: of head and tail.
    """

    relation: str
    head: str
    tail: str
    types: tuple[str, str]


def read_pairs(path: Path, of: Field, context: Context) -> list[Pair]:
    """Read a table with columns `head` and `tail`, or columns of the types' names, and `type` of the relation.

    The last may be missing where the field has one relation; without `head_type` and `tail_type` they are the first
    that the relation has.

    Args:
        context: its rejects are rows that are no pair.
    Raises:
        InputError: no such table, a column is missing, or no row is a pair.
    """
    rejects = context.rejects
    rows = read_delimited(decode(require_file(path, _WHAT).read_bytes(), str(path)), str(path), rejects.add)
    heads, tails = _columns(path, rows, of)
    found: dict[Pair, None] = {}
    for line, cells in rows.rows:
        values = dict(zip(rows.header, (cell.strip() for cell in cells), strict=True))
        try:
            found[_pair(values, values[heads], values[tails], of)] = None
        except InputError as error:
            rejects.add(f"{path}:{line}", str(error))
    if not found:
        raise InputError(f"{path}: no pair in the table{rejects.first()}")
    return list(found)


def documents_of(pairs: Sequence[Pair], of: Field, folder: Path, settings: DealSettings) -> Iterator[Document]:
    """Deal pairs to documents; every head has its turn before one comes again.

    Args:
        folder: of the field's file, from which its tables are named.
    """
    by_head: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        by_head.setdefault((pair.head, pair.types[0]), []).append(pair)
    known = {type: list(table_names(entity, folder)) for type, entity in of.entities.items()}
    draw, turn = Random(settings.seed), list[tuple[str, str]]()
    for number in range(1, settings.documents + 1):
        wanted = min(draw.randint(1, settings.heads), len(by_head))
        while len(turn) < wanted:
            turn += [head for head in draw.sample(list(by_head), len(by_head)) if head not in turn]
        heads, turn = turn[:wanted], turn[wanted:]
        chosen = [pair for head in heads for pair in _some(by_head[head], settings.tails, draw)]
        yield _document(f"pairs-{number}", chosen, _others(chosen, pairs, known, settings, draw), of)


def _columns(path: Path, rows: Rows, of: Field) -> tuple[str, str]:
    header = set(rows.header)
    single = [(r.head[0], r.tail[0]) for r in of.relations.values() if len(r.head) == len(r.tail) == 1]
    named = next((pair for pair in single if header >= set(pair) and pair[0] != pair[1]), ("head", "tail"))
    missing = [name for name in named if name not in header]
    if len(of.relations) > 1 and "type" not in header:
        missing.append("type")
    if missing:
        expected = "'head', 'tail' and, of a field with several relations, 'type'"
        raise InputError(
            f"{path}: no column {', '.join(map(repr, missing))}; expected {_WHAT} with columns {expected}; or those of "
            f"the field's types ({', '.join(of.entities)}); found {', '.join(rows.header)}"
        )
    return named


def _pair(values: Mapping[str, str], head: str, tail: str, of: Field) -> Pair:
    if not head or not tail:
        raise InputError("expected a head and a tail")
    name = values.get("type") or next(iter(of.relations))
    if name not in of.relations:
        raise InputError(f"a relation of the unknown type {name!r}; expected {' or '.join(of.relations)}")
    relation = of.relations[name]
    types = values.get("head_type") or relation.head[0], values.get("tail_type") or relation.tail[0]
    if not relation.joins(*types):
        raise InputError(
            f"{name} between {types[0]} and {types[1]}: expected {relation.head[0]} and {relation.tail[0]}"
        )
    return Pair(name, head, tail, types)


def _some(pairs: list[Pair], most: int, draw: Random) -> list[Pair]:
    return draw.sample(pairs, draw.randint(1, min(most, len(pairs))))


def _others(
    chosen: Sequence[Pair], pairs: Sequence[Pair], known: Mapping[str, list[str]], settings: DealSettings, draw: Random
) -> list[tuple[str, str]]:
    """Names of a table, each with its type, that no pair relates to a head of this document."""
    heads = {pair.head for pair in chosen}
    related = {pair.tail.casefold() for pair in pairs if pair.head in heads} | {head.casefold() for head in heads}
    types = list(dict.fromkeys(pair.types[1] for pair in chosen))
    free = [(name, type) for type in types for name in known[type] if name.casefold() not in related]
    return draw.sample(free, min(draw.randint(0, settings.others), len(free)))


def _document(id: str, chosen: Sequence[Pair], others: Sequence[tuple[str, str]], of: Field) -> Document:
    named = [(name, type) for pair in chosen for name, type in zip((pair.head, pair.tail), pair.types, strict=True)]
    ids = {name: f"e{number}" for number, name in enumerate(dict.fromkeys([*named, *others]), 1)}
    first = chosen[0]
    return Document(
        id,
        of.relations[first.relation].template.format(head=first.head, tail=first.tail),
        "",
        entities=[Entity(own, label, type=type) for (label, type), own in ids.items()],
        relations=[
            Triple(ids[pair.head, pair.types[0]], pair.relation, ids[pair.tail, pair.types[1]]) for pair in chosen
        ],
    )
