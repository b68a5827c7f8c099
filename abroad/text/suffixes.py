"""Read the suffixes after a plural head: "A, B and D-F", "I-III", "A1 (2), A2 (3)", "Y(8)-Y(13)".

Compound numbers, "(1-3)" after a space, are told from suffixes and passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

MOST_LABELS = 200
"""Labels one list may give; the rest is counted, not made."""

_GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
_GREEK_WORDS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi "
    "psi omega"
).split()
GREEK_WORD = "|".join(word for word in _GREEK_WORDS if len(word) > 2)
_ROMAN = re.compile(r"(?=[IVXL])(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}

# One suffix, longest kinds first. A sub- or superscript stands in brackets without a space: Y(8).
_SUFFIX = re.compile(
    r"(?:(?P<letter_number>[A-Z])\(?(?P<number>\d{1,4})\)?(?P<tail>[a-z]?)"
    r"|(?P<roman>[IVXL]{1,7})(?P<roman_tail>[a-z]?)"
    r"|(?P<letter>[A-Z])(?P<primes>['′’]{0,2})(?P<small>[a-z]?\d{0,2})"
    r"(?P<derived>-(?:mono|di|tri|tetra|penta)?(?:acetate|sulfate|benzoate|(?:methyl|ethyl) (?:ether|ester))|)"
    rf"|(?P<greek>[{_GREEK}])|(?P<greek_word>{GREEK_WORD})"
    r"|(?P<digits>\d{1,4})(?P<digit_tail>[a-z]?))"
    r"(?![^\W_]|['′’]|-[a-z]{3}|\()"
)
_NUMBERING = re.compile(r"\s+[(\[]\s*\d+['′]?[a-z]?(?:\s*(?:[-–—,]+|and)\s*\d+['′]?[a-z]?)*\s*[)\]]")
_DASH = re.compile(r"\s?(?:-{1,2}|[–—−‐‑])\s?|\s+(?:to|through)\s+")
_COMMA = re.compile(r"\s*(?:,\s*(?:and|&)\s+|,\s*|\s+(?:and|&)\s+)")


@dataclass
class SuffixList:
    """Attributes:
    labels: the suffixes as they stand in names; distinct, in order.
    spans: where each is named.
    end: offset after the list, its numbering included.
    kind: "letter", "roman", "number", "letter-number", "greek" or "greek word", of the first suffix.
    """

    labels: list[str] = field(default_factory=list)
    spans: tuple[tuple[int, int], ...] = ()
    end: int = 0
    kind: str = ""
    has_range: bool = False
    numbered: bool = False
    capped: int = 0


@dataclass(frozen=True)
class _Item:
    text: str
    start: int
    end: int
    options: tuple[tuple[str, str, int], ...]  # (kind, what does not change, place in the sequence)


def parse_suffixes(text: str, position: int) -> SuffixList | None:
    """Read a list of suffixes that starts at `position`; None if there is none."""
    first = _item(text, position)
    if first is None:
        return None
    result = SuffixList(kind=first.options[0][0])
    spans: dict[str, tuple[int, int]] = {}
    item: _Item | None = first
    while item is not None:
        end = item.end
        made = [(item.text, (item.start, item.end))]
        dash = _DASH.match(text, end)
        last = _item(text, dash.end()) if dash else None
        if last is not None and (between := _between(item, last)) is not None:
            labels, dropped = between
            end = last.end
            made = [(label, (item.start, last.end)) for label in labels]
            result.has_range = True
            result.capped += dropped
        for label, span in made:
            if len(spans) < MOST_LABELS:
                spans.setdefault(label, span)
            else:
                result.capped += 1
        numbering = _NUMBERING.match(text, end)
        if numbering is not None:
            result.numbered = True
            end = numbering.end()
        result.end = end
        comma = _COMMA.match(text, end)
        item = (_item(text, comma.end()) or _item_after_hyphen(text, comma.end())) if comma else None
        if item is not None and not _alike(first, item):
            item = None
    result.labels, result.spans = list(spans), tuple(spans.values())
    return result


def _item(text: str, position: int) -> _Item | None:
    match = _SUFFIX.match(text, position)
    if match is None:
        return None
    options: list[tuple[str, str, int]] = []
    label = match[0]
    if match["letter_number"]:
        label = f"{match['letter_number']}{match['number']}{match['tail']}"
        options.append(("letter-number", match["letter_number"] + match["tail"], int(match["number"])))
    elif match["roman"]:
        tail = match["roman_tail"]
        if _ROMAN.fullmatch(match["roman"]):
            options.append(("roman", tail, _roman_value(match["roman"])))
        if len(match["roman"]) == 1:
            options.insert(0 if match["roman"] not in "IVX" else len(options), ("letter", tail, ord(match["roman"])))
    elif match["letter"]:
        options.append(("letter", match["primes"] + match["small"] + match["derived"], ord(match["letter"])))
    elif match["greek"]:
        options.append(("greek", "", _GREEK.index(match["greek"])))
    elif match["greek_word"]:
        options.append(("greek word", "", _GREEK_WORDS.index(label)))
    else:
        options.append(("number", match["digit_tail"], int(match["digits"])))
    return _Item(label, match.start(), match.end(), tuple(options)) if options else None


def _item_after_hyphen(text: str, position: int) -> _Item | None:
    """ "-Rd" of "ginsenosides-Rb1, -Rd"."""
    return _item(text, position + 1) if text.startswith(("-", "–"), position) else None


def _between(first: _Item, last: _Item) -> tuple[list[str], int] | None:
    """(the labels of a range, how many were too many); None if the two ends do not span one."""
    for kind, same, start in first.options:
        for other_kind, other_same, end in last.options:
            if kind == "letter-number" and other_kind == "number" and same.isupper() and start < end:
                pass  # "A1-3"
            elif kind != other_kind or same != other_same or not start < end:
                continue
            count = min(end - start + 1, MOST_LABELS)
            labels = [_write(kind, same, start + n) for n in range(count)]
            return labels, end - start + 1 - count
    return None


def _write(kind: str, same: str, place: int) -> str:
    if kind == "letter":
        return chr(place) + same
    if kind == "roman":
        return _to_roman(place) + same
    if kind == "greek":
        return _GREEK[place]
    if kind == "greek word":
        return _GREEK_WORDS[place]
    if kind == "letter-number":
        return f"{same[0]}{place}{same[1:]}"
    return f"{place}{same}"


def _alike(first: _Item, item: _Item) -> bool:
    """Whether an item goes on with the list of the first: letters go with letter-numbers, and kinds stay."""
    kinds = {kind for kind, _, _ in first.options}
    lettered = {"letter", "letter-number"}
    return any(kind in kinds or (kind in lettered and kinds & lettered) for kind, _, _ in item.options)


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
