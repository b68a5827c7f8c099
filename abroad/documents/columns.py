"""Columns of tables of predictions: organism and chemical for natural products, head, type and tail for other fields.

A table has the columns of its first relation; one without any has those of the field of its extractor or of its
documents, where that is known, and else those of natural products.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from abroad.core.errors import InputError
from abroad.core.relations import Relation
from abroad.core.schema import Document, Prediction
from abroad.documents.pairs import Part

Cell = str | float | None


@dataclass(frozen=True)
class Columns:
    """The columns of a table.

    Attributes:
        names: all of them, in order.
        head: the column of a relation's first side, which begins the names of its others.
        tail: likewise of its second side.
        typed: whether the types of the relation and of its sides have columns.
    """

    names: tuple[str, ...]
    head: str
    tail: str
    typed: bool

    @property
    def needed(self) -> tuple[str, ...]:
        """Those without which a row says no relation."""
        return ("document", self.head, *(("type",) if self.typed else ()), self.tail)

    def row(self, document: str, relation: Relation) -> dict[str, Cell]:
        """What a relation says, by the names of columns.

        Raises:
            InputError: it is of natural products and these columns are of another field, or the other way round.
        """
        if relation.is_built_in == self.typed:
            found = f"{relation.head_type or 'something'} {relation.type} {relation.tail_type or 'something'}"
            raise InputError(
                f"{document}: the table has columns for {self.head} and {self.tail}, found {found}: expected relations "
                "of natural products or of another field, and not both in one table"
            )
        head, tail = (next((e for e in relation.evidence if e.role == role), None) for role in relation.roles)
        types = {
            "head_type": relation.head_type or None,
            "type": relation.type,
            "tail_type": relation.tail_type or None,
        }
        return {
            self.head: relation.head,
            f"{self.head}_id": relation.head_id,
            self.tail: relation.tail,
            f"{self.tail}_id": relation.tail_id,
            "score": relation.score,
            "status": relation.status,
            f"{self.head}_text": head.text if head else None,
            f"{self.tail}_text": tail.text if tail else None,
            "rule": tail.rule if tail else None,
            **(types if self.typed else {}),
        }


_DOCUMENT = ("document", "pmid", "doi")
PRODUCTS = Columns(
    (
        *(*_DOCUMENT, "organism", "organism_id", "chemical", "chemical_id", "score", "status"),
        *("organism_text", "chemical_text", "rule"),
    ),
    "organism",
    "chemical",
    False,
)
"""Of natural products, the built-in field."""
TYPED = Columns(
    (
        *(*_DOCUMENT, "head", "type", "tail", "head_id", "tail_id", "head_type", "tail_type", "score", "status"),
        *("head_text", "tail_text", "rule"),
    ),
    "head",
    "tail",
    True,
)
"""Of every other field."""


def columns_of(predictions: Iterable[Prediction], otherwise: Columns = PRODUCTS) -> Columns:
    """The columns that the first relation asks for.

    Args:
        otherwise: where there is none.
    """
    first = next((relation for prediction in predictions for relation in prediction.relations), None)
    return otherwise if first is None else PRODUCTS if first.is_built_in else TYPED


def columns_by_documents(documents: Iterable[Document]) -> Columns:
    """The columns of the field of documents, as far as they are annotated."""
    return PRODUCTS if all(document.is_built_in for document in documents) else TYPED


def columns_in(header: Iterable[str]) -> Columns:
    """The columns that a table that is read has; those of natural products where it has neither."""
    names = set(header)
    return TYPED if {TYPED.head, TYPED.tail} <= names and not {PRODUCTS.head, PRODUCTS.tail} & names else PRODUCTS


def with_columns(parts: Iterable[Part], otherwise: Columns = PRODUCTS) -> tuple[Columns, Iterator[Part]]:
    """The columns of a table of these parts, and the parts; of those before the first relation no text is kept."""
    remaining, held = iter(parts), list[Part]()
    for documents, predictions in remaining:
        if any(prediction.relations for prediction in predictions):
            return columns_of(predictions), chain(held, [(documents, predictions)], remaining)
        held.append(([Document(d.id, "", "", pmid=d.pmid, doi=d.doi) for d in documents], predictions))
    return otherwise, iter(held)
