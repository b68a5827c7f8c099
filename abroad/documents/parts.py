"""A full text is extracted part by part: its sections, or what of a long text is about as long as an abstract.

Extractors have learnt from titles with abstracts, and so each part is a document with the paper's title. `parts` and
`merged` are pure: which parts there are follows from the document alone, so a prediction of one tells by its id where
in the full text its offsets count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from abroad.core.entities import ORGANISM
from abroad.core.schema import Document, Evidence, Prediction, Relation
from abroad.documents.images import IMAGES, SET_ASIDE
from abroad.text.full_names import FullNames
from abroad.text.tokens import sentences

SECTIONS = "sections"
"""Field of a document: `[{"title": "Results", "start": 310, "end": 5120}, ...]`, offsets in its text."""
LONGEST_PART = 3_000
"""Characters; a long abstract has as many. A section that is longer is cut between paragraphs, else sentences."""
LONGEST_WHOLE = 10_000
"""Characters of a text without sections that is read as one, as all texts were before there were parts."""

Bounds = tuple[int, int]
"""Start and end in the text of the whole document, in code points."""


@dataclass(frozen=True)
class _Part:
    """One part of a document: the id of its prediction, and the stretch of the whole text that follows the title."""

    id: str
    bounds: Bounds


def parts(document: Document) -> list[Document]:
    """What an extractor reads of a document: the document itself, or each part of a long one under the same title.

    Args:
        document: one with the field `sections` is cut there, where it is longer than an abstract.

    Returns:
        At least one document; several have ids of their own, which `merged` knows. Their relations are left out, and
        images go with the first.
    """
    found = _parts(document)
    if not found:
        return [document]
    text, rest = document.text, {name: value for name, value in document.extra.items() if name != SECTIONS}
    without_images = {name: value for name, value in rest.items() if name not in (IMAGES, SET_ASIDE)}
    return [
        Document(
            part.id,
            document.title,
            text[slice(*part.bounds)],
            document.pmid,
            document.doi,
            extra=without_images if number else rest,
        )
        for number, part in enumerate(found)
    ]


def merged(document: Document, predictions: Iterable[Prediction]) -> Prediction:
    """One prediction of those of a document's parts, in any order: each pair once, with its best score.

    Offsets count in the whole document's text, and the evidence of all parts is kept. A part that failed costs its
    own relations, and stands with its reason in `extra["parts_failed"]`; where all failed, so did the document.

    Args:
        document: the one that was given to `parts`.
        predictions: one for each of its parts.
    Raises:
        ValueError: a prediction is of none of the document's parts.
    """
    given, found = list(predictions), _parts(document)
    if not found:
        if [prediction.id for prediction in given] != [document.id]:
            raise ValueError(f"expected one prediction, of {document.id!r}")
        return given[0]
    places = {part.id: part.bounds for part in found}
    if unknown := [prediction.id for prediction in given if prediction.id not in places]:
        raise ValueError(f"{unknown[0]!r} is no part of the document {document.id!r}")
    given.sort(key=lambda prediction: places[prediction.id])
    failed = {prediction.id: prediction.error for prediction in given if prediction.error is not None}
    if failed and len(failed) == len(given):
        return Prediction(document.id, error=next(iter(failed.values())))
    in_full = FullNames(document.text)
    triples: dict[tuple[str, str, str], list[Relation]] = {}
    for prediction in given:
        for relation in prediction.relations:
            moved = _moved(relation, document, places[prediction.id])
            if moved.is_built_in:
                moved = replace(moved, head=in_full(moved.organism, _first_organism(moved)))
            triples.setdefault((_key(moved.head), moved.type, _key(moved.tail)), []).append(moved)
    relations = sorted(map(_joined, triples.values()), key=_place)
    extra = _joined_extra([prediction.extra for prediction in given if prediction.error is None])
    return Prediction(
        document.id, relations, extra=extra | {"parts": len(found)} | ({"parts_failed": failed} if failed else {})
    )


def _parts(document: Document) -> list[_Part]:
    """The parts of a document; none where it is read as a whole."""
    text, first = document.text, len(document.title) + 1
    starts = _section_starts(document)
    if len(text) <= (LONGEST_PART if starts else LONGEST_WHOLE):
        return []
    cuts = sorted({first, len(text), *(start for start in starts if first < start < len(text))})
    pieces = [piece for section in pairwise(cuts) for piece in _pieces(text, section)]
    pieces = [bounds for bounds in pieces if text[slice(*bounds)].strip()]
    if len(pieces) < 2:
        return []
    return [_Part(f"{document.id}#{number}", bounds) for number, bounds in enumerate(pieces, 1)]


def _section_starts(document: Document) -> list[int]:
    """Where sections start; only starts count, so that whatever lies between two sections is read too."""
    sections = document.extra.get(SECTIONS)
    if not isinstance(sections, list):
        return []
    starts = [section.get("start") for section in sections if isinstance(section, dict)]
    return [start for start in starts if isinstance(start, int) and not isinstance(start, bool)]


def _pieces(text: str, section: Bounds) -> Iterator[Bounds]:
    """A section in stretches of LONGEST_PART at most, which end where a paragraph does, or else a sentence."""
    start = end = section[0]
    for unit in _units(text, section):
        if end > start and unit[1] - start > LONGEST_PART:
            yield start, end
            start = unit[0]
        end = unit[1]
    if end > start:
        yield start, end


def _units(text: str, section: Bounds) -> Iterator[Bounds]:
    """What is not torn apart: paragraphs, sentences of long ones, and words of sentences that have no end."""
    start = section[0]
    for line in text[slice(*section)].splitlines(keepends=True):
        if len(line) <= LONGEST_PART:
            yield start, start + len(line)
        else:
            ends = [place for _, place in sentences(line)]
            for first, last in zip([0, *ends[:-1]], [*ends[:-1], len(line)], strict=True):
                yield from _words(text, (start + first, start + last))
        start += len(line)


def _words(text: str, sentence: Bounds) -> Iterator[Bounds]:
    start, end = sentence
    while end - start > LONGEST_PART:
        blank = text.rfind(" ", start + LONGEST_PART // 2, start + LONGEST_PART)
        cut = blank + 1 if blank >= 0 else start + LONGEST_PART
        yield start, cut
        start = cut
    yield start, end


def _moved(relation: Relation, document: Document, bounds: Bounds) -> Relation:
    """A relation of a part, its evidence where that stands in the whole text."""
    text, first = document.text, len(document.title) + 1
    found = []
    for each in relation.evidence:
        shift = bounds[0] - first if each.start >= first else 0
        start, end = each.start + shift, each.end + shift
        if text[start:end] == each.text:  # not so across the end of the title, which only the first part follows
            found.append(Evidence(start, end, each.text, each.role, each.rule))
    return replace(relation, evidence=found)


def _joined(relations: Sequence[Relation]) -> Relation:
    """The relations of one pair as one: labels and identifiers of the best, evidence of all, in the text's order."""
    best = max(relations, key=lambda relation: -1.0 if relation.score is None else relation.score)
    by_span = {(e.start, e.end, e.role): e for relation in reversed(relations) for e in relation.evidence}
    evidence = sorted(by_span.values(), key=lambda e: (e.role == best.roles[1], e.start, e.end))
    return replace(best, evidence=evidence)


def _place(relation: Relation) -> int:
    """Where the tail (the chemical) is first named, as an extractor puts the relations of a text in order."""
    return min((e.start for e in relation.evidence if e.role == relation.roles[1]), default=0)


def _joined_extra(extras: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What stands beside the relations: counts are summed, marks hold for all, of other things the first is kept."""
    joined: dict[str, Any] = {}
    for extra in extras:
        for name, value in extra.items():
            old = joined.get(name)
            if isinstance(value, bool) and isinstance(old, bool):
                joined[name] = old or value
            elif isinstance(value, int | float) and isinstance(old, int | float):
                joined[name] = old + value
            else:
                joined.setdefault(name, value)
    return joined


def _first_organism(relation: Relation) -> int | None:
    return min((e.start for e in relation.evidence if e.role == ORGANISM), default=None)


def _key(label: str) -> str:
    return " ".join(label.casefold().split())
