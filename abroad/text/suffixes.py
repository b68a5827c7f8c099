"""Read the list of suffixes after a head: "A, B and D-F", "I-III", "A1 (2), A2 (3)", "Rb(1), Rc", "LR, -RR".

    list      := member (separator member)*
    member    := suffix | suffix [numbering] dash suffix        each with asides: "(1-3)", ", 5", "(BmcA, 6)"

Compound numbers and other asides are told from suffixes and passed over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from abroad.text.name_characters import HYPHENS, SPACE, bracket_end
from abroad.text.suffix import NUMBERS, ROMAN, WORD_GOES_ON, Suffix, read_suffix, without_bracket
from abroad.text.suffix_ranges import MAX_LABELS, between, range_ends, runs_over

_LOOSE_NUMBER = re.compile(rf",?{SPACE}\d{{1,3}}[a-z]?(?=,|[;)\]]|{SPACE}(?:and|or|&){SPACE})")
_DASH = re.compile(rf"{SPACE}?(?:[{HYPHENS}]{{1,2}}|[~∼～]){SPACE}?|{SPACE}+(?:to|through|till){SPACE}+", re.IGNORECASE)
_CONJUNCTION = rf"(?:and/or|and|or|&|plus|as{SPACE}well{SPACE}as)"
SEPARATOR = re.compile(
    rf"{SPACE}*(?:[,;]{SPACE}*(?:{_CONJUNCTION}{SPACE}+)?|{SPACE}{_CONJUNCTION}{SPACE}+|[/&]{SPACE}*)", re.IGNORECASE
)
_LONGEST_ASIDE = 150  # characters


@dataclass
class SuffixList:
    """The suffixes of one list.

    Attributes:
        labels: the suffixes as they stand in names; distinct, in order.
        spans: where each is named.
        end: offset after the list, its numbering included.
        kind: "capital", "lower", "number" or "greek", of the first suffix.
        has_range: whether some are named by a range.
        numbered: whether compound numbers stand beside them.
        capped: how many were left out.
        abridged: whether the list is one range whose end is abridged: "A1-3".
        hyphened: whether each but the first has a hyphen before it: "1, -2 and -3".
    """

    labels: list[str] = field(default_factory=list)
    spans: tuple[tuple[int, int], ...] = ()
    end: int = 0
    kind: str = ""
    has_range: bool = False
    numbered: bool = False
    capped: int = 0
    abridged: bool = False
    hyphened: bool = False


@dataclass
class _Member:
    """One suffix or range of a list.

    Attributes:
        count: how many compound numbers stand after it.
        abridged: whether the end of the range was completed from its beginning.
    """

    first: Suffix
    last: Suffix | None = None
    count: int = 0
    abridged: bool = False


def parse_suffixes(text: str, position: int) -> SuffixList | None:
    """Read a list of suffixes that starts at `position`; None if there is none."""
    first = read_suffix(text, position)
    if first is None:
        return None
    result = SuffixList(kind=first.kind)
    members: list[_Member] = []
    suffix: Suffix | None = first
    while suffix is not None and first.goes_on_with(suffix):
        member, end = _member(text, suffix, result)
        if member is None:
            break
        members.append(member)
        result.end = end
        separator = SEPARATOR.match(text, _after_aside(text, end))
        suffix = read_suffix(text, separator.end()) if separator else None
    if not members:
        return None
    result.has_range = any(member.last is not None for member in members)
    result.abridged = len(members) == 1 and members[0].abridged
    result.hyphened = len(members) > 1 and all(_has_hyphen(text, member.first) for member in members[1:])
    _settle_brackets(members, result)
    _label(members, result)
    return result


def _has_hyphen(text: str, suffix: Suffix) -> bool:
    return re.match(rf"[{HYPHENS}]", text[suffix.start - 1 : suffix.start]) is not None


def _member(text: str, suffix: Suffix, result: SuffixList) -> tuple[_Member | None, int]:
    """(the member that a suffix begins, offset after it and its asides); None for the start of a longer word."""
    member = _Member(suffix)
    end = _take_asides(text, suffix, member, result)
    if (dash := _DASH.match(text, end)) and (last := read_suffix(text, dash.end(), hyphen=False)):
        one, other = range_ends(suffix, last)
        if runs_over(one, other) is not None and not WORD_GOES_ON.match(text, other.end):
            member = _Member(one, other, abridged=other.parts != last.parts)
            return member, _take_asides(text, other, member, result)
    return (None, end) if WORD_GOES_ON.match(text, suffix.end) else (member, end)


def _take_asides(text: str, suffix: Suffix, member: _Member, result: SuffixList) -> int:
    """Offset after the compound numbers that follow a suffix."""
    end = suffix.end
    while True:
        numbers = NUMBERS.match(text, end)
        if numbers is None and suffix.kind != "number":
            numbers = _LOOSE_NUMBER.match(text, end)
        if numbers is None:
            break
        result.numbered, member.count, end = True, _count(numbers[0]), numbers.end()
    after = _after_aside(text, end)
    if after > end and (
        (numbers := NUMBERS.match(text, after))  # "A [(22E)-ergosta-7,22-dien-3-ol] (1)"
        or _continues_in(text, suffix, after)
    ):
        end = numbers.end() if numbers else after
        result.numbered |= numbers is not None
    return end


def _continues_in(text: str, suffix: Suffix, position: int) -> bool:
    """Whether the list goes on after a place, so that what stands before it is no more than an aside."""
    separator = SEPARATOR.match(text, position) or _DASH.match(text, position)
    following = read_suffix(text, separator.end()) if separator else None
    return following is not None and suffix.goes_on_with(following)


def _after_aside(text: str, position: int) -> int:
    """Offset after a bracket, whatever it holds; the place itself if there is none."""
    start = position
    while re.match(SPACE, text[start : start + 1]):
        start += 1
    if start - position > 3 or text[start : start + 1] not in ("(", "["):
        return position
    return bracket_end(text, start, _LONGEST_ASIDE) or position


def _count(numbers: str) -> int:
    """How many compounds "(1-3, 5)" are."""
    total = 0
    for piece in re.split(r"[,;&]|and", numbers):
        values = [int(digits) for digits in re.findall(r"\d{1,6}", piece)]
        total += max(values[-1] - values[0] + 1, 1) if values else 0
    return total


def _settle_brackets(members: list[_Member], result: SuffixList) -> None:
    """Tell subscripts, "Rb(1), Rb(2)", from compound numbers, "A(1) and B(2)", which count up beside distinct names."""
    suffixes = [suffix for member in members for suffix in (member.first, member.last) if suffix is not None]
    bracketed = [suffix for suffix in suffixes if suffix.bracket]
    if not bracketed:
        return
    values = [int(suffix.parts[3][1:-1]) for suffix in bracketed]
    names = {(*suffix.parts[:3], *suffix.parts[4:]) for suffix in bracketed}
    counts_up = values == list(range(values[0], values[0] + len(values)))
    twice = all(suffix.parts[2] for suffix in bracketed)  # "A1(1)" has a number already
    distinct = len(names) == len(bracketed) == len(suffixes) > 1
    if result.numbered or not (twice or (counts_up and distinct)):
        return
    for member in members:
        if member.first.bracket:
            member.first = without_bracket(member.first)
        if member.last is not None and member.last.bracket:
            member.last = without_bracket(member.last)
    result.numbered = True


def _label(members: list[_Member], result: SuffixList) -> None:
    """Write every suffix of the members, each once."""
    spans: dict[str, tuple[int, int]] = {}
    letters = any(_is_plain_letter(s) for m in members for s in (m.first, m.last) if s is not None)
    for member in members:
        labels, span = [member.first.label], (member.first.start, member.first.end)
        if member.last is not None:
            labels, dropped = between(member.first, member.last, letters, member.count)
            span = (member.first.start, member.last.end)
            result.capped += dropped
        for label in labels:
            if label in spans:
                continue
            if len(spans) < MAX_LABELS:
                spans[label] = span
            else:
                result.capped += 1
    result.labels, result.spans = list(spans), tuple(spans.values())


def _is_plain_letter(suffix: Suffix) -> bool:
    """Whether it is a letter and no Roman numeral: then so are the others of its list."""
    return suffix.kind == "capital" and len(suffix.parts[0]) == 1 and not ROMAN.fullmatch(suffix.parts[0])
