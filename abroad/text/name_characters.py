"""Characters that mean the same in names, and brackets; for use inside the [] of a regular expression where noted."""

from __future__ import annotations

import re

HYPHENS = "\\-\u2010\u2011\u00ad\u2212\u2012\u2013\u2014\u2015\ufe58\ufe63\uff0d"
"""All dashes, for a character class: which one stands for a hyphen or a range differs from record to record."""
PRIMES = "'′″‴’‘ʹʺʼ`´\"”“"
"""Primes of all kinds, for a character class."""
GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
SPACE = "[\\s\u200b\u2060\ufeff]"
"""One space of any kind; those of no width are none to `\\s`."""

BRACKETS = {"(": ")", "[": "]", "{": "}"}
"""Each bracket that opens -> the one that closes it."""
_BRACKET = re.compile(r"[()\[\]{}]")


def bracket_end(text: str, start: int, longest: int) -> int | None:
    """Offset after the bracket that closes the one at `start`; None if none does within `longest` characters."""
    open_: list[str] = []
    for match in _BRACKET.finditer(text, start, start + longest):
        if match[0] in BRACKETS:
            open_.append(BRACKETS[match[0]])
        elif not open_ or match[0] != open_.pop():
            return None
        if not open_:
            return match.end()
    return None


def unbracketed(text: str) -> int:
    """How many characters at the start of a word are quotes and brackets that it does not close."""
    skip = 0
    while skip < len(text) and (text[skip] in "\"“‘'«" or (text[skip] in BRACKETS and _open(text, skip))):
        skip += 1
    return skip


def _open(text: str, start: int) -> bool:
    return bracket_end(text, start, len(text)) is None
