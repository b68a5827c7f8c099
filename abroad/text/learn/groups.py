"""Names of groups and foods that texts use for organisms, chosen by count.

Run: python -m abroad.text.learn.groups ../shared/data

Counts: what Wikipedia says a taxon is ("a species of sponge"), the noun before the name of a
species ("the sponge Dysidea avara"), last words of common names, spans of S1000, organisms of sentences and abstracts
that were labelled, and pairs of words that English uses as one.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from abroad.text.learn.corpora import foods, labelled, plain_texts, s1000
from abroad.text.taxon_names import common_names, genera, singular
from abroad.text.word_counts import counted_words

_MIN_KIND, _KIND_SHARE = 5, 0.02
_MIN_APPOSED, _APPOSED_SHARE = 2, 0.1
_MIN_SPANS = 2
_MIN_HEADS = 3
_SURE_SHARE = 0.25
_PAIR_SHARE, _PAIR_ODDS, _MIN_TEXTS = 0.02, 150, 3
_MAX_FIRST = 1_000_000_000  # uses of a first word; words like "with" and "some" have more


def groups(data: Path, validation: set[str]) -> set[str]:
    """The names, in lower case and in the singular."""
    heads = Counter(name.replace("-", " ").split(" ")[-1] for name in common_names())
    chosen = set()
    for word, counts in counted_words():
        of_taxa = counts.kind >= _MIN_KIND and counts.kind >= _KIND_SHARE * (counts.plain + counts.ordinary)
        apposed = counts.apposed >= _MIN_APPOSED and counts.apposed >= _APPOSED_SHARE * counts.ordinary
        apposed = apposed and (counts.kind > 0 or counts.apposed >= _SURE_SHARE * counts.ordinary)
        head = heads[word] >= _MIN_HEADS and counts.kind > 0
        if (of_taxa or apposed or head) and word.isalpha():
            chosen.add(word)
    seen = Counter(_spans(data))
    chosen |= {name for name, count in seen.items() if count >= _MIN_SPANS}
    for record in (*foods(data), *labelled(data, validation, held_out=False)):
        chosen |= {
            singular(label.lower())
            for label in record.labels
            if label in record.text
            and (label[0].islower() or record.source == "foods")
            and label.isascii()
            and (" " not in label or (record.source == "foods" and not _scientific(label)))
        }
    chosen |= _pairs(_eaten(data, validation), plain_texts(data, validation))
    return {name for name in chosen if len(name) > 2 and name[0].isalpha()}


def _eaten(data: Path, validation: set[str]) -> set[str]:
    """Organisms of one word in lower case, in sentences on food and in labelled documents."""
    labels = (
        label
        for record in (*foods(data), *labelled(data, validation, held_out=False))
        for label in record.labels
        if label in record.text
    )
    return {label for label in labels if label.isalpha() and label.islower()}


def _pairs(heads: set[str], texts: Iterable[str]) -> set[str]:
    """Names of two words that English uses as one ("green tea") and that abstracts have.

    English is Google's counts of words and pairs in the PyPI package symspellpy (MIT).
    """
    folder = Path(importlib.util.find_spec("symspellpy").submodule_search_locations[0])  # type: ignore[union-attr, index]
    words = dict(_numbers(folder / "frequency_dictionary_en_82_765.txt"))
    total = sum(words.values())
    chosen = set()
    for pair, count in _numbers(folder / "frequency_bigramdictionary_en_243_342.txt"):
        first, second = pair.split(" ")
        share = count / words[second] if second in heads and second in words else 0.0
        if (
            share >= _PAIR_SHARE
            and words.get(first, total) <= _MAX_FIRST
            and share * total >= _PAIR_ODDS * words[first]
        ):
            chosen.add(pair)
    pattern = re.compile(rf"\b(?:{'|'.join(sorted(chosen))})\b")
    seen = Counter(pair for text in texts for pair in set(pattern.findall(text.lower())))
    return {singular(pair) for pair in chosen if seen[pair] >= _MIN_TEXTS}


def _numbers(path: Path) -> Iterator[tuple[str, int]]:
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        name, _, number = line.rpartition(" ")
        yield name, int(number)


def _scientific(label: str) -> bool:
    first = label.split(" ")[0]
    return first.endswith(".") or first.capitalize() in genera()


def _spans(data: Path) -> Iterator[str]:
    for record in s1000(data, held_out=False):
        for start, end in record.spans or ():
            span = record.text[start:end]
            if span.islower() and span.isalpha():
                yield singular(span)


def main(data: Path) -> None:
    root = Path(__file__).parents[1]
    split = json.loads((root.parents[1] / "benchmarks" / "results" / "split.json").read_text(encoding="utf-8"))
    names = groups(data, set(split["validation"]))
    (root / "data" / "groups.txt.gz").write_bytes(gzip.compress("\n".join(sorted(names)).encode("utf-8"), 9, mtime=0))
    print(len(names), "names")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
