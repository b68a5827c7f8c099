"""One suffix of a congener's name: "A", "Rb1", "IIA", "LR", "C1-amide", "D1a", "Cα", "A(1)", "3B", "e".

suffix := letters [small letter] [number] [letter] [primes] | number [letter] | Greek | one small letter
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from abroad.text.name_characters import GREEK, HYPHENS, PRIMES, SPACE
from abroad.text.name_words import is_ordinary

GREEK_WORDS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi "
    "psi omega"
).split()
GREEK_WORD = "|".join(word for word in GREEK_WORDS if len(word) > 2)
ROMAN_SIGNS = "ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ"
LOW_DIGITS = "₀₁₂₃₄₅₆₇₈₉"
ROMAN = re.compile(r"(?=[IVXL])(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})")
_ROMAN_WITH_LETTER = re.compile(r"([IVX]{2,6})([A-HJ-UWYZ])")

_SUFFIX = re.compile(
    rf"(?:(?P<letters>[A-Z]{{1,7}}|[{ROMAN_SIGNS}])(?P<small>[a-z]?)"
    rf"(?P<number>[{HYPHENS}]?\d{{1,4}}|[{LOW_DIGITS}]{{1,3}}|)(?P<bracket>\(\d{{1,4}}\)|)"
    rf"(?P<tail>[A-Za-z{GREEK}]?)(?P<primes>[{PRIMES}]{{0,3}})"
    rf"|(?P<digits>\d{{1,4}})(?P<digit_tail>[A-Za-z]?)(?P<digit_primes>[{PRIMES}]{{0,2}})"
    rf"|(?P<greek_word>{GREEK_WORD})|(?P<greek>[{GREEK}])(?P<greek_number>\d{{0,2}})"
    rf"|(?P<lower>[a-z])(?P<lower_number>\d{{0,2}})(?P<lower_primes>[{PRIMES}]{{0,2}}))"
)
# After a suffix: no more of a word, no part of a longer name ("A-type", "D-glucose"), no genus ("B. cereus").
_NO_END = re.compile(rf"[^\W_]|[{PRIMES}]|[{HYPHENS}](?:[a-z]{{3}}|[A-Z][a-z]{{2}})|\.[A-Za-z\d]|\.{SPACE}[a-z]|%")
WORD_GOES_ON = re.compile(rf"[{HYPHENS}][^\W_]")  # unless it is the dash of a range
_MORE_LOCANTS = re.compile(rf"[{HYPHENS}][A-Za-z(][\w{HYPHENS}]")  # "7-O-": a number within a systematic name
# Functional class nomenclature derives a name from that of its parent: "K-diacetate", "C1-amide", "A methyl ester".
_DERIVED = re.compile(
    rf"(?:[{HYPHENS}](?:\d[\w,{PRIMES}]{{0,9}}[{HYPHENS}])?(?:[a-z]{{2,12}}yl[ {HYPHENS}])?"
    rf"[a-z]{{0,12}}(?:ate|ester|ether|amide|ide)|{SPACE}[a-z]{{2,12}}yl{SPACE}(?:ester|ether))(?![^\W_])"
)
_COMPOUND = rf"(?:\d{{1,5}}[{PRIMES}]?{SPACE}?[a-z]?|[IVX]{{1,5}})(?!\w)"
NUMBERS = re.compile(
    rf"{SPACE}*+[(\[]{SPACE}*+(?:[a-z]{{3,12}}{SPACE}++)?"
    rf"(?:{_COMPOUND}(?:[{HYPHENS}~,;&]|{SPACE}|and\b|to\b)*+){{0,200}}[)\]]"
)
_MAX_CAPITALS = 4


@dataclass(frozen=True)
class Suffix:
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
        return self.kind == "capital" and len(set(letters)) > 1 and not ROMAN.fullmatch(letters)

    def goes_on_with(self, suffix: Suffix) -> bool:
        """Whether a suffix may stand in the list that this one begins: kinds stay, and no "LR" follows "A"."""
        if self.kind != suffix.kind:
            return False
        return not suffix.is_acronym or (self.is_acronym and bool(self.parts[2]) == bool(suffix.parts[2]))


def read_suffix(text: str, position: int, hyphen: bool = True) -> Suffix | None:
    """The suffix at a place; one hyphen may stand before it, as in "ginsenosides-Rb1, -Rd"."""
    if hyphen and re.match(rf"[{HYPHENS}]", text[position : position + 1]):
        position += 1
    hyphened = re.match(rf"[{HYPHENS}]", text[max(position - 1, 0) : position]) is not None
    match = _SUFFIX.match(text, position)
    if match is None:
        return None
    end, derived = match.end(), ""
    if found := None if match["digits"] else _DERIVED.match(text, end):
        end, derived = found.end(), found[0]
    elif text.startswith("(", end):
        if not NUMBERS.match(text, end):
            return None
    elif _NO_END.match(text, end) or (match["digits"] and _MORE_LOCANTS.match(text, end)):
        return None
    kind, parts = _parts(match, hyphened)
    bracket = match.start("bracket") if match["bracket"] else 0
    return Suffix(kind, parts, match.start(), end, bracket, derived) if parts else None


def _parts(match: re.Match[str], hyphened: bool) -> tuple[str, tuple[str, ...]]:
    """(kind, parts) of a suffix; no parts if it is none. After a hyphen it may be a code such as "Har" or "Leu"."""
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
    code = hyphened and len(letters) == 1 and tail.islower() and not is_ordinary(letters + small + tail)
    other_word = tail.isascii() and tail and not code
    word = alone and small and (other_word or (len(letters) == 1 and is_ordinary(letters + small)))
    if word or (len(letters) > _MAX_CAPITALS and not ROMAN.fullmatch(letters)):
        return "capital", ()  # "Two", "In", "HPLCMS"
    return "capital", (letters, small, match["number"], match["bracket"], tail, match["primes"])


def without_bracket(suffix: Suffix) -> Suffix:
    """The suffix, its bracketed number taken for that of a compound."""
    return replace(suffix, parts=(*suffix.parts[:3], "", *suffix.parts[4:]), end=suffix.bracket, bracket=0)
