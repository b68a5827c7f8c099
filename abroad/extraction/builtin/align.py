"""Where a text names the chemicals of its gold relations: the tags a sequence tagger learns from."""

from __future__ import annotations

import re

from abroad.extraction.builtin.candidates import label_key
from abroad.extraction.builtin.reading import Reading
from abroad.schema import Document
from abroad.text.evidence import verbatim_spans

_LONGEST_NAME = 8  # tokens
_LONGEST = 200  # characters
_GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta"}


def gold_tags(document: Document, reading: Reading) -> list[str]:
    """ "B", "I" or "O" of each token: names of gold chemicals, lists of which half the members are gold."""
    tags = ["O"] * len(reading.tokens)
    for start, end in gold_spans(document, reading):
        first, last = reading.tokens_in(start, end)
        for place in range(first, last):
            tags[place] = "B" if place == first else "I"
    return tags


def gold_spans(document: Document, reading: Reading) -> list[tuple[int, int]]:
    """Offsets of the gold chemicals, longest first where they overlap, in order."""
    labels = {chemical.label for _, chemical in document.related_entities()}
    keys = {_key(label) for label in labels}
    keys |= {key + "s" for key in keys} | {key[:-1] for key in keys if key.endswith("s") and len(key) > 6}
    spans = [
        (expansion.start, expansion.end)
        for expansion in reading.expansions
        if sum(_key(label) in keys for label in expansion.labels) * 2 >= len(expansion.labels)
    ]
    for label in labels:
        spans += verbatim_spans(reading.text, label)
    spans += _windows(reading, keys)
    taken: list[tuple[int, int]] = []
    for span in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
        if all(span[1] <= other[0] or span[0] >= other[1] for other in taken):
            taken.append(span)
    return sorted(taken)


def _windows(reading: Reading, keys: set[str]) -> list[tuple[int, int]]:
    """Runs of tokens that equal a label but for case, brackets and the spelling of Greek letters."""
    tokens = reading.tokens
    wordy = [any(character.isalnum() for character in token.text) for token in tokens]
    found = []
    for first in range(len(tokens)):
        if not wordy[first]:
            continue
        for last in range(first, min(len(tokens), first + _LONGEST_NAME)):
            start, end = tokens[first].start, tokens[last].end
            if end - start > _LONGEST:
                break
            if wordy[last] and _key(reading.text[start:end]) in keys:
                found.append((start, end))
    return found


def _key(label: str) -> str:
    key = label_key(label)
    for letter, name in _GREEK.items():
        key = key.replace(letter, name)
    return re.sub(r"[()\[\]*{}]|&#\d+;", "", key)
