"""Candidate organisms and chemicals of a text: what may take part in a relation, with where it stands."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from abroad.extraction.builtin.mentions import TokenScores
from abroad.extraction.builtin.reading import Reading
from abroad.text.abbreviations import definitions
from abroad.text.expand import expand_phrase
from abroad.text.organisms import OrganismMention

_THRESHOLDS = (0.08, 0.3, 0.6)  # of a token's probability; each cuts the text into stretches of its own
_LEAST_IN_LIST = 0.05
_MOST_IN_STRETCH = 200
_MOST_ORGANISMS, _MOST_CHEMICALS = 60, 600  # in one text; beyond, the first named
_LEAST = 1e-3
_NUMBERS_ONLY = re.compile(r"[\d\W]*[a-z]?(?:[-–]\d*[a-z]?)?")
_LAST_NUMBERING = re.compile(r"\s*\(\s*\d+[a-z]?(?:\s*[-–—,]+\s*\d+[a-z]?)*\s*\)$")
_SUBSCRIPT = re.compile(r"(?<=[ -][A-Z])\((\d{1,2})\)$")


@dataclass(frozen=True)
class ChemicalSpan:
    """A stretch of text that may name chemicals.

    Attributes:
        start, end: offsets; first, last: tokens, last exclusive.
        log_score: log-probability that a name begins, goes on and ends here.
        mean, least, most: of the probabilities of its tokens.
        tagged: whether the best reading of the whole text has it; listed: whether it is a list that was expanded.
        labels: how many it stands for.
    """

    start: int
    end: int
    first: int
    last: int
    log_score: float
    mean: float
    least: float
    most: float
    tagged: bool
    listed: bool
    labels: int
    rule: str


@dataclass
class ChemicalCandidate:
    """A label with the stretches it comes from, best first."""

    key: str
    label: str
    spans: list[ChemicalSpan] = field(default_factory=list)

    @property
    def best(self) -> ChemicalSpan:
        return self.spans[0]


@dataclass
class OrganismCandidate:
    key: str
    label: str
    mentions: list[OrganismMention] = field(default_factory=list)


def label_key(label: str) -> str:
    """Equal for labels that count as one: case, white space and full stops are passed over."""
    return re.sub(r"[\s.]+", "", label.lower())


def organism_candidates(reading: Reading) -> list[OrganismCandidate]:
    """One for each name, in order of first mention."""
    found: dict[str, OrganismCandidate] = {}
    for mention in reading.organisms:
        key = label_key(mention.label)
        if key not in found and len(found) >= _MOST_ORGANISMS:
            continue
        found.setdefault(key, OrganismCandidate(key, mention.label)).mentions.append(mention)
    return list(found.values())


def chemical_candidates(reading: Reading, scores: TokenScores) -> list[ChemicalCandidate]:
    """One for each label that some stretch of the text stands for."""
    found: dict[str, ChemicalCandidate] = {}
    stretches = _stretches(reading, scores)
    long_forms = definitions(reading.text)
    for (first, last), sources in stretches.items():
        start, end = reading.tokens[first].start, reading.tokens[last - 1].end
        text = reading.text[start:end]
        labels, rule = stretch_labels(text)
        if len(labels) == 1 and labels[0] in long_forms:
            labels, rule = [long_forms[labels[0]]], "abbreviation"
        if (
            not labels
            or len(labels) > _MOST_IN_STRETCH
            or any(m.start <= start and end <= m.end for m in reading.organisms)
        ):
            continue
        if len(labels) == 1 and any(start < e.start and e.end == end for e in reading.expansions):
            continue  # the list alone says more than the list with words before it
        span = _span(reading, scores, first, last, sources, len(labels), rule)
        for label in labels:
            key = label_key(label)
            if len(key) < 3 or (key not in found and len(found) >= _MOST_CHEMICALS):
                continue
            found.setdefault(key, ChemicalCandidate(key, label)).spans.append(span)
    for candidate in found.values():
        candidate.spans.sort(key=lambda span: (-span.log_score, span.start))
    return list(found.values())


def stretch_labels(text: str) -> tuple[list[str], str]:
    """(labels that a stretch stands for, the rule): the members of a list, or its own text without a last number."""
    if _NUMBERS_ONLY.fullmatch(text):
        return [], "model"
    labels = expand_phrase(text)
    if len(labels) > 1:
        return labels, "list"
    return [_LAST_NUMBERING.sub("", _SUBSCRIPT.sub(r"\1", text)).strip() or text], "verbatim"


def _stretches(reading: Reading, scores: TokenScores) -> dict[tuple[int, int], set[str]]:
    """(first token, one past the last) -> where the stretch comes from: "tagged", "threshold", "listed"."""
    found: dict[tuple[int, int], set[str]] = defaultdict(set)
    for stretch in tagged_stretches(scores.best):
        found[stretch].add("tagged")
    either = scores.either
    for threshold in _THRESHOLDS:
        place = 0
        while place < len(either):
            if either[place] <= threshold:
                place += 1
                continue
            last = place + 1
            while last < len(either) and either[last] > threshold and scores.begin[last] <= scores.inside[last]:
                last += 1
            found[place, last].add("threshold")
            place = last
    for expansion in reading.expansions:
        first, last = reading.tokens_in(expansion.start, expansion.end)
        if last > first and either[first:last].max() > _LEAST_IN_LIST:
            found[first, last].add("listed")
    return found


def tagged_stretches(tags: Sequence[str]) -> list[tuple[int, int]]:
    """(first, one past the last) of each run B I I."""
    found, place = [], 0
    while place < len(tags):
        last = place + 1
        if tags[place] != "O":
            while last < len(tags) and tags[last] == "I":
                last += 1
            found.append((place, last))
        place = last
    return found


def _span(
    reading: Reading, scores: TokenScores, first: int, last: int, sources: set[str], labels: int, rule: str
) -> ChemicalSpan:
    inside = np.clip(scores.inside[first + 1 : last], _LEAST, 1)
    after = scores.inside[last] if last < len(scores.inside) else 0.0
    ends = math.log(max(scores.begin[first], _LEAST)) + math.log(max(1 - after, _LEAST))
    either = scores.either[first:last]
    return ChemicalSpan(
        start=reading.tokens[first].start,
        end=reading.tokens[last - 1].end,
        first=first,
        last=last,
        log_score=ends + float(np.log(inside).sum()),
        mean=float(either.mean()),
        least=float(either.min()),
        most=float(either.max()),
        tagged="tagged" in sources,
        listed="listed" in sources,
        labels=labels,
        rule=rule,
    )
