"""What a knowledge base holds: entities and relations of its field, and what a reader of a page or a table calls them.

The built-in field has organisms and compounds, as files and options of natural products name them; a database of
another field goes by the types of its file, which it keeps in itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from abroad.core.errors import InputError
from abroad.core.field import Field, Property, built_in_field
from abroad.core.schema import Relation
from abroad.knowledge.store import FIELD, Store, read_meta

HEAD, TAIL = "head", "tail"
ORGANISM, COMPOUND = "organism", "compound"
"""Types of entities of the built-in field, as databases name them."""


@dataclass(frozen=True)
class BaseKind:
    """The field of a knowledge base."""

    field: Field

    @property
    def is_built_in(self) -> bool:
        """Whether it is of natural products."""
        return self.field.is_built_in

    @cached_property
    def types(self) -> tuple[str, ...]:
        """Types of entities, as the database names them."""
        return (ORGANISM, COMPOUND) if self.is_built_in else tuple(self.field.entities)

    def alias_types(self, side: str) -> tuple[str, ...]:
        """The types by which the labels of a side stand in the database."""
        return (side,) if self.is_built_in else self.side_types(side)

    def side_types(self, side: str) -> tuple[str, ...]:
        """Types of entities that a side may be; either side of a relation that is not directed."""
        if self.is_built_in:
            return (ORGANISM if side == HEAD else COMPOUND,)
        found: dict[str, None] = {}
        for relation in self.field.relations.values():
            own, other = (relation.head, relation.tail) if side == HEAD else (relation.tail, relation.head)
            found |= dict.fromkeys((*own, *(() if relation.directed else other)))
        return tuple(found)

    def is_organism(self, type: str) -> bool:
        """Whether names of a type are compared as those of organisms are."""
        if type in (HEAD, TAIL):
            return type == HEAD
        entity = self.field.entities.get(type)
        return entity is not None and (entity.is_organism or "taxonomy" in entity.linking)

    def is_italic(self, type: str) -> bool:
        """Whether names of a type of entities are set in italics."""
        return type == ORGANISM if self.is_built_in else self.is_organism(type)

    def word(self, type: str) -> str:
        """What an entity of a type is called."""
        return type if self.is_built_in or type not in self.field.entities else self.field.entities[type].singular

    def words(self, type: str) -> str:
        """What several are called."""
        return f"{type}s" if self.is_built_in or type not in self.field.entities else self.field.entities[type].plural

    def side_word(self, side: str) -> str:
        """What may stand on a side: "gene or disease"."""
        return " or ".join(map(self.word, self.side_types(side)))

    @property
    def undirected(self) -> tuple[str, ...]:
        """Relations whose sides are not told apart."""
        return tuple(name for name, relation in self.field.relations.items() if not relation.directed)

    def verb(self, relation: str) -> str:
        """The words between the two sides."""
        found = self.field.relations.get(relation)
        return relation if self.is_built_in or found is None else found.verb.strip()

    def property_of(self, relation: str) -> Property | None:
        """Wikidata's property of a relation."""
        found = self.field.relations.get(relation)
        return found.wikidata if found is not None else None

    @property
    def compares(self) -> bool:
        """Whether an index, whose relations are of organisms and compounds, can tell known relations from new ones."""
        if self.is_built_in:
            return True
        relations = list(self.field.relations.values())
        if len(relations) > 1 or not relations[0].directed:
            return False
        heads, tails = relations[0].head, relations[0].tail
        linked = all("index" in self.field.entities[type].linking for type in (*heads, *tails))
        return linked and all(map(self.is_organism, heads)) and not any(map(self.is_organism, tails))

    def read(self, relation: Relation) -> Relation:
        """A relation as the database holds it: with the types of both sides, heads of an undirected one first.

        Raises:
            InputError: it is of another field, or of types that the relation does not join.
        """
        if self.is_built_in:
            relation.organism  # noqa: B018  # which raises
            return relation
        kind = self.field.relations.get(relation.type)
        if kind is None or relation.is_built_in:
            raise InputError(f"{_said(relation)}: expected a relation of the field {self.field.name}")
        head = relation.head_type or (kind.head[0] if len(kind.head) == 1 and kind.directed else "")
        tail = relation.tail_type or (kind.tail[0] if len(kind.tail) == 1 and kind.directed else "")
        if not kind.joins(head, tail):
            expected = f"{' or '.join(kind.head)} and {' or '.join(kind.tail)}"
            raise InputError(f"{_said(relation)}: expected {expected}")
        found = (relation.head, relation.tail, relation.score, relation.head_id, relation.tail_id)
        typed = Relation(*found, relation.evidence, relation.status, type=relation.type, head_type=head, tail_type=tail)
        return typed if head in kind.head and tail in kind.tail else flipped(typed)


def flipped(relation: Relation) -> Relation:
    """A relation with its sides exchanged, of those that are not directed."""
    other = dict(zip(relation.roles, reversed(relation.roles), strict=True))
    return Relation(
        *(relation.tail, relation.head, relation.score, relation.tail_id, relation.head_id),
        [replace(span, role=other.get(span.role, span.role)) for span in relation.evidence],
        relation.status,
        type=relation.type,
        head_type=relation.tail_type,
        tail_type=relation.head_type,
    )


def kind_of(store: Store) -> BaseKind:
    """The field of a database."""
    values = read_meta(store).get(FIELD)
    return BaseKind(built_in_field() if values is None else Field.model_validate(values))


def kept(field: Field) -> dict[str, object]:
    """What a database keeps of its field: nothing of the built-in one."""
    return {} if field.is_built_in else {FIELD: field.model_dump(mode="json")}


def several(words: Sequence[str]) -> str:
    """ "organisms and compounds"."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _said(relation: Relation) -> str:
    return f"{relation.head_type or 'something'} {relation.type} {relation.tail_type or 'something'}"
