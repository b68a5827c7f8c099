"""One spelling for each species of a text, and the known one where a slip of the pen explains the difference."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from abroad.text.taxon_names import species_of

_MIN_EPITHET = 7  # letters; shorter ones of different species differ by one letter


def one_spelling(labels: Iterable[str]) -> dict[str, str]:
    """The label to use for each: "subprostarata" -> "subprostrata"."""
    chosen: dict[str, str] = {}
    by_genus: dict[str, list[str]] = {}
    for label in sorted(dict.fromkeys(labels), key=lambda label: not _known(label)):
        genus, _, epithet = label.partition(" ")
        others = by_genus.setdefault(genus, [])
        if len(epithet) < _MIN_EPITHET or _known(label):
            chosen[label] = label
        else:
            same = [other for other in others if one_edit_apart(label, other)]
            chosen[label] = same[0] if same else f"{genus} {_known_spelling(genus, epithet)}"
        others.append(chosen[label])
    return chosen


def _known(label: str) -> bool:
    genus, _, epithet = label.partition(" ")
    return epithet.replace("× ", "×") in species_of(genus)


@lru_cache(maxsize=4096)
def near_known(genus: str, epithet: str) -> bool:
    """Whether the genus has a species of this name, or of one that differs by a letter ("alternate")."""
    species = species_of(genus)
    return epithet in species or any(one_edit_apart(epithet, known) for known in species)


@lru_cache(maxsize=4096)
def _known_spelling(genus: str, epithet: str) -> str:
    """The one species of the genus that a slip of the pen explains; the name itself if there is none.

    A letter left out, doubled or swapped is a slip; another letter in its place may be another species,
    and -i for -ii is a matter of style.
    """
    if "-" in epithet or " " in epithet:
        return epithet
    species = [known for known in species_of(genus) if abs(len(known) - len(epithet)) <= 1 and known.isalpha()]
    slips = [known for known in species if one_edit_apart(epithet, known) and not _variant(epithet, known)]
    return slips[0] if len(slips) == 1 else epithet


def _variant(first: str, second: str) -> bool:
    replaced = len(first) == len(second) and sorted(first) != sorted(second)
    return replaced or re.sub("i(i|ae)$", r"\1", first) == re.sub("i(i|ae)$", r"\1", second)


def one_edit_apart(first: str, second: str) -> bool:
    """Whether one letter left out, put in, replaced, or swapped with its neighbour makes one word the other."""
    if abs(len(first) - len(second)) > 1 or first == second:
        return False
    if len(first) > len(second):
        first, second = second, first
    start = 0
    while start < len(first) and first[start] == second[start]:
        start += 1
    rest, other = first[start:], second[start:]
    if len(rest) < len(other):
        return rest == other[1:]
    return rest[1:] == other[1:] or (rest[:2] == other[1::-1] and rest[2:] == other[2:])
