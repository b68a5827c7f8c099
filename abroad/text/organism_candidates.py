"""What may be the name of an organism in a text: every reading, likely or not.

`abroad.text.organism_belief` says how likely each is. A genus with a lower-case word after it is read twice, as a
species and as the genus alone.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files

from abroad.text.latin_form import epithet_form, genus_form
from abroad.text.latin_parts import PARTS
from abroad.text.taxon_names import CANDIDATUS, common_names, epithets, fold, genera, higher_taxa, singular, species_of
from abroad.text.word_counts import abbreviations, word_counts

_WORD = re.compile(r"[A-Za-zÀ-ÖØ-öø-ÿ]+")
_INITIAL = re.compile(r"[A-Z][a-z]{0,3}")
_GLUED = re.compile(r"(?<=[a-z])[A-Z][a-z]{2,}$")
_UNNAMED = re.compile(r"[ \u00a0]+(?:(?:n\. ?)?spp?\b\.?|(?:species|strains?|genus)\b)")
_SURELY_UNNAMED = re.compile(r"[ \u00a0]+spp?\.")
_SPACES = (" ", "\u00a0", "\u2009", "\u202f")
_HYBRID_GAP = re.compile(r"[ \u00a0\u2009\u202f]*[×✕✖][ \u00a0\u2009\u202f]*|[ \u00a0][x][ \u00a0]")
_QUALIFIER = re.compile(r"[ \u00a0](cf|aff)\.[ \u00a0]?")
_CANDIDATUS_GAP = re.compile(r"(?:\.?[ \u00a0])[\"'“‘]?")
_MIN_EPITHET = 3
_MIN_UPPER = 4
_MIN_LOWER = 4  # letters of a genus in lower case
_LONGEST_COMMON = 5  # words
_MIN_TAIL = 3  # times a word after a hyphen was seen: then it is an ordinary one
_LATIN = 0.4  # form of an epithet nobody knows


@dataclass(frozen=True, slots=True)
class NameCandidate:
    """A reading of some words as an organism.

    Attributes:
        start: offset of the first character.
        end: offset after the last.
        label: the name.
        form: as in `OrganismMention`.
        first: number of its first word in the text.
        last: number of its last word.
        genus: its genus as NCBI would write it, "" for a common name.
        epithet: its epithet, "" if it has none.
        case: "usual", "upper", "lower" or "glued".
    """

    start: int
    end: int
    label: str
    form: str
    first: int
    last: int
    genus: str = ""
    epithet: str = ""
    case: str = "usual"


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text, letters only, with their offsets."""

    text: str
    words: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, text: str) -> Words:
        """The words of this text."""
        made = cls(text)
        for match in _WORD.finditer(text):
            made.words.append(match[0])
            made.starts.append(match.start())
            made.ends.append(match.end())
        return made

    def gap(self, number: int) -> str:
        """What stands between a word and the next one; "" after the last."""
        return self.text[self.ends[number] : self.starts[number + 1]] if number + 1 < len(self.words) else ""

    def character(self, position: int) -> str:
        """The character there, "" outside of the text."""
        return self.text[position] if 0 <= position < len(self.text) else ""


def candidates(words: Words) -> list[NameCandidate]:
    """Every reading, in the order of their first words."""
    found: list[NameCandidate] = []
    common, first_words = _common_index()
    known_genera, known_higher = genera(), higher_taxa()
    for number, word in enumerate(words.words):
        if word[0].isupper():
            found += _capitalised(words, number, word, known_genera, known_higher)
        elif len(word) >= _MIN_LOWER:
            if not word.islower():
                found += _glued(words, number, word)
            elif word.capitalize() in known_genera:
                found += _lower_case(words, number, word)
        lower = word.lower()
        if lower in first_words or _singular_in(lower):
            found += _common(words, number, lower, common, first_words.get(lower, 1))
    return found


def _capitalised(
    words: Words, number: int, word: str, known_genera: frozenset[str], known_higher: frozenset[str]
) -> Iterator[NameCandidate]:
    if len(word) <= 4 and _INITIAL.fullmatch(word):
        yield from _abbreviated(words, number, word)
    if word.isupper():
        if len(word) >= _MIN_UPPER:
            yield from _upper_case(words, number, word, known_genera)
        return
    if len(word) < 3 or not word[1:].islower():
        if word == "Ca":
            yield from _candidatus(words, number)
        elif glued := _GLUED.search(word):
            yield from _named(words, number, glued[0], words.starts[number] + glued.start(), "glued")
        return
    if word == "Candidatus":
        yield from _candidatus(words, number)
        return
    plain = fold(word)
    if plain in known_genera or _joined_genus(words, number, word):
        yield from _named(words, number, word, words.starts[number], "usual")
    elif plain in known_higher:
        yield NameCandidate(words.starts[number], words.ends[number], word, "higher", number, number, plain)
    elif genus_form(plain) > 0:
        yield from _unknown_genus(words, number, word)


def _joined_genus(words: Words, number: int, word: str) -> bool:
    return (
        words.gap(number) == "-"
        and words.words[number + 1].islower()
        and f"{word}-{words.words[number + 1]}" in genera()
    )


def _glued(words: Words, number: int, word: str) -> Iterator[NameCandidate]:
    glued = _GLUED.search(word)
    if glued and glued[0] in genera():
        yield from _named(words, number, glued[0], words.starts[number] + glued.start(), "glued")


def _named(words: Words, number: int, word: str, start: int, case: str) -> Iterator[NameCandidate]:
    """A known genus: alone, without a species, and with the epithet after it."""
    last = number
    if _joined_genus(words, number, word):
        last = number + 1
        word = f"{word}-{words.words[last]}"
    genus, end = fold(word), words.ends[last]
    form = "unnamed" if _UNNAMED.match(words.text, end) else "genus"
    yield NameCandidate(start, end, word, form, number, last, genus, case=case)
    if form == "genus":
        yield from _species(words, number, last, start, word, case)


def _species(words: Words, number: int, last: int, start: int, word: str, case: str) -> Iterator[NameCandidate]:
    gap, following, genus = words.gap(last), last + 1, fold(word)
    if following >= len(words.words):
        return
    if gap in _SPACES and words.words[following] in ("cf", "aff"):
        if _QUALIFIER.match(words.text, words.ends[last]) and (read := _epithet(words, following + 1, genus)):
            epithet, end_word = read
            label = f"{word} {words.words[following]}. {epithet}"
            yield NameCandidate(start, words.ends[end_word], label, "binomial", number, end_word, genus, epithet, case)
        return
    if gap not in _SPACES:
        if _HYBRID_GAP.fullmatch(gap):
            pass
        elif gap == " (" and words.gap(following) == ") " and words.words[following][1:].islower():
            following += 1
        else:
            return
    hybrid = gap not in _SPACES and "(" not in gap
    if words.words[following] == "x" and gap in _SPACES and words.gap(following) in _SPACES:
        following, hybrid = following + 1, True
    read = _epithet(words, following, genus)
    if read is None and words.words[following].lower() in species_of(genus):
        read = words.words[following].lower(), following  # "Aspergillus Niger"
    if read:
        epithet, end_word = read
        label = f"{word} × {epithet}" if hybrid else f"{word} {epithet}"
        form = "hybrid" if hybrid else "binomial"
        yield NameCandidate(start, words.ends[end_word], label, form, number, end_word, genus, epithet, case)


def _epithet(words: Words, number: int, genus: str) -> tuple[str, int] | None:
    """The epithet that begins with this word, and the number of its last word.

    A part of a plant is none ("Panax radix"), unless a species of the genus has that name. A word after a hyphen
    belongs to the epithet ("pseudo-ginseng") unless it is an ordinary one ("albicans-infected").
    """
    if number >= len(words.words):
        return None
    first = words.words[number]
    if len(first) < _MIN_EPITHET or not first.islower() or words.character(words.starts[number] - 1).isdigit():
        return None
    if first in PARTS and first not in species_of(genus):
        return None
    last, whole = number, first
    while words.gap(last) == "-" and words.words[last + 1].islower():
        last += 1
        whole += "-" + words.words[last]
    if last == number:
        joined = words.character(words.ends[number]) in ("-", "'", "’") and words.gap(number)[:1] != "-"
        return None if joined else (first, number)
    own, tail = species_of(genus), words.words[last]
    if whole in own or whole in epithets() or whole.replace("-", "") in own or tail in own:
        return whole, last
    if is_ordinary(tail):
        return (first, number) if _known_epithet(first, genus) else None
    return (whole, last) if _known_epithet(tail, genus) else (first, number)


def _known_epithet(word: str, genus: str) -> bool:
    return word in species_of(genus) or word in epithets() or (epithet_form(word) > _LATIN and not is_ordinary(word))


@lru_cache(maxsize=1 << 14)
def is_ordinary(word: str) -> bool:
    """Whether a word in lower case is one of the language rather than an epithet, by how it stands in abstracts."""
    counts = word_counts(word)
    ordinary = counts.ordinary + counts.plain
    if ordinary < _MIN_TAIL:
        return word not in epithets() and epithet_form(word) < 0
    return ordinary > counts.after + counts.italic


def _unknown_genus(words: Words, number: int, word: str) -> Iterator[NameCandidate]:
    """A capitalised word of Latin form that no list has: with "sp.", or with an epithet that one has."""
    start, end = words.starts[number], words.ends[number]
    if _SURELY_UNNAMED.match(words.text, end):
        yield NameCandidate(start, end, word, "unnamed", number, number, fold(word))
    elif number + 1 < len(words.words) and words.gap(number) in _SPACES and words.words[number + 1] in epithets():
        last, epithet = number + 1, words.words[number + 1]
        if words.character(words.ends[last]) != "-":
            end = words.ends[last]
            yield NameCandidate(start, end, f"{word} {epithet}", "binomial", number, last, fold(word), epithet)


def _upper_case(words: Words, number: int, word: str, known_genera: frozenset[str]) -> Iterator[NameCandidate]:
    """ "EUPATORIUM CANNABINUM", as old records have it."""
    genus, start = word.capitalize(), words.starts[number]
    if genus not in known_genera:
        return
    if words.gap(number) in _SPACES and words.words[number + 1].isupper():
        epithet = words.words[number + 1].lower()
        if epithet in epithets() or epithet in species_of(genus):
            end, last = words.ends[number + 1], number + 1
            yield NameCandidate(start, end, f"{genus} {epithet}", "binomial", number, last, genus, epithet, "upper")
    yield NameCandidate(start, words.ends[number], genus, "genus", number, number, genus, case="upper")


def _lower_case(words: Words, number: int, word: str) -> Iterator[NameCandidate]:
    """ "didemnum chartaceum": a genus without its capital, before an epithet that is known."""
    if words.gap(number) not in _SPACES:
        return
    genus, epithet = word.capitalize(), words.words[number + 1]
    if len(epithet) >= _MIN_LOWER and (epithet in species_of(genus) or epithet in epithets()):
        start, end, last = words.starts[number], words.ends[number + 1], number + 1
        yield NameCandidate(start, end, f"{genus} {epithet}", "binomial", number, last, genus, epithet, "lower")


def _abbreviated(words: Words, number: int, word: str) -> Iterator[NameCandidate]:
    before = words.character(words.starts[number] - 1)
    gap, following = words.gap(number), number + 1
    without_stop = gap in _SPACES and f"{word} {words.words[following]}" in abbreviations()  # "E coli"
    if (before and (before.isalnum() or before in ".-")) or not (gap in (". ", ".", ".\u00a0") or without_stop):
        return
    if words.words[following].islower() and (read := _epithet(words, following, "")):
        epithet, last = read
        start, end = words.starts[number], words.ends[last]
        yield NameCandidate(start, end, f"{word}. {epithet}", "abbreviated", number, last, "", epithet)


def _candidatus(words: Words, number: int) -> Iterator[NameCandidate]:
    """ "Candidatus Entotheonella factor", "Ca. Endobugula": names of bacteria that nobody has grown."""
    following = number + 1
    if following >= len(words.words) or not _CANDIDATUS_GAP.fullmatch(words.gap(number)):
        return
    word = words.words[following]
    if len(word) < _MIN_UPPER or not (word[0].isupper() and word[1:].islower()):
        return
    start, genus = words.starts[number], CANDIDATUS + word
    if words.gap(following) in _SPACES and (read := _epithet(words, following + 1, genus)):
        epithet, last = read
        if epithet in species_of(genus) or (epithet_form(epithet) > 0 and not is_ordinary(epithet)):
            end = words.ends[last]
            yield NameCandidate(start, end, f"{genus} {epithet}", "candidatus", number, last, word, epithet)
            return
    yield NameCandidate(start, words.ends[following], genus, "candidatus", number, following, word)


def _common(words: Words, number: int, lower: str, common: frozenset[str], longest: int) -> Iterator[NameCandidate]:
    """The longest common name that begins with this word, in singular or plural."""
    start = words.starts[number]
    if words.character(start - 1).isdigit():
        return
    for last in range(min(number + longest, len(words.words)) - 1, number - 1, -1):
        name = lower if last == number else words.text[start : words.ends[last]].lower()
        if singular(name) in common or name in common:
            yield NameCandidate(start, words.ends[last], words.text[start : words.ends[last]], "common", number, last)
            return


@cache
def _common_index() -> tuple[frozenset[str], dict[str, int]]:
    """Common names, and the first words of those of several words with the most words they have."""
    names = frozenset(common_names()) | frozenset(group_names())
    first_words: dict[str, int] = {}
    for name in names:
        if " " in name or "-" in name or "'" in name:
            parts = name.replace("-", " ").replace("'", " ").split(" ")
            first_words[parts[0]] = max(first_words.get(parts[0], 1), len(parts))
    return names, first_words


@cache
def group_names() -> frozenset[str]:
    """Names of groups and foods that texts use, in the singular, by count (`abroad.text.learn.groups`)."""
    packed = (files("abroad.text") / "data" / "groups.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode("utf-8").split("\n"))


@lru_cache(maxsize=1 << 16)
def _singular_in(word: str) -> bool:
    names = _common_index()[0]
    return word in names or singular(word) in names
