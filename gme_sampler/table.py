"""The sparse item x entity table that is sampled: which item mentions which entity, and how often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np


class TableError(ValueError):
    """The columns given cannot be sampled; the message says what was expected."""


@dataclass(frozen=True)
class RelationTable:
    """Items in sorted-text order, each with its entities in K categories.

    An entry is one entity of one item. The entries of item i in category k are
    `bounds[i, k] : bounds[i, k + 1]`; entity codes are unique over categories.

    Attributes:
        items: [N] names, sorted as text.
        categories: [K] names.
        bounds: [N, K + 1] int64, ascending along each row and from row to row.
        entities: [E] int64, code of each entry's entity, ascending within item and category.
        counts: [E] int64, relations of the item that hold the entity.
        sizes: [K] int64, number of distinct entities of each category, |V|.
        relations: [N] int64, relations of each item.
        dropped: relations left out because the item or an entity was missing.
    """

    items: list[str]
    categories: tuple[str, ...]
    bounds: np.ndarray
    entities: np.ndarray
    counts: np.ndarray
    sizes: np.ndarray
    relations: np.ndarray
    dropped: int = 0

    @classmethod
    def from_columns(cls, items: Sequence[str | None], entities: Mapping[str, Sequence[str | None]]) -> RelationTable:
        """Build from parallel columns, a row a relation.

        A row counts as often as it stands in the columns. Rows in which the item
        or an entity is missing (None, empty or white space) are dropped and counted.

        Args:
            items: [R] the item of each relation.
            entities: category -> [R] the entity of each relation.
        Raises:
            TableError: no category, columns of different lengths, or no complete row.
        """
        if not entities:
            raise TableError("expected at least one category of entities")
        for name, column in entities.items():
            if len(column) != len(items):
                raise TableError(f"column {name!r}: expected {len(items)} rows as the items have, found {len(column)}")
        columns = [items, *entities.values()]
        complete = [n for n, row in enumerate(zip(*columns, strict=True)) if all(v and not v.isspace() for v in row)]
        if not complete:
            raise TableError(f"no row of {len(items)} has an item and an entity of every category")
        names, item_codes = _factorise(items, complete)
        entry_items, entry_categories, entry_entities, entry_counts, sizes = [], [], [], [], []
        offset = 0
        for category, column in enumerate(entities.values()):
            known, codes = _factorise(column, complete)
            pairs, counts = np.unique(item_codes * len(known) + codes, return_counts=True)
            entry_items.append(pairs // len(known))
            entry_entities.append(pairs % len(known) + offset)
            entry_categories.append(np.full(len(pairs), category))
            entry_counts.append(counts)
            sizes.append(len(known))
            offset += len(known)
        rows, cats = np.concatenate(entry_items), np.concatenate(entry_categories)
        order = np.argsort(rows * len(sizes) + cats, kind="stable")
        filled = np.bincount(rows * len(sizes) + cats, minlength=len(names) * len(sizes)).reshape(len(names), -1)
        ends = np.cumsum(filled.ravel()).reshape(filled.shape)
        bounds = np.concatenate([(ends[:, :1] - filled[:, :1]), ends], axis=1)
        return cls(
            names,
            tuple(entities),
            bounds.astype(np.int64),
            np.concatenate(entry_entities)[order].astype(np.int64),
            np.concatenate(entry_counts)[order].astype(np.int64),
            np.array(sizes, dtype=np.int64),
            np.bincount(item_codes, minlength=len(names)).astype(np.int64),
            len(items) - len(complete),
        )

    def binary(self) -> RelationTable:
        """The same table with every entity counted once an item."""
        return replace(self, counts=np.ones_like(self.counts))

    @property
    def utopia(self) -> np.ndarray:
        """[K] entropies of an even spread over all entities, log|V|."""
        return np.log(self.sizes.astype(np.float64))

    def distinct(self) -> np.ndarray:
        """[N, K] number of distinct entities of each item."""
        return np.diff(self.bounds, axis=1)

    def totals(self) -> np.ndarray:
        """[N, K] sum of the counts of each item."""
        running = np.concatenate([[0], np.cumsum(self.counts)])
        return np.diff(running[self.bounds], axis=1)


def _factorise(column: Sequence[str | None], rows: Sequence[int]) -> tuple[list[str], np.ndarray]:
    """(distinct values of these rows sorted as text, code of each row's value)."""
    values = [value for row in rows if (value := column[row]) is not None]
    known = sorted(set(values))
    code = {value: n for n, value in enumerate(known)}
    return known, np.fromiter((code[value] for value in values), dtype=np.int64, count=len(values))
