"""Where a text names a label: verbatim or nearly so, abbreviated, or in a list or range that stands for it.

More lenient than `abroad.text.evidence`, since the label is known to be right: case, brackets, spaces, kinds of dash
and the spelling of Greek letters are passed over, so that a label is found in a text that another source formatted.
"""

from __future__ import annotations

import bisect
import re
import unicodedata
from collections.abc import Iterator

from abroad.documents.curated.labels import Span
from abroad.text.abbreviations import definitions
from abroad.text.evidence import abbreviated_genus_spans, verbatim_spans
from abroad.text.expand import Expansion, expand_lists, expand_shared_heads

_PASSED_OVER = frozenset("()[]{}*")
_DASHES = dict.fromkeys("‐‑‒–—−", "-")
_PRIMES = dict.fromkeys("′’‘`´", "'")
_GREEK = {letter: unicodedata.name(letter).rpartition(" ")[2].lower() for letter in "αβγδεζηθικλμνξοπρστυφχψω"}
_LONGEST_SUFFIX = 8  # characters
_REACH = 120  # characters from the head of a list to its last suffix
_SENTENCE_END = re.compile(r"\.\s")
_MIN_EPITHET = 4  # letters; a shorter word may be any word


class Locator:
    """Finds labels in one text; what does not hang on the label is worked out once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._folded, self._origin = _fold(text)
        self._expansions: list[Expansion] = [*expand_lists(text), *expand_shared_heads(text)]
        self._short_forms: dict[str, list[str]] = {}
        for short, long in definitions(text).items():
            self._short_forms.setdefault(_fold(long)[0], []).append(short)

    def organism(self, label: str) -> list[Span]:
        """Spans of an organism: in full, with its genus abbreviated, or else its epithet in a list of species."""
        spans = {*self._as_written(label), *abbreviated_genus_spans(self.text, label)}
        genus, _, epithet = label.partition(" ")
        if not spans and len(epithet) >= _MIN_EPITHET and verbatim_spans(self.text, genus):
            spans.update(verbatim_spans(self.text, epithet))
        return sorted(spans)

    def chemical(self, label: str) -> list[Span]:
        """Spans of a chemical: its name in singular or plural, its abbreviation, a list or range that holds it."""
        key = _fold(label)[0]
        forms = [label, label.removesuffix("s") if label.endswith("s") and len(label) > 6 else label + "s"]
        if label.endswith("y"):
            forms.append(label[:-1] + "ies")
        spans = {span for form in forms for span in self._as_written(form)}
        for short in self._short_forms.get(key, ()):
            spans.update(verbatim_spans(self.text, short))
        for expansion in self._expansions:
            if any(_fold(member)[0] == key for member in expansion.labels):
                spans.add((expansion.start, expansion.end))
        return sorted(spans) or self._in_loose_list(label)

    def _in_loose_list(self, label: str) -> list[Span]:
        """ "verticinol A (1) and B (2)" for verticinol B: head and suffix in one sentence, not far apart."""
        head, _, suffix = label.rpartition(" ")
        if not head or len(suffix) > _LONGEST_SUFFIX:
            return []
        for start, end in sorted({*self._as_written(head), *self._as_written(head + "s")}):
            reach = _SENTENCE_END.split(self.text[end : end + _REACH])[0]
            if match := re.search(rf"(?<![\w-]){re.escape(suffix)}(?![\w-])", reach):
                return [(start, end + match.end())]
        return []

    def _as_written(self, label: str) -> list[Span]:
        """Whole words; those that are part of a longer name with a hyphen count only where there are no others."""
        spans = list(self._matches(_fold(label)[0]))
        alone = [(start, end) for start, end in spans if "-" not in (self._at(start - 1), self._at(end))]
        return alone or spans

    def _matches(self, key: str) -> Iterator[Span]:
        index = self._folded.find(key) if key else -1
        while index >= 0:
            start, end = self._origin[index], self._origin[index + len(key) - 1] + 1
            # A Greek letter is several folded characters: the match must hold all of them.
            whole = bisect.bisect_left(self._origin, start) == index and (
                bisect.bisect_left(self._origin, end) == index + len(key)
            )
            if whole and not (
                (self.text[start].isalnum() and self._at(start - 1).isalnum())
                or (self.text[end - 1].isalnum() and self._at(end).isalnum())
            ):
                yield self._with_brackets(start, end)
            index = self._folded.find(key, index + 1)

    def _with_brackets(self, start: int, end: int) -> Span:
        """The stretch with the bracket at its edge that its own bracket belongs to, since brackets are passed over."""
        stretch = self.text[start:end]
        for opening, closing in ("()", "[]", "{}"):
            excess = stretch.count(opening) - stretch.count(closing)
            if excess == 1 and self._at(end) == closing:
                return start, end + 1
            if excess == -1 and self._at(start - 1) == opening:
                return start - 1, end
        return start, end

    def _at(self, index: int) -> str:
        return self.text[index] if 0 <= index < len(self.text) else ""


def _fold(text: str) -> tuple[str, list[int]]:
    """The text as it is compared, and of each character of that the offset in `text` that it comes from."""
    folded: list[str] = []
    origin: list[int] = []
    for index, character in enumerate(text):
        if character.isspace() or character in _PASSED_OVER:
            continue
        for part in unicodedata.normalize("NFKC", character).casefold():
            letters = _DASHES.get(part) or _PRIMES.get(part) or _GREEK.get(part) or part
            folded.append(letters)
            origin.extend([index] * len(letters))
    return "".join(folded), origin
