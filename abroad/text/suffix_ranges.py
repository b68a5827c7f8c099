"""Ranges of suffixes: "A-D", "I-V", "A1-A5", "D1a-D1c", "B-1 to B-4", "IIA-C".

What a range runs over is the one part in which its ends differ. An end may leave out what the ends have in common.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from abroad.text.name_characters import GREEK, HYPHENS
from abroad.text.suffix import GREEK_WORDS, LOW_DIGITS, ROMAN, ROMAN_SIGNS, Suffix, without_bracket

MAX_LABELS = 200
"""Labels one list may give; the rest is counted, not made."""

_HIGHER = str.maketrans(LOW_DIGITS, "0123456789")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}
_LONGEST_NUMERALS = 25  # "I-L" runs over four letters rather than fifty numerals


def between(first: Suffix, last: Suffix, letters: bool, compounds: int) -> tuple[list[str], int]:
    """(the labels of a range, how many were too many).

    Args:
        first: one end.
        last: the other.
        letters: whether other suffixes of the list are letters that are no numerals.
        compounds: how many compound numbers stand beside the range.
    """
    index = runs_over(first, last)
    if index is None:
        return [first.label, last.label], 0
    part = first.parts[index]
    readings = list(_readings(part, last.parts[index]))
    # "I-V" may be five numerals or fourteen letters: as many as there are compound numbers, or else numerals.
    agreeing = [reading for reading in readings if reading[2] - reading[1] + 1 == compounds]
    if not agreeing and (letters or readings[0][2] - readings[0][1] > _LONGEST_NUMERALS):
        agreeing = [reading for reading in readings if reading[0] == "letter"]
    kind, start, end = (agreeing or readings)[0]
    count = min(end - start + 1, MAX_LABELS)
    labels = []
    for number in range(start, start + count):
        parts = (*first.parts[:index], _write(kind, part, number), *first.parts[index + 1 :])
        labels.append(replace(first, parts=parts).label)
    return labels, end - start + 1 - count


def range_ends(first: Suffix, last: Suffix) -> tuple[Suffix, Suffix]:
    """The ends as they are meant: what the last leaves out is added, numbers of compounds are left out."""
    last = _completed(first, last)
    if last.kind == "capital" and last.parts[5] and not first.parts[-1]:  # the prime is a quote: "'fictins A-C'"
        last = replace(last, parts=(*last.parts[:5], ""), end=last.end - len(last.parts[5]))
    if first.bracket and last.bracket and runs_over(first, last) is None:
        bare = without_bracket(first), without_bracket(last)
        if runs_over(*bare) is not None:
            return bare[0], replace(bare[1], end=last.end)
    return first, last


def _completed(first: Suffix, last: Suffix) -> Suffix:
    """The end of a range with what it leaves out: "A1-3" is "A1-A3", "Ia-c" is "Ia-Ic"."""
    given = [part for part in last.parts if part]
    if len(given) != 1 or len([part for part in first.parts if part]) < 2:
        return last
    indices = [index for index, part in enumerate(first.parts) if part]
    old = first.parts[indices[-1]]
    new = _dressed(old, given[0])
    if new is None:
        return last
    return replace(
        first, parts=(*first.parts[: indices[-1]], new, *first.parts[indices[-1] + 1 :]), start=last.start, end=last.end
    )


def _dressed(old: str, new: str) -> str | None:
    """A part like the old one: with its hyphen or its brackets; None if it is of another sort."""
    core = old.strip("()-" + HYPHENS)
    if core.isdigit() == new.isdigit() and core.isupper() == new.isupper() and core.islower() == new.islower():
        return old.replace(core, new) if core else None
    return None


def runs_over(first: Suffix, last: Suffix) -> int | None:
    """The one part in which the ends of a range differ; None if they do not span one."""
    if first.kind != last.kind or first.derived:
        return None
    indices = [index for index, (one, other) in enumerate(zip(first.parts, last.parts, strict=True)) if one != other]
    if len(indices) != 1:
        return None
    return indices[0] if any(True for _ in _readings(first.parts[indices[0]], last.parts[indices[0]])) else None


def _readings(first: str, last: str) -> Iterator[tuple[str, int, int]]:
    """(kind of sequence, index of the first, index of the last) for every sequence two parts can be the ends of."""
    for kind in ("roman", "letter", "number", "low", "greek", "greek word", "sign"):
        start, end = _place(kind, first), _place(kind, last)
        same = kind != "letter" or (
            len(first) == len(last) and first[:-1] == last[:-1] and first.isupper() == last.isupper()
        )
        if start is not None and end is not None and start < end and same:
            yield kind, start, end


def _place(kind: str, part: str) -> int | None:
    core = part.strip("()-" + HYPHENS)
    if kind == "roman":
        return _roman_value(core) if core and ROMAN.fullmatch(core) else None
    if kind == "letter":
        return ord(core[-1]) if core.isascii() and core.isalpha() else None
    if kind == "number":
        return int(core) if core.isascii() and core.isdigit() else None
    if kind == "low":
        return int(core.translate(_HIGHER)) if core and all(digit in LOW_DIGITS for digit in core) else None
    order: str | list[str] = {"greek": GREEK, "sign": ROMAN_SIGNS}.get(kind) or GREEK_WORDS
    return order.index(core) if core and core in order and (kind == "greek word" or len(core) == 1) else None


def _write(kind: str, part: str, index: int) -> str:
    core = part.strip("()-" + HYPHENS)
    if kind == "roman":
        return _to_roman(index)
    if kind == "letter":
        return core[:-1] + chr(index)
    if kind == "number":
        return part.replace(core, str(index))
    if kind == "low":
        return "".join(LOW_DIGITS[int(digit)] for digit in str(index))
    return ({"greek": GREEK, "sign": ROMAN_SIGNS}.get(kind) or GREEK_WORDS)[index]


def _roman_value(numeral: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in numeral]
    return sum(-v if v < max(values[n:]) else v for n, v in enumerate(values))


def _to_roman(number: int) -> str:
    result = ""
    for value, numeral in ((50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I")):
        while number >= value:
            result += numeral
            number -= value
    return result
