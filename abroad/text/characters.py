"""Characters: which a text is better without, which mean the same to a reader, and labels that they make alike."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

_ARTICLES = re.compile(r"\b(?:an|the)\b")
_WHITE = re.compile(r"\s+")
REPLACEMENT = "\ufffd"

# Default_Ignorable_Code_Point of the Unicode standard (DerivedCoreProperties.txt), without what category Cf covers.
_IGNORABLE = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065), (0x3164, 0x3164)),
    *((0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF)),
)
# What stands for a hyphen beside category Pd, for a prime or quotation mark, and for a Greek letter it looks like.
_HYPHENS = "\u2212\u02d7\u2043\u2796"
_SINGLE = "`´‘’‚‛‹›′‵ʹʻʼʽˈˊˋ՚ꞌ\u0374"
_DOUBLE = "“”„‟«»″‶ʺ˝〃❝❞"
_LOOK_ALIKE = {"ß": "β", "∆": "Δ", "ɑ": "α", "ɛ": "ε", "∑": "Σ", "∏": "Π", "∼": "~"}


@cache
def clean_character(character: str) -> str:
    """What one character becomes in clean text.

    Any space or line break is a space; what shows nothing (soft hyphens, joiners, marks of direction, variation
    selectors) is nothing; control characters and halves of surrogate pairs are U+FFFD.
    """
    if character.isspace():
        return " "
    category = unicodedata.category(character)
    if category == "Cf" or any(first <= ord(character) <= last for first, last in _IGNORABLE):
        return ""
    return REPLACEMENT if category in ("Cc", "Cs") else character


class _Folds(dict[int, str]):
    """Code point -> folded character, worked out when first asked for."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold(chr(code))
        return folded


def _fold(character: str) -> str:
    if unicodedata.category(character) == "Pd" or character in _HYPHENS:
        return "-"
    if character in _SINGLE:
        return "'"
    if character in _DOUBLE:
        return '"'
    alike = _LOOK_ALIKE.get(character) or unicodedata.normalize("NFKC", character)
    return character if len(alike) != 1 or alike == character else _fold(alike)


_FOLDS = _Folds()


def fold(text: str) -> str:
    """Variants of one character made one, each by one character: dashes, primes, quotes, widths, raised digits."""
    return text.translate(_FOLDS)


def normalise_upstream(label: str) -> str:
    """The published normalisation: lower-case, no full stops, no "an" or "the", no white space.

    Delmas et al. 2024, evaluation of end-to-end extraction.
    """
    return _WHITE.sub("", _ARTICLES.sub("", label.lower().strip(" .")).replace(".", ""))


def normalise_strict(label: str) -> str:
    """NFKC and case-fold; white space collapsed, nothing else."""
    return _WHITE.sub(" ", unicodedata.normalize("NFKC", label)).strip().casefold()
