"""Candidate organisms and chemicals of a text: what may take part in a relation, with where it stands."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

import numpy as np

from abroad.extraction.builtin.encoder import TextScores, best_tags
from abroad.extraction.builtin.reading import Reading
from abroad.text.abbreviations import definitions
from abroad.text.characters import fold
from abroad.text.expand import expand_phrase, without_numbering
from abroad.text.latin_parts import PARTS
from abroad.text.name_characters import BRACKETS
from abroad.text.organism_candidates import is_ordinary
from abroad.text.organism_spelling import near_known
from abroad.text.organisms import OrganismMention

_THRESHOLDS = (0.05, 0.3, 0.6)  # of a token's probability; each cuts the text into stretches of its own
_MIN_IN_LIST = 0.05
_MAX_BETWEEN = 3  # tokens between two stretches that may be one name: a compound's number in brackets
_MIN_ORGANISM = 0.3  # of a token's probability; what the finder does not know must be said by the tagger
_MIN_DOUBTED = 0.7  # and more surely where the finder doubts it: of the scorer's documents, 4 of 5 producers reach it
_LONGEST_TAIL = 100  # characters of "radix rhizoma" and the like
_MAX_IN_STRETCH = 200
_MAX_ORGANISMS, _MAX_CHEMICALS = 60, 600  # in one text; beyond, the first named
_LONGEST_NAME = 300  # characters
_NO_NAME = re.compile(r"[^\W\d_]{41}")  # words without spaces: in 14,000 labels the longest run of letters has 30
_LEAST = 1e-3


@dataclass(frozen=True)
class ChemicalSpan:
    """A stretch of text that may name chemicals.

    Attributes:
        start: offset of its first character.
        end: offset after its last.
        first: its first token.
        last: the token after its last.
        log_score: log-probability that a name begins, goes on and ends here.
        mean: of the probabilities of its tokens.
        least: of these.
        most: of these.
        tagged: whether the best reading of the whole text has it.
        listed: whether it is a list that was expanded.
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
    """A label with the stretches it comes from, best first; `place` is its number in the list that names it."""

    key: str
    label: str
    place: int = 0
    spans: list[ChemicalSpan] = field(default_factory=list)

    @property
    def best(self) -> ChemicalSpan:
        return self.spans[0]


@dataclass(frozen=True, slots=True)
class OrganismSpan:
    """A mention of an organism, and how probable its tokens make it that something is reported of it.

    Attributes:
        mention: as the finder or the tagger found it; the tagger's have the form "tagged".
        first: its first token.
        score: the mean probability of its tokens.
    """

    mention: OrganismMention
    first: int
    score: float


@dataclass
class OrganismCandidate:
    """A name with its mentions, in order of the text."""

    key: str
    label: str
    spans: list[OrganismSpan] = field(default_factory=list)

    @property
    def mentions(self) -> list[OrganismMention]:
        return [span.mention for span in self.spans]


def label_key(label: str) -> str:
    """Equal for labels that count as one: case, white space, full stops, kinds of primes and dashes are passed over."""
    return re.sub(r"[\s.]+", "", fold(label).lower())


def organism_candidates(reading: Reading, scores: TextScores) -> list[OrganismCandidate]:
    """One for each name, in order of first mention: the finder's, and what else the tagger takes for a producer.

    Names beyond the first `_MAX_ORGANISMS` are counted in `reading.left_out`.
    """
    beyond: set[str] = set()
    found: dict[str, OrganismCandidate] = {}
    either = 1 - scores.organism[:, 0]
    mentions = sorted([*reading.organisms, *_tagged_organisms(reading, scores)], key=lambda m: (m.start, -m.end))
    for mention in mentions:
        key = label_key(mention.label)
        if key not in found and len(found) >= _MAX_ORGANISMS:
            beyond.add(key)
            continue
        first, last = reading.tokens_in(mention.start, mention.end)
        score = float(either[first:last].mean()) if last > first else 0.0
        found.setdefault(key, OrganismCandidate(key, mention.label)).spans.append(OrganismSpan(mention, first, score))
    reading.left_out.organisms = len(beyond)
    return list(found.values())


def _reach(mentions: Sequence[OrganismMention]) -> Callable[[int], int]:
    """How far the mentions reach that begin at an offset or before it, 0 for none; in logarithmic time.

    So a stretch lies within a mention if its end is no farther than that.
    """
    ordered = sorted(mentions, key=lambda mention: mention.start)
    starts = [mention.start for mention in ordered]
    ends = list(accumulate((mention.end for mention in ordered), max))
    return lambda start: ends[place - 1] if (place := bisect_right(starts, start)) else 0


def _tagged_organisms(reading: Reading, scores: TextScores) -> Iterator[OrganismMention]:
    """Stretches that the tagger takes for a producer and that no mention of the finder covers."""
    either, reach = 1 - scores.organism[:, 0], _reach(reading.organisms)
    doubted = {(m.start, m.end) for m in reading.doubted}
    for first, last in named_stretches(reading, scores.organism):
        start, end = reading.tokens[first].start, reading.tokens[last - 1].end
        label = " ".join(reading.text[start:end].split())
        within = reach(start)
        covered = within >= end or (within > 0 and _is_tail(reading.text[start:within], reading.text[within:end]))
        least = _MIN_DOUBTED if (start, end) in doubted else _MIN_ORGANISM
        if covered or either[first:last].mean() < least or len(label) > _LONGEST_NAME or _NO_NAME.search(label):
            continue
        if any(character.isalpha() for character in label):
            yield OrganismMention(start, end, label, "tagged")


def _is_tail(name: str, text: str) -> bool:
    """Whether what follows a name belongs to no taxon: a part ("Coptis rhizoma") or common words ("Bufo venoms")."""
    genus = name.split(" ")[0]
    return len(text) <= _LONGEST_TAIL and all(_is_no_epithet(genus, word) for word in text.split())


def _is_no_epithet(genus: str, word: str) -> bool:
    if word.lower() in PARTS:
        return True
    return word.isalpha() and word.islower() and is_ordinary(word) and not near_known(genus, word)


def chemical_candidates(reading: Reading, scores: TextScores) -> list[ChemicalCandidate]:
    """One for each label that some stretch of the text stands for.

    Labels beyond the first `_MAX_CHEMICALS` are counted in `reading.left_out`.
    """
    found: dict[str, ChemicalCandidate] = {}
    beyond: set[str] = set()
    reach = _reach(reading.organisms)
    long_forms = definitions(reading.text)
    for (first, last), sources in _stretches(reading, scores).items():
        start, end = _balanced(reading.text, reading.tokens[first].start, reading.tokens[last - 1].end)
        if end - start > _LONGEST_NAME and "listed" not in sources:
            continue
        text = reading.text[start:end]
        labels, rule = stretch_labels(text)
        if len(labels) == 1 and labels[0] in long_forms:
            labels, rule = [long_forms[labels[0]]], "abbreviation"
        if not labels or len(labels) > _MAX_IN_STRETCH or _NO_NAME.search(text):
            continue
        if reach(start) >= end:
            continue
        if len(labels) == 1 and _says_less(reading, start, end, labels[0]):
            continue
        span = _span((start, end), (first, last), scores, sources, len(labels), rule)
        for place, label in enumerate(labels):
            key = label_key(label)
            if len(key) < 2:
                continue
            if key not in found and len(found) >= _MAX_CHEMICALS:
                beyond.add(key)
                continue
            found.setdefault(key, ChemicalCandidate(key, label, place)).spans.append(span)
    reading.left_out.chemicals = len(beyond)
    for candidate in found.values():
        candidate.spans.sort(key=lambda span: (-span.log_score, span.start))
    return list(found.values())


def _says_less(reading: Reading, start: int, end: int, label: str) -> bool:
    """Whether a list says more than a stretch: the list with words before it, or a part of it that is no member."""
    for expansion in reading.expansions:
        if start < expansion.start and end == expansion.end:
            return True
        inside = expansion.start <= start and end <= expansion.end
        if inside and label_key(label) not in {label_key(member) for member in expansion.labels}:
            return True
    return False


def stretch_labels(text: str) -> tuple[list[str], str]:
    """(labels that a stretch stands for, the rule): the members of a list, or its own text without a last number."""
    if not any(character.isalpha() for character in text):
        return [], "model"
    labels = expand_phrase(text)
    if len(labels) > 1:
        return labels, "list"
    name = " ".join(without_numbering(text).split()).strip(" ,;:")
    return [name or text], "verbatim"


def _balanced(text: str, start: int, end: int) -> tuple[int, int]:
    """The stretch with the bracket that closes one of its own, or without one that nothing in it opens or closes."""
    open_at: list[tuple[int, str]] = []
    for place in range(start, end):
        if text[place] in BRACKETS:
            open_at.append((place, BRACKETS[text[place]]))
        elif text[place] in ")]}" and open_at and open_at[-1][1] == text[place]:
            open_at.pop()
        elif text[place] in ")]}":
            if start and BRACKETS.get(text[start - 1]) == text[place]:
                start -= 1  # "(" that the stretch begins after: "β)-elemene"
            elif place == end - 1:
                return start, place
            else:
                return (place + 1, end) if place - start < end - place else (start, place)
    for place, closing in reversed(open_at):
        if text[end : end + 1] == closing:
            end += 1
        elif place == start:
            start += 1
        else:
            end = len(text[:place].rstrip())
    return (start, end) if end > start else (start, start)


def _stretches(reading: Reading, scores: TextScores) -> dict[tuple[int, int], set[str]]:
    """(first token, one past the last) -> where the stretch comes from: "tagged", "threshold", "listed"."""
    found: dict[tuple[int, int], set[str]] = defaultdict(set)
    for stretch in named_stretches(reading, scores.chemical):
        found[stretch].add("tagged")
    begin, inside = scores.chemical[:, 1], scores.chemical[:, 2]
    either = begin + inside
    for threshold in _THRESHOLDS:
        above, place = [], 0
        while place < len(either):
            if either[place] <= threshold:
                place += 1
                continue
            last = place + 1
            while last < len(either) and either[last] > threshold and begin[last] <= inside[last]:
                last += 1
            above.append((place, last))
            place = last
        cut = list(_within_sentences(reading, above))
        for stretch in (*cut, *_joined(reading, cut)):
            found[stretch].add("threshold")
    for expansion in reading.expansions:
        first, last = reading.tokens_in(expansion.start, expansion.end)
        if last > first and either[first:last].max() > _MIN_IN_LIST:
            found[first, last].add("listed")
    return found


def _joined(reading: Reading, stretches: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Two stretches beside each other as one: "benzyl glucosinolate", "docosanoic (3) acid"."""
    for (first, end), (start, last) in pairwise(stretches):
        between = reading.text[reading.tokens[end - 1].end : reading.tokens[start].start]
        together = reading.tokens[end - 1].sentence == reading.tokens[start].sentence
        if together and start - end <= _MAX_BETWEEN and not any(c.isalpha() or c in ",;.:" for c in between):
            yield first, last


def named_stretches(reading: Reading, scores: np.ndarray) -> list[tuple[int, int]]:
    """(first token, one past the last) of each name in the best reading of the whole text.

    Args:
        scores: probabilities of O, B, I for each token, shape (tokens, 3).
    """
    return list(_within_sentences(reading, tagged_stretches(best_tags(scores))))


def _within_sentences(reading: Reading, stretches: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The stretches cut where a sentence ends, without commas at their ends and the full stop of the sentence."""
    tokens = reading.tokens
    for first, last in stretches:
        ends = [place for place in range(first + 1, last) if tokens[place].sentence != tokens[place - 1].sentence]
        for start, end in zip([first, *ends], [*ends, last], strict=True):
            last_of_sentence = end == len(tokens) or tokens[end].sentence != tokens[end - 1].sentence
            if last_of_sentence and tokens[end - 1].text in ".!?":
                end -= 1
            while start < end and tokens[end - 1].text in ",;:":
                end -= 1
            while start < end and tokens[start].text in ".,;:":
                start += 1
            if start < end:
                yield start, end


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
    offsets: tuple[int, int], tokens: tuple[int, int], scores: TextScores, sources: set[str], labels: int, rule: str
) -> ChemicalSpan:
    first, last = tokens
    begin, inside = scores.chemical[:, 1], scores.chemical[:, 2]
    within = np.clip(inside[first + 1 : last], _LEAST, 1)
    after = inside[last] if last < len(inside) else 0.0
    ends = math.log(max(begin[first], _LEAST)) + math.log(max(1 - after, _LEAST))
    either = begin[first:last] + inside[first:last]
    return ChemicalSpan(
        *offsets,
        first=first,
        last=last,
        log_score=ends + float(np.log(within).sum()),
        mean=float(either.mean()),
        least=float(either.min()),
        most=float(either.max()),
        tagged="tagged" in sources,
        listed="listed" in sources,
        labels=labels,
        rule=rule,
    )
