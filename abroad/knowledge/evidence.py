"""What of a document supports a relation: the sentence that says so, and where both sides stand."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from abroad.core.errors import InputError
from abroad.core.schema import Document, Evidence, Relation
from abroad.text.evidence import find_evidence
from abroad.text.tokens import sentences

GAP = " … "
ROLES = ("organism", "chemical")
"""Of the two sides in natural products; in other fields they are head and tail (`Relation.roles`)."""
Roles = tuple[str, str]

Span = tuple[int, int, str, str]
"""Start, end (code points of the text, end exclusive), role, rule."""
Bounds = tuple[int, int]
"""Start and end of a sentence."""


def spans_of(document: Document, relation: Relation) -> list[Span]:
    """Where the two sides stand: as the prediction says, else as the text does.

    Raises:
        InputError: the prediction is of another text than the document's.
    """
    check_spans(document.text, relation.evidence)
    found: Sequence[Evidence] = relation.evidence or find_evidence(
        document, relation.head, relation.tail, relation.roles
    )
    return [(span.start, span.end, span.role, span.rule) for span in found if span.role in relation.roles]


def check_spans(text: str, evidence: Iterable[Evidence]) -> None:
    """See that evidence stands in a text.

    Raises:
        InputError: the prediction is of another text.
    """
    for span in evidence:
        if not 0 <= span.start < span.end <= len(text) or text[span.start : span.end] != span.text:
            raise InputError(
                f"its evidence {span.text[:40]!r} does not stand in the document: is it a prediction of another text?"
            )


def supporting_sentence(text: str, bounds: Sequence[Bounds], spans: Sequence[Span], roles: Roles = ROLES) -> str:
    """The sentence with both sides, else the first of each with a mark between them; "" where no span is known.

    Args:
        text: of the document.
        bounds: of its sentences.
        spans: of a relation.
        roles: of its two sides.
    """
    return GAP.join(text[start:end] for start, end in supporting_bounds(bounds, spans, roles))


def supporting_bounds(bounds: Sequence[Bounds], spans: Sequence[Span], roles: Roles = ROLES) -> list[Bounds]:
    """Which of the sentences `supporting_sentence` is made of, in the order of the text."""
    places = {role: [_at(bounds, span[0]) for span in spans if span[2] == role] for role in roles}
    both = sorted(set(places[roles[0]]) & set(places[roles[1]]))
    chosen = both[:1] or sorted({numbers[0] for numbers in places.values() if numbers})
    return [bounds[number] for number in chosen if number >= 0]


def sentences_of(document: Document) -> list[Bounds]:
    """Offsets of the sentences of a document's text."""
    return sentences(document.text, len(document.title))


def rule_of(spans: Sequence[Span], roles: Roles = ROLES) -> str:
    """How the tail's label (of a chemical) follows from the text, else how the head's does."""
    rules = {role: rule for _, _, role, rule in reversed(spans)}
    return rules.get(roles[1]) or rules.get(roles[0]) or ""


def dump_spans(spans: Sequence[Span]) -> str:
    """Spans as the database holds them."""
    return json.dumps(spans)


def load_spans(text: str) -> list[Span]:
    """Spans as `dump_spans` wrote them."""
    return [(int(start), int(end), str(role), str(rule)) for start, end, role, rule in json.loads(text or "[]")]


def _at(bounds: Sequence[Bounds], place: int) -> int:
    return next((number for number, (start, end) in enumerate(bounds) if start <= place < end), -1)
