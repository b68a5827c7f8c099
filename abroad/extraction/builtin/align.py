"""Where a text names the organisms and chemicals of its gold relations: what a tagger learns from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from abroad.core.schema import Document
from abroad.extraction.builtin.reading import Reading
from abroad.text.characters import fold
from abroad.text.tokens import Token

_GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ω": "omega"}
_SHORTEST = 3  # letters and digits of a name that is looked for

Span = tuple[int, int]


@dataclass(frozen=True)
class Alignment:
    """Offsets of the gold names of a document: label -> its spans; a list's span is that of each member in it."""

    organisms: dict[str, list[Span]]
    chemicals: dict[str, list[Span]]


def align(document: Document, reading: Reading) -> Alignment:
    """Find the gold organisms and chemicals; labels that the text does not name have no spans."""
    pairs = document.label_pairs()
    squashed = _Squashed(reading.text, reading.tokens)
    organisms = {label: squashed.find(label) for label, _ in pairs}
    for mention in reading.organisms:
        if mention.label in organisms:
            organisms[mention.label].append((mention.start, mention.end))
    chemicals = {label: squashed.find(label) for _, label in pairs}
    by_key = defaultdict(list)
    for label in chemicals:
        by_key[squash(label)].append(label)
    for expansion in reading.expansions:
        members = [label for name in expansion.labels for label in by_key.get(squash(name), ())]
        if 2 * len(set(members)) >= len(expansion.labels):
            for label in set(members):
                chemicals[label].append((expansion.start, expansion.end))
    return Alignment(
        {label: longest(spans) for label, spans in organisms.items()},
        {label: longest(spans) for label, spans in chemicals.items()},
    )


def find_names(reading: Reading, label: str) -> list[Span]:
    """Where a text writes a name, in the singular or the plural."""
    return _Squashed(reading.text, reading.tokens).find(label)


def bio_tags(tokens: Sequence[Token], spans: Iterable[Span]) -> list[str]:
    """ "B", "I" or "O" of each token; of spans that overlap the longest counts."""
    tags = ["O"] * len(tokens)
    index = 0
    for start, end in sorted(longest(spans)):
        while index < len(tokens) and tokens[index].end <= start:
            index += 1
        first = index
        while index < len(tokens) and tokens[index].start < end:
            tags[index] = "B" if index == first else "I"
            index += 1
    return tags


def gold_tags(document: Document, reading: Reading) -> tuple[list[str], list[str]]:
    """Tags of the gold chemicals and of the gold organisms."""
    found = align(document, reading)
    chemicals, organisms = (
        bio_tags(reading.tokens, [span for spans in side.values() for span in spans])
        for side in (found.chemicals, found.organisms)
    )
    return chemicals, organisms


def longest(spans: Iterable[Span]) -> list[Span]:
    """Of spans that overlap the longest, in order."""
    taken: list[Span] = []
    for span in sorted(set(spans), key=lambda span: (span[0] - span[1], span[0])):
        if all(span[1] <= other[0] or span[0] >= other[1] for other in taken):
            taken.append(span)
    return sorted(taken)


def squash(name: str) -> str:
    """What is left of a name without case, punctuation, white space and the spelling of Greek letters."""
    return "".join(_GREEK.get(c, c) for c in fold(name).lower() if c.isalnum())


def _numbers(key: str) -> Iterator[str]:
    """A name in the singular and in the plural, whichever of them it is."""
    yield from (key, f"{key}s", f"{key}es")
    if key.endswith("y"):
        yield f"{key[:-1]}ies"
    if key.endswith("s") and len(key) > 6:
        yield key[:-1]


class _Squashed:
    """A text without case, punctuation and white space, in which names are found whatever their spelling."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        pieces: list[str] = []
        self._tokens: list[Token] = []
        self._starts: dict[int, int] = {}  # offset in the squashed text -> the token that starts there
        self._ends: dict[int, int] = {}
        length = 0
        for token in tokens:
            piece = squash(token.text)
            if piece:
                self._starts[length] = len(self._tokens)
                length += len(piece)
                self._ends[length] = len(self._tokens)
                self._tokens.append(token)
                pieces.append(piece)
        self._squashed = "".join(pieces)

    def find(self, label: str) -> list[Span]:
        """Spans that read as the label, or as its plural, brackets that belong to it included."""
        key = squash(label)
        found: list[Span] = []
        if len(key) < _SHORTEST:
            return found
        for form in _numbers(key):
            at = self._squashed.find(form)
            while at >= 0:
                first, last = self._starts.get(at), self._ends.get(at + len(form))
                if first is not None and last is not None:
                    found.append(self._with_brackets(self._tokens[first].start, self._tokens[last].end, label))
                at = self._squashed.find(form, at + 1)
        return longest(found)

    def _with_brackets(self, start: int, end: int, label: str) -> Span:
        """A label that opens with "(+)-" or "(" takes in what stands before its first letter."""
        before = len(label) - len(label.lstrip("([{+-−–±)]'\"′*"))
        if before and self._text[max(0, start - before) : start] == label[:before]:
            start -= before
        after = len(label) - len(label.rstrip(")]}*'′\""))
        if after and self._text[end : end + after] == label[len(label) - after :]:
            end += after
        inside = self._text[start:end]
        if inside.count(")") > inside.count("(") and self._text[start - 1 : start] == "(":
            start -= 1  # "E-anethole" of a text that writes "(E)-anethole"
        return start, end
