"""Read the list of suffixes after a head: "A, B and D-F", "I-III", "A1 (2), A2 (3)", "Rb(1), Rc", "LR, -RR".

    list      := member (separator member)*
    member    := suffix | suffix [numbering] dash suffix        each with asides: "(1-3)", ", 5", "(BmcA, 6)"
    suffix    := letters [small letter] [number] [letter] [primes] | number [letter] | Greek | one small letter

Compound numbers and other asides are told from suffixes and passed over. What a range runs over is the one part in
which its ends differ: "A1-A5", "D1a-D1c", "B-1 to B-4", "IIA-IIC".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from abroad.text.characters import GREEK, HYPHENS, PRIMES, SPACE, bracket_end
from abroad.text.name_words import is_ordinary

MOST_LABELS = 200
"""Labels one list may give; the rest is counted, not made."""

_GREEK_WORDS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi "
    "psi omega"
).split()
GREEK_WORD = "|".join(word for word in _GREEK_WORDS if len(word) > 2)
_ROMAN_SIGNS = "ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ"
_LOW_DIGITS = "₀₁₂₃₄₅₆₇₈₉"
_ROMAN = re.compile(r"(?=[IVXL])(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_ROMAN_WITH_LETTER = re.compile(r"([IVX]{2,6})([A-HJ-UWYZ])")
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}

_SUFFIX = re.compile(
    rf"(?:(?P<letters>[A-Z]{{1,7}}|[{_ROMAN_SIGNS}])(?P<small>[a-z]?)"
    rf"(?P<number>[{HYPHENS}]?\d{{1,4}}|[{_LOW_DIGITS}]{{1,3}}|)(?P<bracket>\(\d{{1,4}}\)|)"
    rf"(?P<tail>[A-Za-z{GREEK}]?)(?P<primes>[{PRIMES}]{{0,3}})"
    rf"|(?P<digits>\d{{1,4}})(?P<digit_tail>[A-Za-z]?)(?P<digit_primes>[{PRIMES}]{{0,2}})"
    rf"|(?P<greek_word>{GREEK_WORD})|(?P<greek>[{GREEK}])(?P<greek_number>\d{{0,2}})"
    rf"|(?P<lower>[a-z])(?P<lower_number>\d{{0,2}})(?P<lower_primes>[{PRIMES}]{{0,2}}))"
)
# After a suffix: no more of a word, no part of a longer name ("A-type", "D-glucose"), no genus ("B. cereus").
_NO_END = re.compile(
    rf"[^\W_]|[{PRIMES}]|[{HYPHENS}](?:[a-z]{{3}}|[A-Z][a-z]{{2}})|\.[A-Za-z\d]|\.{SPACE}[a-z]|%"
)
_WORD_GOES_ON = re.compile(rf"[{HYPHENS}][^\W_]")  # unless it is the dash of a range
_MORE_LOCANTS = re.compile(rf"[{HYPHENS}][A-Za-z(][\w{HYPHENS}]")  # "7-O-": a number within a systematic name
# Functional class nomenclature derives a name from that of its parent: "K-diacetate", "C1-amide", "A methyl ester".
_DERIVED = re.compile(
    rf"(?:[{HYPHENS}](?:\d[\w,{PRIMES}]{{0,9}}[{HYPHENS}])?(?:[a-z]{{2,12}}yl[ {HYPHENS}])?"
    rf"[a-z]{{0,12}}(?:ate|ester|ether|amide|ide)|{SPACE}[a-z]{{2,12}}yl{SPACE}(?:ester|ether))(?![^\W_])"
)
_COMPOUND = rf"(?:\d{{1,5}}[{PRIMES}]?{SPACE}?[a-z]?|[IVX]{{1,5}})(?!\w)"
_NUMBERS = re.compile(
    rf"{SPACE}*+[(\[]{SPACE}*+(?:[a-z]{{3,12}}{SPACE}++)?"
    rf"(?:{_COMPOUND}(?:[{HYPHENS}~,;&]|{SPACE}|and\b|to\b)*+){{0,200}}[)\]]"
)
_LOOSE_NUMBER = re.compile(rf",?{SPACE}\d{{1,3}}[a-z]?(?=,|[;)\]]|{SPACE}(?:and|or|&){SPACE})")
_DASH = re.compile(rf"{SPACE}?(?:[{HYPHENS}]{{1,2}}|[~∼～]){SPACE}?|{SPACE}+(?:to|through|till){SPACE}+", re.IGNORECASE)
_CONJUNCTION = rf"(?:and/or|and|or|&|plus|as{SPACE}well{SPACE}as)"
SEPARATOR = re.compile(
    rf"{SPACE}*(?:[,;]{SPACE}*(?:{_CONJUNCTION}{SPACE}+)?|{SPACE}{_CONJUNCTION}{SPACE}+|[/&]{SPACE}*)", re.IGNORECASE
)
_MOST_CAPITALS = 4
_LONGEST_ASIDE = 150  # characters
_LONGEST_NUMERALS = 25  # "I-L" runs over four letters rather than fifty numerals


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
    """

    labels: list[str] = field(default_factory=list)
    spans: tuple[tuple[int, int], ...] = ()
    end: int = 0
    kind: str = ""
    has_range: bool = False
    numbered: bool = False
    capped: int = 0
    abridged: bool = False


@dataclass(frozen=True)
class _Suffix:
    """A suffix in parts, so that two can be compared part by part.

    Attributes:
        parts: text of each; those of a kind stand at one place in all suffixes of that kind.
        bracket: offset of a bracketed number that may be a subscript or the number of a compound, or 0.
        derived: "-diacetate" of "K-diacetate".
    """

    kind: str
    parts: tuple[str, ...]
    start: int
    end: int
    bracket: int = 0
    derived: str = ""

    @property
    def label(self) -> str:
        return "".join(self.parts).replace("(", "").replace(")", "") + self.derived

    @property
    def is_acronym(self) -> bool:
        """Several capitals that are neither a numeral nor one letter doubled: "LR", "KB906"."""
        letters = self.parts[0]
        return self.kind == "capital" and len(set(letters)) > 1 and not _ROMAN.fullmatch(letters)

    def goes_on_with(self, suffix: _Suffix) -> bool:
        """Whether a suffix may stand in the list that this one begins: kinds stay, and "LR" or a code follows no "A"."""
        if self.kind != suffix.kind:
            return False
        return not suffix.is_acronym or (self.is_acronym and bool(self.parts[2]) == bool(suffix.parts[2]))


@dataclass
class _Member:
    """One suffix or range of a list.

    Attributes:
        count: how many compound numbers stand after it.
        abridged: whether the end of the range was completed from its beginning.
    """

    first: _Suffix
    last: _Suffix | None = None
    count: int = 0
    abridged: bool = False


def parse_suffixes(text: str, position: int) -> SuffixList | None:
    """Read a list of suffixes that starts at `position`; None if there is none."""
    first = _suffix(text, position)
    if first is None:
        return None
    result = SuffixList(kind=first.kind)
    members: list[_Member] = []
    suffix: _Suffix | None = first
    while suffix is not None and first.goes_on_with(suffix):
        member, end = _member(text, suffix, result)
        if member is None:
            break
        members.append(member)
        result.end = end
        separator = SEPARATOR.match(text, _after_aside(text, end))
        suffix = _suffix(text, separator.end()) if separator else None
    if not members:
        return None
    result.has_range = any(member.last is not None for member in members)
    result.abridged = len(members) == 1 and members[0].abridged
    _settle_brackets(members, result)
    _label(members, result)
    return result


def _member(text: str, suffix: _Suffix, result: SuffixList) -> tuple[_Member | None, int]:
    """(the member that a suffix begins, offset after it and its asides); None for the start of a longer word."""
    member = _Member(suffix)
    end = _take_asides(text, suffix, member, result)
    if (dash := _DASH.match(text, end)) and (last := _suffix(text, dash.end(), hyphen=False)):
        one, other = _range_ends(suffix, last)
        if _runs_over(one, other) is not None and not _WORD_GOES_ON.match(text, other.end):
            member = _Member(one, other, abridged=other.parts != last.parts)
            return member, _take_asides(text, other, member, result)
    return (None, end) if _WORD_GOES_ON.match(text, suffix.end) else (member, end)


def _suffix(text: str, position: int, hyphen: bool = True) -> _Suffix | None:
    """The suffix at a place; one hyphen may stand before it, as in "ginsenosides-Rb1, -Rd"."""
    if hyphen and re.match(rf"[{HYPHENS}]", text[position : position + 1]):
        position += 1
    match = _SUFFIX.match(text, position)
    if match is None:
        return None
    end, derived = match.end(), ""
    if found := None if match["digits"] else _DERIVED.match(text, end):
        end, derived = found.end(), found[0]
    elif text.startswith("(", end):
        if not _NUMBERS.match(text, end):
            return None
    elif _NO_END.match(text, end) or (match["digits"] and _MORE_LOCANTS.match(text, end)):
        return None
    kind, parts = _parts(match)
    bracket = match.start("bracket") if match["bracket"] else 0
    return _Suffix(kind, parts, match.start(), end, bracket, derived) if parts else None


def _parts(match: re.Match[str]) -> tuple[str, tuple[str, ...]]:
    """(kind, parts) of a suffix; no parts if it is none."""
    if match["digits"]:
        return "number", (match["digits"], match["digit_tail"], match["digit_primes"])
    if match["greek"]:
        return "greek", (match["greek"], match["greek_number"])
    if match["greek_word"]:
        return "greek", (match["greek_word"], "")
    if match["lower"]:
        return "lower", (match["lower"], match["lower_number"], match["lower_primes"])
    letters, small, tail = match["letters"], match["small"], match["tail"]
    alone = not match["number"] and not match["bracket"]
    if alone and not small and not tail and (numeral := _ROMAN_WITH_LETTER.fullmatch(letters)):
        letters, tail = numeral[1], numeral[2]
    word = alone and small and (tail.isascii() and tail or (len(letters) == 1 and is_ordinary(letters + small)))
    if word or (len(letters) > _MOST_CAPITALS and not _ROMAN.fullmatch(letters)):
        return "capital", ()  # "Two", "In", "HPLCMS"
    return "capital", (letters, small, match["number"], match["bracket"], tail, match["primes"])


# ---- numbers of compounds and other asides


def _take_asides(text: str, suffix: _Suffix, member: _Member, result: SuffixList) -> int:
    """Offset after the compound numbers that follow a suffix."""
    end = suffix.end
    while True:
        numbers = _NUMBERS.match(text, end)
        if numbers is None and suffix.kind != "number":
            numbers = _LOOSE_NUMBER.match(text, end)
        if numbers is None:
            break
        result.numbered, member.count, end = True, _count(numbers[0]), numbers.end()
    after = _after_aside(text, end)
    if after > end and (
        (numbers := _NUMBERS.match(text, after))  # "A [(22E)-ergosta-7,22-dien-3-ol] (1)"
        or _continues_in(text, suffix, after)
    ):
        end = numbers.end() if numbers else after
        result.numbered |= numbers is not None
    return end


def _continues_in(text: str, suffix: _Suffix, position: int) -> bool:
    """Whether the list goes on after a place, so that what stands before it is no more than an aside."""
    separator = SEPARATOR.match(text, position) or _DASH.match(text, position)
    following = _suffix(text, separator.end()) if separator else None
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
            member.first = _without_bracket(member.first)
        if member.last is not None and member.last.bracket:
            member.last = _without_bracket(member.last)
    result.numbered = True


def _without_bracket(suffix: _Suffix) -> _Suffix:
    return replace(suffix, parts=(*suffix.parts[:3], "", *suffix.parts[4:]), end=suffix.bracket, bracket=0)


# ---- ranges


def _range_ends(first: _Suffix, last: _Suffix) -> tuple[_Suffix, _Suffix]:
    """The ends as they are meant: what the last leaves out is added, numbers of compounds are left out."""
    last = _completed(first, last)
    if last.kind == "capital" and last.parts[5] and not first.parts[-1]:  # the prime is a quote: "'fictins A-C'"
        last = replace(last, parts=(*last.parts[:5], ""), end=last.end - len(last.parts[5]))
    if first.bracket and last.bracket and _runs_over(first, last) is None:
        bare = _without_bracket(first), _without_bracket(last)
        if _runs_over(*bare) is not None:
            return bare[0], replace(bare[1], end=last.end)
    return first, last


def _completed(first: _Suffix, last: _Suffix) -> _Suffix:
    """The end of a range with what it leaves out: "A1-3" is "A1-A3", "Ia-c" is "Ia-Ic"."""
    given = [part for part in last.parts if part]
    if len(given) != 1 or len([part for part in first.parts if part]) < 2:
        return last
    places = [place for place, part in enumerate(first.parts) if part]
    old = first.parts[places[-1]]
    new = _dressed(old, given[0])
    if new is None:
        return last
    return replace(first, parts=(*first.parts[: places[-1]], new, *first.parts[places[-1] + 1 :]), start=last.start, end=last.end)


def _dressed(old: str, new: str) -> str | None:
    """A part like the old one: with its hyphen or its brackets; None if it is of another sort."""
    core = old.strip("()-" + HYPHENS)
    if core.isdigit() == new.isdigit() and core.isupper() == new.isupper() and core.islower() == new.islower():
        return old.replace(core, new) if core else None
    return None


def _runs_over(first: _Suffix, last: _Suffix) -> int | None:
    """The one part in which the ends of a range differ; None if they do not span one."""
    if first.kind != last.kind or first.derived:
        return None
    places = [place for place, (one, other) in enumerate(zip(first.parts, last.parts, strict=True)) if one != other]
    if len(places) != 1:
        return None
    return places[0] if any(True for _ in _readings(first.parts[places[0]], last.parts[places[0]])) else None


def _readings(first: str, last: str) -> Iterator[tuple[str, int, int]]:
    """(kind of sequence, place of the first, place of the last) for every sequence two parts can be the ends of."""
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
        return _roman_value(core) if core and _ROMAN.fullmatch(core) else None
    if kind == "letter":
        return ord(core[-1]) if core.isascii() and core.isalpha() else None
    if kind == "number":
        return int(core) if core.isascii() and core.isdigit() else None
    if kind == "low":
        return int(core) if core and all(digit in _LOW_DIGITS for digit in core) else None
    order: str | list[str] = {"greek": GREEK, "sign": _ROMAN_SIGNS}.get(kind) or _GREEK_WORDS
    return order.index(core) if core and core in order and (kind == "greek word" or len(core) == 1) else None


def _write(kind: str, part: str, place: int) -> str:
    core = part.strip("()-" + HYPHENS)
    if kind == "roman":
        return _to_roman(place)
    if kind == "letter":
        return core[:-1] + chr(place)
    if kind == "number":
        return part.replace(core, str(place))
    if kind == "low":
        return "".join(_LOW_DIGITS[int(digit)] for digit in str(place))
    return ({"greek": GREEK, "sign": _ROMAN_SIGNS}.get(kind) or _GREEK_WORDS)[place]


def _label(members: list[_Member], result: SuffixList) -> None:
    """Write every suffix of the members, each once."""
    spans: dict[str, tuple[int, int]] = {}
    letters = any(_is_plain_letter(s) for m in members for s in (m.first, m.last) if s is not None)
    for member in members:
        labels, span = [member.first.label], (member.first.start, member.first.end)
        if member.last is not None:
            labels, dropped = _between(member, letters)
            span = (member.first.start, member.last.end)
            result.capped += dropped
        for label in labels:
            if label in spans:
                continue
            if len(spans) < MOST_LABELS:
                spans[label] = span
            else:
                result.capped += 1
    result.labels, result.spans = list(spans), tuple(spans.values())


def _is_plain_letter(suffix: _Suffix) -> bool:
    """Whether it is a letter and no Roman numeral: then so are the others of its list."""
    return suffix.kind == "capital" and len(suffix.parts[0]) == 1 and not _ROMAN.fullmatch(suffix.parts[0])


def _between(member: _Member, letters: bool) -> tuple[list[str], int]:
    """(the labels of a range, how many were too many)."""
    first, last = member.first, member.last
    assert last is not None
    place = _runs_over(first, last)
    if place is None:
        return [first.label, last.label], 0
    part = first.parts[place]
    readings = list(_readings(part, last.parts[place]))
    # "I-V" may be five numerals or fourteen letters: as many as there are compound numbers, or else numerals.
    agreeing = [reading for reading in readings if reading[2] - reading[1] + 1 == member.count]
    if not agreeing and (letters or readings[0][2] - readings[0][1] > _LONGEST_NUMERALS):
        agreeing = [reading for reading in readings if reading[0] == "letter"]
    kind, start, end = (agreeing or readings)[0]
    count = min(end - start + 1, MOST_LABELS)
    labels = []
    for number in range(start, start + count):
        parts = (*first.parts[:place], _write(kind, part, number), *first.parts[place + 1 :])
        labels.append(replace(first, parts=parts).label)
    return labels, end - start + 1 - count


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
