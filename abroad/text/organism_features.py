"""What is known of a candidate, as short strings: counts of its words, its form, the words around it.

Numbers are cut to a few steps, so that a weight for each step can follow any curve.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from abroad.text.latin_form import epithet_form, genus_form
from abroad.text.organism_candidates import NameCandidate, Words, group_names
from abroad.text.taxon_names import CANDIDATUS, HYBRID, common_names, epithets, genera, singular, species_of
from abroad.text.word_counts import english, places, word_counts

_GROUPS = {"unnamed": "genus", "hybrid": "binomial", "candidatus": "binomial"}
NEW = "new species"
_ENDINGS = ("", "e", "us", "um", "a", "ae", "on", "is", "s", "es")
_ENDS = frozenset(".?!:\n")


def group(one: NameCandidate) -> str:
    """Which weights a candidate is judged by; species that NCBI knows and others are told by different things."""
    named = _GROUPS.get(one.form, one.form)
    return NEW if named == "binomial" and not is_known(one) else named


def is_known(one: NameCandidate) -> bool:
    """Whether NCBI has this species of this genus."""
    species = species_of(CANDIDATUS + one.genus if one.form == "candidatus" else one.genus)
    return one.epithet in species or f"{HYBRID}{one.epithet}" in species


@dataclass(slots=True)
class Surroundings:
    """What the other candidates of a text say.

    Attributes:
        species: genera with a species that NCBI knows, or with "sp.", somewhere in the text.
        by_letter: the same by their first letter.
        abbreviated: epithets of abbreviated names by their first letter.
        number: how many species NCBI knows are named.
        nouns: numbers of words that begin a common name.
        names: numbers of words that begin a species.
    """

    species: set[str] = field(default_factory=set)
    by_letter: dict[str, set[str]] = field(default_factory=dict)
    abbreviated: dict[str, set[str]] = field(default_factory=dict)
    number: int = 0
    nouns: set[int] = field(default_factory=set)
    names: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, candidates: Sequence[NameCandidate]) -> Surroundings:
        """Those of these candidates."""
        made = cls()
        for one in candidates:
            if one.form == "binomial" and one.epithet in species_of(one.genus):
                made._add(one)
                made.number += 1
            elif one.form == "unnamed":
                made._add(one)
            elif one.form == "abbreviated":
                made.abbreviated.setdefault(one.label[0], set()).add(one.epithet)
            elif one.form == "common":
                made.nouns.add(one.first)
        return made

    def _add(self, one: NameCandidate) -> None:
        self.species.add(one.genus)
        self.by_letter.setdefault(one.genus[0], set()).add(one.genus)
        self.names.add(one.first)


def features(one: NameCandidate, words: Words, around: Surroundings) -> list[str]:
    """Everything that bears on a candidate."""
    found = ["bias", f"form={one.form}", f"case={one.case}", f"texts={min(around.number, 3)}"]
    kind = group(one)
    if kind == "common":
        found += _common(one, words, around)
    elif kind == "abbreviated":
        found += _abbreviated(one, around)
    else:
        if kind != NEW:
            found += _genus(one.genus)
        if one.epithet:
            found += _epithet(one)
        elsewhere = _elsewhere(one, around)
        found.append(f"elsewhere={elsewhere}")
        if kind == "genus":
            found.append(f"elsewhere={elsewhere} {_genus(one.genus)[4]}")
            found.append(f"elsewhere={elsewhere} {_genus(one.genus)[1]}")
    context = list(_context(one, words))
    return [*found, *(context if kind != NEW else (name for name in context if "+1=" in name))]


@lru_cache(maxsize=1 << 14)
def _genus(genus: str) -> tuple[str, ...]:
    """The counts of a genus or a higher taxon; the text has no part in them."""
    counts = word_counts(genus.lower())
    capital = counts.start + counts.middle
    ordinary = counts.ordinary + counts.plain
    seen = [
        f"size={_step(len(species_of(genus)))}",
        f"ordinary={_step(ordinary)}",
        f"capital={_odds(counts.named, capital)}",
        f"italic={_odds(counts.italic_capital, counts.plain_capital)}",
        f"name={_odds(counts.named + counts.italic_capital, ordinary + counts.start + counts.plain_capital)}",
        f"genus form={_form(genus_form(genus))}",
        f"place={places().get(genus, 0)}",
        f"english={english().get(genus.lower(), 0) // 3}",
        f"length={min(len(genus), 9)}",
    ]
    seen.append(f"{seen[0]} {seen[3]}")
    seen.append(f"{seen[0]} {seen[4]}")
    seen.append(f"{seen[0]} english={english().get(genus.lower(), 0) // 3}")
    seen.append(f"{seen[1]} {seen[2]}")
    seen.append(f"ending={genus[-3:]}")
    if genus not in genera():
        seen.append("no genus")
    return tuple(seen)


def _epithet(one: NameCandidate) -> Iterator[str]:
    word = _epithet_word(one.epithet)
    yield from word
    known = one.genus in genera()
    yield f"genus={known} {word[-1]}"
    if not is_known(one):
        kin = _step(_kin(one.epithet))
        yield f"kin={kin}"
        yield f"kin={kin} {word[0]}"
        yield f"size={_step(len(species_of(one.genus)))}"
        if one.genus not in genera():
            yield from _genus(one.genus)


@lru_cache(maxsize=1 << 14)
def _epithet_word(epithet: str) -> tuple[str, ...]:
    counts = word_counts(epithet)
    ordinary = _step(counts.ordinary + counts.plain)
    known = epithet in epithets()
    english_size = english().get(epithet, 0) // 3
    italic = _odds(counts.italic, counts.plain)
    return (
        f"epithet italic={_odds(counts.italic + counts.after, counts.plain + counts.ordinary)}",
        f"epithet ordinary={ordinary} known={known}",
        f"epithet of own={_odds(counts.own, counts.genera - counts.own)}",
        f"epithet ending={epithet[-2:]}",
        f"epithet ending={epithet[-3:]}",
        f"epithet length={min(len(epithet), 7)}",
        f"epithet hyphen={'-' in epithet}",
        f"epithet capital={_step(counts.start + counts.middle)}",
        f"epithet english={english_size}",
        f"epithet english={english_size} known={known} italic={italic}",
        f"known={known} form={_form(epithet_form(epithet))}",
    )


@lru_cache(maxsize=1 << 14)
def _kin(epithet: str) -> int:
    """How often texts have a noun that this may be a form of: "rhizome" of "rhizoma", "conidium" of "conidia"."""
    stems = [epithet[:-1], epithet[:-2]]
    forms = [stem + ending for stem in stems if len(stem) > 3 for ending in _ENDINGS]
    found = [word_counts(form) for form in forms if form != epithet]
    return max((c.ordinary + c.plain for c in found if c.ordinary + c.plain > c.after + c.italic), default=0)


def _abbreviated(one: NameCandidate, around: Surroundings) -> Iterator[str]:
    initial = one.label.split(".")[0]
    named = [genus for genus in around.by_letter.get(initial[0], ()) if genus.startswith(initial)]
    fits, own = bool(named), any(one.epithet in species_of(genus) for genus in named)
    word = _epithet_word(one.epithet)
    yield from word
    yield f"genus named={fits} species={own}"
    yield f"genus named={fits} {word[-1]}"
    yield f"initial length={len(initial)}"


def _common(one: NameCandidate, words: Words, around: Surroundings) -> Iterator[str]:
    name = singular(one.label.lower())
    yield from _common_name(name)
    yield f"words={min(one.last - one.first, 2)}"
    yield f"before noun={one.last + 1 in around.nouns}"
    yield f"before name={one.last + 1 in around.names}"
    if one.label[0].isupper():
        start = _sentence_start(words, one.start)
        yield f"capital start={start}"


@lru_cache(maxsize=1 << 14)
def _common_name(name: str) -> tuple[str, ...]:
    head = name.replace("-", " ").split(" ")[-1]
    counts = word_counts(head)
    ordinary = counts.ordinary + counts.plain
    return (
        f"name={name}",
        f"head={head}",
        f"ncbi={name in common_names()} group={name in group_names()}",
        f"heads={_step(_heads().get(head, 0))}",
        f"ordinary={_step(ordinary)}",
        f"kind={_odds(counts.kind, ordinary)}",
        f"apposed={_odds(counts.apposed, counts.ordinary)}",
        f"one word={head == name} kind={_odds(counts.kind, ordinary)}",
        f"one word={head == name} heads={_step(_heads().get(head, 0))} ordinary={_step(counts.ordinary)}",
        f"ending={name[-3:]}",
    )


@cache
def _heads() -> dict[str, int]:
    """How many common names end in a word."""
    heads: dict[str, int] = {}
    for name in common_names():
        last = name.replace("-", " ").split(" ")[-1]
        heads[last] = heads.get(last, 0) + 1
    return heads


def _context(one: NameCandidate, words: Words) -> Iterator[str]:
    before, after = one.first - 1, one.last + 1
    lower = [word.lower() for word in words.words[max(before - 1, 0) : after + 2]]
    start = max(before - 1, 0)

    def word(number: int) -> str:
        return lower[number - start] if start <= number < start + len(lower) else ""

    glued_to = words.text[words.starts[one.first] : one.start].lower()  # "genus" of "genusNasutitermes"
    yield f"w-1={glued_to or word(before)}"
    yield f"w-2={word(before - 1)}"
    yield f"w+1={word(after)}"
    yield f"w+2={word(after + 1)}"
    yield f"c-1={words.character(one.start - 1)}"
    yield f"c+1={words.character(one.end)}"
    yield f"start={_sentence_start(words, one.start)}"
    if before >= 0 and words.words[before][0].isupper() and words.ends[before] + 1 == one.start:
        yield f"capital before={words.words[before].isupper()}"
    if after < len(words.words) and words.words[after][0].isupper() and one.end + 1 == words.starts[after]:
        yield f"capital after={words.words[after].isupper()}"


def _sentence_start(words: Words, position: int) -> bool:
    before = words.text[max(position - 3, 0) : position].rstrip(" \"'“‘(")
    return position == 0 or (before[-1:] in _ENDS)


def _elsewhere(one: NameCandidate, around: Surroundings) -> str:
    if one.genus in around.species:
        return "species"
    shortened = around.abbreviated.get(one.genus[0])
    return "abbreviated" if shortened and not species_of(one.genus).isdisjoint(shortened) else "none"


def _step(number: int) -> int:
    return min(number.bit_length(), 10)


def _odds(first: int, second: int) -> int:
    """Log-odds of two counts, in steps; 99 where nothing was counted."""
    return round(math.log((first + 0.5) / (second + 0.5))) if first + second else 99


def _form(value: float) -> float:
    return max(min(round(value * 2) / 2, 2.0), -2.0)
