"""What a document says, as rows of the database: one for each pair of names, written out as the text does elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from abroad.core.schema import Document, Relation
from abroad.knowledge.evidence import Span, dump_spans, rule_of, sentences_of, supporting_sentence
from abroad.knowledge.kinds import BaseKind
from abroad.text.abbreviations import definitions
from abroad.text.full_names import FullNames


def evidence_rows(
    kind: BaseKind, id: str, document: Document, relations: Iterable[tuple[Relation, list[Span]]]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a document: of an abbreviation and its long form, which are one name ("UA", usnic acid), the surest.

    Args:
        kind: of the database.
        id: of the document in it.
        document: with the text.
        relations: each with where its two sides stand.
    """
    text, bounds = document.text, sentences_of(document)
    in_full = _InFull(text, kind)
    rows: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for relation, spans in relations:
        head, tail = in_full(relation, spans)
        types = () if kind.is_built_in else (relation.type, relation.head_type, relation.tail_type)
        key, score = (head, tail, *types), relation.score
        if key in rows and (rows[key][5] or 0) >= (score or 0):
            continue
        roles = relation.roles
        rows[key] = (
            *(id, head, tail, relation.head, relation.tail, score),
            *(rule_of(spans, roles), supporting_sentence(text, bounds, spans, roles), dump_spans(spans)),
            *((*types, int(not _is_either_way(kind, relation))) if types else ()),
        )
    yield from rows.values()


class _InFull:
    """Names of a text as it writes them out: organisms with their genus, others in the long form of an abbreviation."""

    def __init__(self, text: str, kind: BaseKind) -> None:
        self._kind, self._long_forms, self._organisms = kind, definitions(text), FullNames(text)

    def __call__(self, relation: Relation, spans: list[Span]) -> tuple[str, str]:
        built_in = self._kind.is_built_in
        types = ("head", "tail") if built_in else (relation.head_type, relation.tail_type)
        sides = zip(types, (relation.head, relation.tail), relation.roles, strict=True)
        head, tail = (self._name(type, label, role, spans) for type, label, role in sides)
        return head, tail

    def _name(self, type: str, label: str, role: str, spans: list[Span]) -> str:
        if not self._kind.is_organism(type):
            return self._long_forms.get(label, label)
        start = next((start for start, _, name, _ in spans if name == role), None)
        return self._organisms(label, start)


def _is_either_way(kind: BaseKind, relation: Relation) -> bool:
    """Whether A-B is B-A, between types that either side may be of."""
    found = kind.field.relations[relation.type]
    return not found.directed and relation.head_type in found.tail and relation.tail_type in found.head
