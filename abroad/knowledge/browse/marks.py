"""A stretch of text cut into pieces, each under the roles of the mentions that cover it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from abroad.core.schema import Document, Relation
from abroad.knowledge.evidence import GAP, ROLES, Span, sentences_of, supporting_bounds


@dataclass(frozen=True)
class Piece:
    """Text, and the types of what it mentions: "organism", "chemical", both or none."""

    text: str
    roles: tuple[str, ...] = ()


def marked_sentence(document: Document, relation: Relation) -> list[Piece]:
    """The sentence that supports a relation, with its mentions; all of the text where no sentence is known."""
    own = [(span.start, span.end, span.role, span.rule) for span in relation.evidence]
    bounds = supporting_bounds(sentences_of(document), own, relation.roles) or [(0, len(document.text))]
    spans = _typed(relation)
    pieces: list[Piece] = []
    for number, (start, end) in enumerate(bounds):
        pieces += [Piece(GAP)] if number else []
        pieces += _cut(document.text, start, end, spans)
    return pieces


def marked_text(document: Document, relations: Sequence[Relation]) -> list[Piece]:
    """The whole text, with the mentions of all relations."""
    spans = [span for relation in relations for span in _typed(relation)]
    return _cut(document.text, 0, len(document.text), spans)


def _typed(relation: Relation) -> list[Span]:
    """The spans of a relation, each under the type of its side."""
    types = dict(zip(relation.roles, (relation.head_type, relation.tail_type), strict=True))
    return [(span.start, span.end, types.get(span.role, span.role), span.rule) for span in relation.evidence]


def _cut(text: str, start: int, end: int, spans: Sequence[Span]) -> list[Piece]:
    inside = [span for span in spans if start <= span[0] < span[1] <= end]
    cuts = sorted({start, end, *(span[0] for span in inside), *(span[1] for span in inside)})
    types = sorted({span[2] for span in inside}, key=lambda type: (type not in ROLES, type != ROLES[0], type))
    return [
        Piece(text[a:b], tuple(type for type in types if any(s[0] <= a and b <= s[1] for s in inside if s[2] == type)))
        for a, b in pairwise(cuts)
    ]
