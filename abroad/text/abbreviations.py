"""Abbreviations that a text defines: "saxitoxin (STX)" -> {"STX": "saxitoxin"}.

The algorithm of Schwartz and Hearst, "A simple algorithm for identifying abbreviation
definitions in biomedical text", PSB 2003, section 3, written from the paper.
"""

from __future__ import annotations

import re

_SHORT = re.compile(r"\(([^()\s,;]{2,10})[,;)]")


def definitions(text: str) -> dict[str, str]:
    """Short form -> the long form that stands before it in brackets; the first definition counts."""
    found: dict[str, str] = {}
    for match in _SHORT.finditer(text):
        short = match[1]
        if short in found or not short[0].isalnum() or not any(character.isalpha() for character in short):
            continue
        if not any(character.isupper() for character in short):
            continue
        words = re.findall(r"\S+", text[max(0, match.start() - 200) : match.start()])
        most = min(len(short) + 5, len(short) * 2)
        long = _long_form(short, " ".join(words[-most:]))
        if long is not None and short.lower() not in long.lower().split():
            found[short] = long
    return found


def _long_form(short: str, before: str) -> str | None:
    """The shortest end of `before` that holds the letters of `short` in order, the first of them at a word's start."""
    index = len(before) - 1
    for number in range(len(short) - 1, -1, -1):
        letter = short[number].lower()
        if not letter.isalnum():
            continue
        while index >= 0 and (
            before[index].lower() != letter or (number == 0 and index > 0 and before[index - 1].isalnum())
        ):
            index -= 1
        if index < 0:
            return None
        index -= 1
    start = before.rfind(" ", 0, index + 2) + 1
    long = before[start:].strip(" ,;:")
    return long if len(long) > len(short) and before[index + 1].lower() == short[0].lower() else None
