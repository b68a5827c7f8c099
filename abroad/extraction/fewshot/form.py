"""The form of answers as a regex, by the templates of a field: names that end, or "none"; no prose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from abroad.core.field import EntityType, Field

Shapes = tuple["NameShape", ...]
_SPECIAL = re.compile(r"([\\^$.|?*+()\[\]{}/#&~-])")
_ENDING = re.compile(r"(?<=...)(?:es|s|ed|ing)$")
_SHORT = 4


@dataclass(frozen=True)
class NameShape:
    """What names of a type may look like in an answer.

    Attributes:
        words: the most in a name; a model that would write prose must come to a relation.
        letters: the most in a word, two aside.
        never_last: characters that a word does not end with.
        capital: whether a name begins with a capital letter.
    """

    words: int
    letters: int
    never_last: str = ""
    capital: bool = False


# Of 1,600 curated names, none of an organism has more than 5 words, none of a chemical more than 8, and no word more
# than 120 characters.
_ORGANISM = NameShape(5, 30, ":,", capital=True)
_ANY = NameShape(8, 150)


def shape_of(kind: EntityType) -> NameShape:
    """The shape of a type's names: those of organisms have one of their own."""
    return _ORGANISM if kind.is_organism else _ANY


def barred(field: Field) -> list[str]:
    """Words that no name has, since a relation's verb would be found in it: the longest of each verb."""
    return list(dict.fromkeys(max(relation.verb.split(), key=len) for relation in field.relations.values()))


def relations_form(field: Field) -> str:
    """One relation after another, or "none".

    As one regex: a grammar's lexer takes the longest name, verb and all.
    """

    def shapes(types: Iterable[str]) -> Shapes:
        return tuple(shape_of(field.entities[name]) for name in types)

    relations = field.relations.values()
    return _relations_form(
        tuple((shapes(each.head), each.verb, shapes(each.tail)) for each in relations), tuple(barred(field))
    )


@lru_cache(maxsize=16)
def _relations_form(relations: Sequence[tuple[Shapes, str, Shapes]], never: Sequence[str]) -> str:
    said = [f"{_names(head, never)}{literal(verb)}{_names(tail, never)}" for head, verb, tail in relations]
    one = either(said)
    return f" ?(none|{one}(; {one})*)\\n"


def literal(text: str) -> str:
    """A text as a regex of itself."""
    return _SPECIAL.sub(r"\\\1", text)


def either(branches: Iterable[str]) -> str:
    """One of some regexes, each once."""
    each = list(dict.fromkeys(branches))
    return each[0] if len(each) == 1 else f"({'|'.join(each)})"


def _names(shapes: Shapes, never: Sequence[str]) -> str:
    return either("{0}( {0}){{0,{1}}}".format(_word(shape, never), shape.words - 1) for shape in shapes)


def _word(shape: NameShape, never: Sequence[str]) -> str:
    """A word of a name: not "produces" or the like, and not with the end of a sentence in it."""
    stems = {_stem(word): len(_stem(word)) < _SHORT for word in never}
    stems = {stem: short for stem, short in stems.items() if not _has_a_shorter(stem, stems)}
    prefixes = dict.fromkeys(stem[:n] for stem in stems for n in range(len(stem) + 1))
    starts, parts = [], []
    for prefix in prefixes:
        if prefix in stems and not stems[prefix]:
            continue  # whatever goes on from here is the verb
        following = dict.fromkeys(stem[len(prefix)] for stem in stems if stem.startswith(prefix) and stem != prefix)
        start = literal(prefix)
        starts.append(f"{start}[^{literal(''.join(following))}.;\\n ]")
        if prefix and prefix not in stems:
            parts.append(start)
    rest = rf"([^;\n ]{{0,{shape.letters}}}[^{shape.never_last}.;\n ])?"
    return "|".join([rf"((({'|'.join(starts)}){rest})", *parts, r"[A-Za-z]{1,6}\.)"])


def _stem(word: str) -> str:
    """What the forms of a verb begin with; a short word is taken as it is, and bars no longer one."""
    stem = _ENDING.sub("", word)
    return stem if len(stem) >= _SHORT else word


def _has_a_shorter(stem: str, stems: dict[str, bool]) -> bool:
    return any(other != stem and stem.startswith(other) and not short for other, short in stems.items())
