"""Mark in a document's text what was found, missed or wrongly predicted; spans may overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from abroad.evaluation.metrics import Outcome
from abroad.text.evidence import find_evidence

KINDS = ("correct", "missed", "spurious")


@dataclass(frozen=True)
class Mark:
    """A span of the text, in code points, that bears on relations of one kind.

    Attributes:
        kind: "correct", "missed" or "spurious"; role: "organism" or "chemical".
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


def marks_of(outcome: Outcome) -> list[Mark]:
    """The spans that a document's relations rest on: given by predictions, else looked for in the text."""
    found: dict[Mark, None] = {}
    document = outcome.document
    for kind, relations in (("correct", outcome.correct), ("spurious", outcome.spurious)):
        for relation in relations.values():
            spans = relation.evidence or find_evidence(document, relation.organism, relation.chemical)
            for span in spans:
                if 0 <= span.start < span.end <= len(document.text):
                    label = relation.organism if span.role == "organism" else relation.chemical
                    found[Mark(span.start, span.end, kind, span.role, label)] = None
    for organism, chemical in outcome.missed.values():
        for span in find_evidence(document, organism.label, chemical.label):
            label = organism.label if span.role == "organism" else chemical.label
            found[Mark(span.start, span.end, "missed", span.role, label)] = None
    return list(found)


def segments(text: str, marks: Sequence[Mark]) -> list[Segment]:
    """Cut the text where any mark starts or ends."""
    cuts = sorted({0, len(text), *(mark.start for mark in marks), *(mark.end for mark in marks)})
    return [
        Segment(text[start:end], tuple(mark for mark in marks if mark.start <= start and end <= mark.end))
        for start, end in pairwise(cuts)
    ]
