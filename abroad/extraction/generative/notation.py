"""How a field's relations are written for a language model, and what its answer stands for."""

from __future__ import annotations

from collections.abc import Iterable

from abroad.core.field import Field, find_field
from abroad.core.linearise import ParsedRelations, join, parse
from abroad.core.schema import Document, Relation
from abroad.text.evidence import find_evidence
from abroad.text.expand import expand_phrase, without_numbering
from abroad.text.scientific_names import organism_identifier


class Notation:
    """Relations of a field as text and back, by the templates of its types of relations.

    Args:
        field: by default natural products. Of two types of relations with one template, what a model writes is of the
            first.
    """

    def __init__(self, field: Field | None = None) -> None:
        self.field = field or find_field(None)
        self._verbs: dict[str, str] = {}
        for name, relation in self.field.relations.items():
            self._verbs.setdefault(relation.verb, name)

    @property
    def verbs(self) -> list[str]:
        """What stands between head and tail, of each type of relations."""
        return list(self._verbs)

    def write(self, document: Document) -> str:
        """The relations of a document, in order; empty text for none.

        Raises:
            InputError: one of them is of a type that the field lacks.
        """
        if any(triple.type not in self.field.relations for triple in document.relations):
            self.field.check_documents([document], "relations")
        ends = zip(document.relations, document.related_entities(), strict=True)
        return join((head.label, self.field.relations[triple.type].verb, tail.label) for triple, (head, tail) in ends)

    def join(self, triples: Iterable[tuple[str, str, str]]) -> str:
        """(head label, type, tail label) as one line, in order; empty text for none."""
        return join((head, self.field.relations[type].verb, tail) for head, type, tail in triples)

    def parse(self, text: str) -> ParsedRelations:
        """What a model's output says, whatever it holds."""
        return parse(text, self._verbs)

    def relations(self, document: Document, parsed: ParsedRelations) -> list[Relation]:
        """The relations that were written, each once, with evidence; lists are expanded where the field says so."""
        found: dict[tuple[str, str, str], Relation] = {}
        for head, type, tail in parsed.triples:
            sides = self.field.relations[type]
            for first in self._labels(head, sides.head):
                for second in self._labels(tail, sides.tail):
                    if (first, type, second) not in found:
                        found[first, type, second] = self.relation(document, first, type, second)
        return list(found.values())

    def relation(self, document: Document, head: str, type: str, tail: str) -> Relation:
        """A relation of these labels, with evidence; a side that may be of several types has none."""
        sides = self.field.relations[type]
        first, second = (types[0] if len(types) == 1 else "" for types in (sides.head, sides.tail))
        made = Relation(head, tail, type=type, head_type=first, tail_type=second)
        if not self.field.is_built_in:  # whose names have LOTUS and OPSIN too, and are linked in one go
            made.head_id, made.tail_id = self._identifier(head, sides.head), self._identifier(tail, sides.tail)
        made.evidence = find_evidence(document, head, tail, made.roles)
        return made

    def _identifier(self, label: str, types: tuple[str, ...]) -> str | None:
        linked = all("taxonomy" in self.field.entities[type].linking for type in types)
        return organism_identifier(label) if linked else None

    def _labels(self, label: str, types: tuple[str, ...]) -> list[str]:
        if not all(self.field.entities[type].ranges for type in types):
            return [label]
        return expand_phrase(without_numbering(label).strip() or label)
