"""Mark in a document's text what was found, missed or wrongly predicted; spans may overlap.

displaCy writes the HTML. Its style "ent" takes no spans that overlap, and its style "span" cuts the
text into tokens, which the ends of our spans do not keep to; so the text is cut here where any span ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from abroad.core.entities import CHEMICAL, ORGANISM
from abroad.evaluation.metrics import Outcome
from abroad.text.evidence import find_evidence

KINDS = ("correct", "missed", "spurious")

_SAID = {"correct": "correct", "missed": "missed", "spurious": "false"}
_TEMPLATE = '<mark class="{label}" title="{title}">{text}</mark>'


@dataclass(frozen=True)
class Mark:
    """A span of the text, in code points, that bears on relations of one kind.

    Attributes:
        kind: "correct", "missed" or "spurious".
        role: "organism" or "chemical"; in other fields, "head" or "tail".
    """

    start: int
    end: int
    kind: str
    role: str
    label: str


@dataclass(frozen=True)
class Segment:
    """A piece of the text under the same marks; pieces in order make up the text."""

    text: str
    marks: tuple[Mark, ...]

    @property
    def kinds(self) -> list[str]:
        """The kinds of its marks, each once, in the order of KINDS."""
        present = {mark.kind for mark in self.marks}
        return [kind for kind in KINDS if kind in present]

    @property
    def title(self) -> str:
        """What its marks say."""
        return "; ".join(f"{_SAID[mark.kind]} {mark.role}: {mark.label}" for mark in self.marks)


def marks_of(outcome: Outcome) -> list[Mark]:
    """The spans that a document's relations rest on: given by predictions, else looked for in the text."""
    found: dict[Mark, None] = {}
    document = outcome.document
    for kind, relations in (("correct", outcome.correct), ("spurious", outcome.spurious)):
        for relation in relations.values():
            roles = relation.roles
            spans = relation.evidence or find_evidence(document, relation.head, relation.tail, roles)
            for span in spans:
                if 0 <= span.start < span.end <= len(document.text):
                    label = relation.head if span.role == roles[0] else relation.tail
                    found[Mark(span.start, span.end, kind, span.role, label)] = None
    sides = (ORGANISM, CHEMICAL) if document.is_built_in else ("head", "tail")
    for head, tail in outcome.missed.values():
        for span in find_evidence(document, head.label, tail.label, sides):
            label = head.label if span.role == sides[0] else tail.label
            found[Mark(span.start, span.end, "missed", span.role, label)] = None
    return list(found)


def segments(text: str, marks: Sequence[Mark]) -> list[Segment]:
    """Cut the text where any mark starts or ends."""
    cuts = sorted({0, len(text), *(mark.start for mark in marks), *(mark.end for mark in marks)})
    return [
        Segment(text[start:end], tuple(mark for mark in marks if mark.start <= start and end <= mark.end))
        for start, end in pairwise(cuts)
    ]


def to_html(text: str, marks: Sequence[Mark]) -> str:
    """The text as HTML, everything in it escaped, with a `mark` around each marked piece."""
    from spacy import displacy

    entities, start = [], 0
    for segment in segments(text, marks):
        end = start + len(segment.text)
        if segment.marks:
            entities.append(
                {
                    "start": start,
                    "end": end,
                    "label": " ".join(segment.kinds),
                    "params": {"title": escape(segment.title)},  # displaCy escapes the text alone
                }
            )
        start = end
    shown = {"text": text, "ents": entities}
    return displacy.render(shown, style="ent", manual=True, jupyter=False, options={"template": _TEMPLATE})
