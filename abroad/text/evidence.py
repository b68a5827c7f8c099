"""Where in the text a predicted label stands: the spans a reader can check it by."""

from __future__ import annotations

import re
from functools import lru_cache

from abroad.core.entities import CHEMICAL, ORGANISM
from abroad.core.schema import Document, Evidence, Relation
from abroad.text.characters import fold
from abroad.text.expand import expand_lists, expand_shared_heads
from abroad.text.name_characters import GREEK
from abroad.text.suffix import GREEK_WORDS

_MAX_SPANS = 3  # for each side of a relation: enough to check, small enough to read
_GREEK_NAME = re.compile(rf"([{GREEK}]|(?<![^\W\d_])(?:{'|'.join(GREEK_WORDS)})(?![^\W\d_]))", re.IGNORECASE)
_GREEK_PART = {
    spelt: rf"(?:{letter}|(?<![^\W\d_]){name}(?![^\W\d_]))"
    for letter, name in zip(GREEK, GREEK_WORDS, strict=True)
    for spelt in (letter, name)
}
"""A Greek letter or its name -> a regex of both; a name that is part of a word is none."""


def verbatim_spans(text: str, label: str) -> list[tuple[int, int]]:
    """Offsets (code points, end exclusive) of a label in the text, case ignored, as whole words."""
    if not label.strip():
        return []
    words = r"\s+".join(re.escape(word) for word in label.split())
    pattern = rf"(?<!\w){words}(?!\w)" if label[0].isalnum() and label[-1].isalnum() else words
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


def spelling_in(text: str, label: str) -> str | None:
    """How the text spells a label that it has with other letters: Greek ones or their names, other dashes and primes.

    "β-Carotene" for "beta-carotene"; None if the text does not have it so either.
    """
    if not label.strip():
        return None
    parts = [(_GREEK_PART.get(part.lower()), part) for part in _GREEK_NAME.split(fold(label))]
    words = "".join(greek or r"\s+".join(map(re.escape, re.split(r"\s+", part))) for greek, part in parts)
    found = re.search(
        rf"(?<!\w){words}(?!\w)" if label[0].isalnum() and label[-1].isalnum() else words, fold(text), re.I
    )
    return None if found is None else text[slice(*found.span())]


def abbreviated_genus_spans(text: str, organism: str) -> list[tuple[int, int]]:
    """Offsets of "G. epithet" for an organism "Genus epithet"."""
    genus, _, rest = organism.strip().partition(" ")
    if not rest or not genus[:1].isalpha():
        return []
    words = r"\s+".join(re.escape(word) for word in rest.split())
    pattern = rf"(?<!\w){re.escape(genus[0])}[a-z]{{0,2}}\.\s*{words}(?!\w)"
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE)]


def find_evidence(
    document: Document, organism: str, chemical: str, roles: tuple[str, str] = (ORGANISM, CHEMICAL)
) -> list[Evidence]:
    """Spans that support a relation.

    The labels verbatim; else the organism with its genus abbreviated, the chemical
    in a list or range of congeners.

    Args:
        organism: label of the head, in another field.
        chemical: label of the tail.
        roles: what the spans of both are called, ("head", "tail") in another field.
    """
    text = document.text
    found: list[Evidence] = []
    organism_spans, rule = verbatim_spans(text, organism), "verbatim"
    if not organism_spans:
        organism_spans, rule = abbreviated_genus_spans(text, organism), "genus"
    chemical_spans, how = verbatim_spans(text, chemical), "verbatim"
    if not chemical_spans and (source := _listed(text).get(_key(chemical))):
        chemical_spans, how = [source[:2]], source[2]
    for role, spans, why in ((roles[0], organism_spans, rule), (roles[1], chemical_spans, how)):
        found += [Evidence(start, end, text[start:end], role, why) for start, end in spans[:_MAX_SPANS]]
    return found


def is_listed(text: str, label: str) -> bool:
    """Whether one of the text's lists and ranges stands for the label; case and white space aside."""
    return _key(label) in _listed(text)


@lru_cache(maxsize=16)
def _listed(text: str) -> dict[str, tuple[int, int, str]]:
    """Label (by `_key`) -> the stretch that lists it, and the rule; the first one counts."""
    found: dict[str, tuple[int, int, str]] = {}
    for expansion in (*expand_lists(text), *expand_shared_heads(text)):
        for label in expansion.labels:
            found.setdefault(_key(label), (expansion.start, expansion.end, expansion.rule))
    return found


def _key(label: str) -> str:
    return " ".join(label.casefold().split())


def with_evidence(document: Document, organism: str, chemical: str, score: float | None = None) -> Relation:
    """A relation with the evidence the text gives for it."""
    return Relation(organism, chemical, score, evidence=find_evidence(document, organism, chemical))
