"""How often words stand in abstracts, and as what: made by `abroad.text.learn.counts`.

A name of a genus may be an ordinary word as well ("Electron"), a place ("Virginia") or a
code ("Ala"); a word after a genus may be its epithet or a noun ("larvae"). These counts tell.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple


class WordCounts(NamedTuple):
    """Counts of one word, in lower case.

    Attributes:
        ordinary: in lower case, not after a genus.
        after: in lower case, directly after a genus.
        genera: different genera it stood after.
        own: those of them that have a species of this name.
        start: capitalised at the start of a sentence, no epithet after it.
        middle: capitalised elsewhere, no epithet after it.
        named: capitalised with the epithet of a species of its own, or with "sp.".
        apposed: in lower case directly before the name of a species, as "sponge" in "the sponge Dysidea avara".
        kind: what a taxon is, as "sponge" in "... is a species of sponge" (Wikipedia).
        plain: in lower case in Wikipedia's pages on taxa.
        italic: in italics there, in which names stand.
        plain_capital: as `plain`, with a capital.
        italic_capital: as `italic`, with a capital.
    """

    ordinary: int = 0
    after: int = 0
    genera: int = 0
    own: int = 0
    start: int = 0
    middle: int = 0
    named: int = 0
    apposed: int = 0
    kind: int = 0
    plain: int = 0
    italic: int = 0
    plain_capital: int = 0
    italic_capital: int = 0


NONE = WordCounts()


@lru_cache(maxsize=1 << 16)
def word_counts(word: str) -> WordCounts:
    """Counts of a word in lower case; all are 0 for one that was hardly seen."""
    numbers = _table().get(word)
    return WordCounts(*map(int, numbers.split("\t"))) if numbers else NONE


def counted_words() -> Iterator[tuple[str, WordCounts]]:
    """Every word of the table."""
    for word in _table():
        yield word, word_counts(word)


@cache
def _table() -> dict[str, str]:
    """Lines as they stand: most words are never asked for, and reading numbers takes time."""
    return dict(line.split("\t", 1) for line in _lines("words"))


@cache
def places() -> dict[str, int]:
    """Names of genera that are words of names of places, with the people there: 10 to the power of the number."""
    return {word: int(size) for word, size in (line.split("\t") for line in _lines("places"))}


@cache
def english() -> dict[str, int]:
    """How common English words are that could be taken for a genus or an epithet: the exponent of a power of 2."""
    return {word: int(size) for word, size in (line.split("\t") for line in _lines("english"))}


@cache
def abbreviations() -> dict[str, str]:
    """The genus that texts mean by "E. coli" where they do not name it: "E coli" -> "Escherichia"."""
    return dict(line.split("\t", 1) for line in _lines("abbreviations"))


def _lines(name: str) -> list[str]:
    packed = (files("abroad.text") / "data" / f"{name}.tsv.gz").read_bytes()
    return gzip.decompress(packed).decode("utf-8").split("\n")
