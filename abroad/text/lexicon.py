"""Names that are known, found again in texts: as whole words, without regard to case and spaces, longest first."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"\w+|[^\w\s]")
_MIN_LETTERS = 3
"""Of a name: shorter ones are too often other words."""


class Lexicon:
    """Finds the names that it was given.

    Args:
        names: labels as people write them.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[tuple[str, ...], str] = {}
        self._lengths: dict[str, set[int]] = {}
        for name in names:
            if sum(map(str.isalnum, name)) >= _MIN_LETTERS and (words := tuple(_WORD.findall(name.lower()))):
                self._names.setdefault(words, name)
                self._lengths.setdefault(words[0], set()).add(len(words))

    def __bool__(self) -> bool:
        return bool(self._names)

    def find(self, text: str) -> list[str]:
        """The names that stand in a text, each once, as it was given; of those that overlap the first and longest."""
        words = _WORD.findall(text.lower())
        found: dict[str, None] = {}
        place = 0
        while place < len(words):
            lengths = sorted(self._lengths.get(words[place], ()), reverse=True)
            stretch = next((each for n in lengths if (each := tuple(words[place : place + n])) in self._names), None)
            if stretch is not None:
                found.setdefault(self._names[stretch])
            place += len(stretch) if stretch else 1
        return list(found)
