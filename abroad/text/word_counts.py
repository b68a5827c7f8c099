"""How often words stand in abstracts, and as what: made by `abroad.text.learn.counts`.

A name of a genus may be an ordinary word as well ("Electron"), a place ("Virginia") or a
code ("Ala"); a word after a genus may be its epithet or a noun ("larvae"). These counts tell.
"""

from __future__ import annotations

import gzip
from functools import cache
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
    """

    ordinary: int = 0
    after: int = 0
    genera: int = 0
    own: int = 0
    start: int = 0
    middle: int = 0
    named: int = 0
    apposed: int = 0


NONE = WordCounts()


@cache
def word_counts() -> dict[str, WordCounts]:
    """Counts of every word that was seen several times, or that is the name of a genus."""
    counts = {}
    for line in _lines("words"):
        word, *numbers = line.split("\t")
        counts[word] = WordCounts(*map(int, numbers))
    return counts


@cache
def places() -> dict[str, int]:
    """Names of genera that are words of names of places, with the people there: 10 to the power of the number."""
    return {word: int(size) for word, size in (line.split("\t") for line in _lines("places"))}


def _lines(name: str) -> list[str]:
    packed = (files("abroad.text") / "data" / f"{name}.tsv.gz").read_bytes()
    return gzip.decompress(packed).decode("utf-8").split("\n")
