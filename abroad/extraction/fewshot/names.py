"""Names that an answer may use: stretches of the text, and what its lists and abbreviations stand for by rule.

An engine that binds texts is given a grammar of its own for each document, so that a model cannot write a name that the
text has not. Of an engine that does not, the answers are sorted afterwards, and what was left out is counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from abroad.core.field import EntityType, Field, built_in_field
from abroad.extraction.fewshot.form import barred, literal, shape_of
from abroad.text.evidence import abbreviated_genus_spans, is_listed, spelling_in, verbatim_spans
from abroad.text.expand import expand_lists, expand_phrase, expand_shared_heads, without_numbering
from abroad.text.organisms import find_organisms

_MAX_WORDS = 2_000
"""Words of a text that a grammar is made of; it grows with them, and an abstract has 300."""
_OPENING, _CLOSING = "([{\"'“‘", ".,;:!?)]}\"'”’"
_ABBREVIATION = re.compile(r"\(?[A-Za-z]{1,6}\.")
_EMPHASIS, _QUOTES = "*_`~ ", "\"'“”‘’«»"
_OWN = frozenset(("START", "ANSWER", "RELATION"))
_Said = TypeVar("_Said", bound=tuple[str, ...])


def relations_grammar(text: str, lead: str = "", field: Field | None = None) -> str | None:
    """A grammar (Lark's notation) of answers whose names the text has; None for a text too long to make one of.

    Args:
        text: of the document.
        lead: a regex of what stands before the relations.
        field: whose relations are written; by default natural products.
    """
    field = field or built_in_field()
    words = [word for word in text.split() if word.isprintable()]
    if len(words) > _MAX_WORDS:
        return None
    used = {name for relation in field.relations.values() for name in (*relation.head, *relation.tail)}
    never = frozenset(barred(field))
    names = {name: _names_of(kind, text, words, never) for name, kind in field.entities.items() if name in used}
    terminals = _terminals(name for name, found in names.items() if found.root)
    said = list(dict.fromkeys(_relations(field, terminals)))
    first = f"/{lead}/ " if lead else ""
    if not said:
        return f'start: ANSWER\nANSWER: {first}/ ?/ "none\\n"\n'
    # One lexeme in all: were names lexemes of their own, the longest would win, verb and all.
    return (
        f'start: ANSWER\nANSWER: {first}/ ?/ ("none" | RELATION ("; " RELATION)*) "\\n"\n'
        f"RELATION: {' | '.join(said)}\n"
        + "".join(f"{terminal}: /{names[name].regex()}/\n" for name, terminal in terminals.items())
    )


def _names_of(kind: EntityType, text: str, words: Sequence[str], never: frozenset[str]) -> _Names:
    """The names of a type that the text may have."""
    found, shape = _Names(never), shape_of(kind)
    found.add_stretches(words, shape.words, shape.capital)  # organisms without a capital are found by name
    if shape.capital or kind.names.kind == "taxonomy":
        found.add(mention.label for mention in find_organisms(text))
    if kind.ranges:
        found.add(label for e in (*expand_lists(text), *expand_shared_heads(text)) for label in e.labels)
    if not shape.capital:
        found.add_small_letters()
    return found


def _terminals(types: Iterable[str]) -> dict[str, str]:
    """Type -> its name in the grammar."""
    found: dict[str, str] = {}
    for type in types:
        name = type.upper().replace("-", "_")
        while name in _OWN or name in found.values():
            name += "_"
        found[type] = name
    return found


def _relations(field: Field, terminals: Mapping[str, str]) -> Iterator[str]:
    """The relations of which the text may have both sides."""
    for relation in field.relations.values():
        sides = [[terminals[name] for name in side if name in terminals] for side in (relation.head, relation.tail)]
        if all(sides):
            head, tail = (side[0] if len(side) == 1 else f"({' | '.join(side)})" for side in sides)
            yield f"{head} {json.dumps(relation.verb, ensure_ascii=False)} {tail}"


def is_named(text: str, label: str) -> bool:
    """Whether the text has a name: as it stands, in a list or range, in the plural, or with its genus abbreviated."""
    if verbatim_spans(text, label) or verbatim_spans(text, f"{label}s") or is_listed(text, label):
        return True
    if abbreviated_genus_spans(text, label):
        return True
    plain = without_numbering(label).strip()
    labels = expand_phrase(plain or label)
    return (plain not in ("", label) and is_named(text, plain)) or (
        len(labels) > 1 and all(is_listed(text, each) for each in labels)
    )


def name_in(text: str, label: str) -> str | None:
    """The name that the text has for a label, or None: the label, without marks around it, or as the text spells it."""
    bare = dict.fromkeys((label, label.strip(_EMPHASIS), label.strip(_EMPHASIS + _QUOTES)))
    named = next((each for each in bare if is_named(text, each)), None)
    if named is not None:
        return named
    return next((spelt for each in bare if (spelt := spelling_in(text, each)) is not None), None)


def split_named(text: str, relations: Iterable[_Said]) -> tuple[list[_Said], list[_Said]]:
    """The relations, head first and tail last, whose names the text has, as it has them, and the others; in order."""
    kept: dict[_Said, None] = {}
    left_out: dict[_Said, None] = {}
    for said in relations:
        head, tail = name_in(text, said[0]), name_in(text, said[-1])
        if head is None or tail is None:
            left_out[said] = None
        else:
            kept[(head, *said[1:-1], tail)] = None  # type: ignore[index]  # as long as it was, of strings
    return list(kept), list(left_out)


class _Names:
    """Names as a tree of their words, written as one regex: what begins alike stands there once.

    Args:
        never: words that no name has.
    """

    def __init__(self, never: frozenset[str]) -> None:
        self.never = never
        self.root: dict[str, Any] = {}

    def add(self, names: Iterable[str]) -> None:
        """Whole names."""
        for name in names:
            words = name.split()
            if words and all(map(str.isprintable, words)) and self.never.isdisjoint(words) and ";" not in name:
                self._insert(words)

    def add_stretches(self, words: Sequence[str], most: int, capital: bool = False) -> None:
        """All runs of at most so many words within a clause; with `capital` those that begin with a capital letter."""
        for first in range(len(words)):
            if capital and not words[first].lstrip(_OPENING)[:1].isupper():
                continue
            run: list[str] = []
            for word in words[first : first + most]:
                if word in self.never:
                    break
                # What opens or closes a bracket or a clause is no part of a name, where it stands at its edge.
                start = word.lstrip(_OPENING) if not run and not _is_balanced(word) else word
                end = start.rstrip(_CLOSING) if not _is_balanced(start) else start.rstrip(".,;:!?")
                if any(letter.isalnum() for letter in end) and ";" not in end:
                    self._insert([*run, end])
                if ";" in start or (start != end and not _ABBREVIATION.fullmatch(start) and start[-1] in ".,;:!?"):
                    break
                run.append(start)

    def add_small_letters(self) -> None:
        """The names that begin with a capital without it too: a compound's name has one where a sentence begins."""
        for word in list(self.root):
            small = word[:1].lower() + word[1:]
            if word[1:2].islower() and small not in self.root:
                self.root[small] = self.root[word]

    def _insert(self, words: Sequence[str]) -> None:
        node = self.root
        for word in words:
            node = node.setdefault(word, {})
        node[""] = {}  # a name may end here

    def regex(self) -> str:
        return _regex(self.root)


def _regex(node: dict[str, Any]) -> str:
    branches = []
    for word, below in node.items():
        if not word:
            continue
        rest = {key: value for key, value in below.items() if key}
        tail = f"( {_regex(rest)})" if rest else ""
        branches.append(literal(word) + (f"{tail}?" if tail and "" in below else tail))
    return f"({'|'.join(branches)})"


def _is_balanced(word: str) -> bool:
    return all(word.count(a) == word.count(b) for a, b in ("()", "[]", "{}")) and not set(word) & set('"“”‘’')
