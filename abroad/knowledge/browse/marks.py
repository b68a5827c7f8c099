"""A stretch of text cut into pieces, each under the roles of the mentions that cover it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from abroad.core.schema import Document, Relation
from abroad.knowledge.evidence import GAP, ROLES, Span, sentences_of, supporting_bounds


@dataclass(frozen=True)
class Piece:
    """Text, and the roles of what it mentions: "organism", "chemical", both or none."""

    text: str
    roles: tuple[str, ...] = ()


def marked_sentence(document: Document, relation: Relation) -> list[Piece]:
    """The sentence that supports a relation, with its mentions; all of the text where no sentence is known."""
    spans = [(span.start, span.end, span.role, span.rule) for span in relation.evidence]
    bounds = supporting_bounds(sentences_of(document), spans) or [(0, len(document.text))]
    pieces: list[Piece] = []
    for number, (start, end) in enumerate(bounds):
        pieces += [Piece(GAP)] if number else []
        pieces += _cut(document.text, start, end, spans)
    return pieces


def marked_text(document: Document, relations: Sequence[Relation]) -> list[Piece]:
    """The whole text, with the mentions of all relations."""
    spans = [(span.start, span.end, span.role, span.rule) for relation in relations for span in relation.evidence]
    return _cut(document.text, 0, len(document.text), spans)


def _cut(text: str, start: int, end: int, spans: Sequence[Span]) -> list[Piece]:
    inside = [span for span in spans if start <= span[0] < span[1] <= end]
    cuts = sorted({start, end, *(span[0] for span in inside), *(span[1] for span in inside)})
    return [
        Piece(text[a:b], tuple(role for role in ROLES if any(s[0] <= a and b <= s[1] for s in inside if s[2] == role)))
        for a, b in pairwise(cuts)
    ]
