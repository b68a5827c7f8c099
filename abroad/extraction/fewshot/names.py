"""Names that an answer may use: stretches of the text, and what its lists and abbreviations stand for by rule.

An engine that binds texts is given a grammar of its own for each document, so that a model cannot write a name that the
text has not. Of an engine that does not, the answers are sorted afterwards, and what was left out is counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from abroad.core.schema import LabelPair
from abroad.text.evidence import abbreviated_genus_spans, is_listed, verbatim_spans
from abroad.text.expand import expand_lists, expand_phrase, expand_shared_heads, without_numbering
from abroad.text.organisms import find_organisms

# Of 1,600 curated names, none of an organism has more than 5 words, and none of a chemical more than 8.
_ORGANISM_WORDS, _CHEMICAL_WORDS = 5, 8
_MAX_WORDS = 2_000
"""Words of a text that a grammar is made of; it grows with them, and an abstract has 300."""
_OPENING, _CLOSING = "([{\"'“‘", ".,;:!?)]}\"'”’"
_ABBREVIATION = re.compile(r"\(?[A-Za-z]{1,6}\.")
_VERB = "produces"
_SPECIAL = re.compile(r"([\\^$.|?*+()\[\]{}/#&~-])")


def relations_grammar(text: str, lead: str = "") -> str | None:
    """A grammar (Lark's notation) of answers whose names the text has; None for a text too long to make one of.

    Args:
        text: of the document.
        lead: a regex of what stands before the relations.
    """
    words = [word for word in text.split() if word.isprintable()]
    if len(words) > _MAX_WORDS:
        return None
    organisms = _Names()
    organisms.add_stretches(words, _ORGANISM_WORDS, capital=True)  # others are found by name
    organisms.add(mention.label for mention in find_organisms(text))
    chemicals = _Names()
    chemicals.add_stretches(words, _CHEMICAL_WORDS)
    chemicals.add(label for e in (*expand_lists(text), *expand_shared_heads(text)) for label in e.labels)
    chemicals.add_small_letters()
    first = f"/{lead}/ " if lead else ""
    if not organisms.root or not chemicals.root:
        return f'start: ANSWER\nANSWER: {first}/ ?/ "none\\n"\n'
    # One lexeme in all: were names lexemes of their own, the longest would win, verb and all.
    return (
        f'start: ANSWER\nANSWER: {first}/ ?/ ("none" | RELATION ("; " RELATION)*) "\\n"\n'
        f'RELATION: ORGANISM " {_VERB} " CHEMICAL\n'
        f"ORGANISM: /{organisms.regex()}/\nCHEMICAL: /{chemicals.regex()}/\n"
    )


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


def split_named(text: str, pairs: Iterable[LabelPair]) -> tuple[list[LabelPair], int]:
    """The pairs whose names the text has, in order, and how many others there are."""
    found = list(pairs)
    kept = [pair for pair in found if is_named(text, pair[0]) and is_named(text, pair[1])]
    return kept, len(found) - len(kept)


class _Names:
    """Names as a tree of their words, written as one regex: what begins alike stands there once."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}

    def add(self, names: Iterable[str]) -> None:
        """Whole names."""
        for name in names:
            words = name.split()
            if words and all(map(str.isprintable, words)) and _VERB not in words and ";" not in name:
                self._insert(words)

    def add_stretches(self, words: Sequence[str], most: int, capital: bool = False) -> None:
        """All runs of at most so many words within a clause; with `capital` those that begin with a capital letter."""
        for first in range(len(words)):
            if capital and not words[first].lstrip(_OPENING)[:1].isupper():
                continue
            run: list[str] = []
            for word in words[first : first + most]:
                if word == _VERB:
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
        branches.append(_SPECIAL.sub(r"\\\1", word) + (f"{tail}?" if tail and "" in below else tail))
    return f"({'|'.join(branches)})"


def _is_balanced(word: str) -> bool:
    return all(word.count(a) == word.count(b) for a, b in ("()", "[]", "{}")) and not set(word) & set('"“”‘’')
