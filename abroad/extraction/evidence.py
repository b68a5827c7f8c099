"""Where in the text a predicted label stands: the spans a reader can check it by."""

from __future__ import annotations

import re

from abroad.schema import Document, Evidence, Relation

_MOST_SPANS = 3  # for each side of a relation: enough to check, small enough to read


def verbatim_spans(text: str, label: str) -> list[tuple[int, int]]:
    """Offsets (code points, end exclusive) of a label in the text, case ignored, as whole words."""
    if not label.strip():
        return []
    words = r"\s+".join(re.escape(word) for word in label.split())
    pattern = rf"(?<!\w){words}(?!\w)" if label[0].isalnum() and label[-1].isalnum() else words
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


def abbreviated_genus_spans(text: str, organism: str) -> list[tuple[int, int]]:
    """Offsets of "G. epithet" for an organism "Genus epithet"."""
    genus, _, rest = organism.strip().partition(" ")
    if not rest or not genus[:1].isalpha():
        return []
    words = r"\s+".join(re.escape(word) for word in rest.split())
    pattern = rf"(?<!\w){re.escape(genus[0])}[a-z]{{0,2}}\.\s*{words}(?!\w)"
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


def find_evidence(document: Document, organism: str, chemical: str) -> list[Evidence]:
    """Spans that support a relation: the labels verbatim, or the organism with its genus abbreviated."""
    text = document.text
    found: list[Evidence] = []
    organism_spans, rule = verbatim_spans(text, organism), "verbatim"
    if not organism_spans:
        organism_spans, rule = abbreviated_genus_spans(text, organism), "genus"
    for role, spans, why in (
        ("organism", organism_spans, rule),
        ("chemical", verbatim_spans(text, chemical), "verbatim"),
    ):
        found += [Evidence(start, end, text[start:end], role, why) for start, end in spans[:_MOST_SPANS]]
    return found


def with_evidence(document: Document, organism: str, chemical: str, score: float | None = None) -> Relation:
    """A relation with the evidence the text gives for it."""
    return Relation(organism, chemical, score, evidence=find_evidence(document, organism, chemical))
