"""What a relation says as a sentence that a model judges: the template of its type, by the field's file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from abroad.core.entities import CHEMICAL, ORGANISM
from abroad.core.errors import InputError
from abroad.core.field import Field, built_in_field
from abroad.core.schema import Prediction, Relation

_DIRECTED = "directed"


class Statements:
    """Relations of a field as statements, and as rows of the record of a ranking.

    Args:
        field: by default natural products.
    """

    def __init__(self, field: Field | None = None) -> None:
        self.field = field or built_in_field()

    def check(self, outputs: Iterable[Sequence[Prediction]]) -> None:
        """See that predictions are of the field.

        Raises:
            InputError: those that are not, the first few by their ids.
        """
        found = [prediction for run in outputs for prediction in run]
        if self.field.is_built_in and any(not r.is_built_in for prediction in found for r in prediction.relations):
            wrong = next(p.id for p in found if any(not r.is_built_in for r in p.relations))
            raise InputError(f"predictions of {wrong!r}: of another field than natural products: expected its --field")
        self.field.check_documents(found, "predictions")

    def of(self, relation: Relation) -> str:
        """ "Usnea barbata produces usnic acid"."""
        head, type, tail = self.key(relation)
        return f"{head}{self.field.relations[type].verb}{tail}"

    def key(self, relation: Relation) -> tuple[str, str, str]:
        """(head, type, tail); of an undirected type, A-B and B-A have the same."""
        sides = (relation.head, relation.tail)
        if not self.field.relations[relation.type].directed:
            sides = min(sides, sides[::-1])
        return sides[0], relation.type, sides[1]

    def by_key(self, relations: Iterable[Relation]) -> dict[tuple[str, str, str], Relation]:
        """Distinct relations in order, the first of those that say the same."""
        found: dict[tuple[str, str, str], Relation] = {}
        for relation in relations:
            found.setdefault(self.key(relation), relation)
        return found

    def by_statement(self, relations: Iterable[Relation]) -> dict[str, Relation]:
        """The same by what they say."""
        found: dict[str, Relation] = {}
        for relation in relations:
            found.setdefault(self.of(relation), relation)
        return found

    def written(self, relations: Sequence[Relation]) -> str:
        """Whole output of a document: its statements, one after another, or that there is none."""
        return "; ".join(map(self.of, relations)) or "no relation"

    def row(self, relation: Relation) -> dict[str, Any]:
        """A relation in the record of a ranking: its names, and in other fields than the built-in one its types."""
        if relation.is_built_in:
            return {ORGANISM: relation.head, CHEMICAL: relation.tail}
        types = {"head_type": relation.head_type, "tail_type": relation.tail_type}
        stated = {"head": relation.head, "type": relation.type, "tail": relation.tail}
        directed = {} if self.field.relations[relation.type].directed else {_DIRECTED: False}
        return stated | {name: type for name, type in types.items() if type} | directed


def relations_of(row: Mapping[str, Any]) -> list[Relation]:
    """The relations of a row: of one candidate relation, or of a whole output."""
    return [Relation(*each) if isinstance(each, list) else Relation.from_dict(each) for each in _stated(row)]


def undirected_in(row: Mapping[str, Any]) -> set[str]:
    """The types of relations in a row of which A-B is B-A."""
    return {each["type"] for each in _stated(row) if isinstance(each, Mapping) and not each.get(_DIRECTED, True)}


def _stated(row: Mapping[str, Any]) -> Sequence[Any]:
    stated: Sequence[Any] = row.get("relations", [row])
    return stated


def key_of(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """By which a candidate is found again among the relations that were ranked."""
    (relation,) = relations_of(row)
    return names_of(relation)


def names_of(relation: Relation) -> tuple[str, str, str]:
    """(head, type, tail) as they stand."""
    return relation.head, relation.type, relation.tail
