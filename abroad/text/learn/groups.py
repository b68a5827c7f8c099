"""Names of groups and foods that texts use for organisms, chosen by count.

Run: python -m abroad.text.learn.groups ../shared/data

Four counts: what Wikipedia says a taxon is ("a species of sponge"), the noun before the name of a
species ("the sponge Dysidea avara"), spans of S1000, and organisms of sentences and abstracts that were labelled.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from abroad.text.learn.corpora import foods, labelled, s1000
from abroad.text.taxon_names import genera, singular
from abroad.text.word_counts import counted_words

_MIN_KIND, _KIND_SHARE = 5, 0.02
_MIN_APPOSED, _APPOSED_SHARE = 2, 0.1
_MIN_SPANS = 2


def groups(data: Path, validation: set[str]) -> set[str]:
    """The names, in lower case and in the singular."""
    chosen = set()
    for word, counts in counted_words():
        of_taxa = counts.kind >= _MIN_KIND and counts.kind >= _KIND_SHARE * (counts.plain + counts.ordinary)
        apposed = counts.apposed >= _MIN_APPOSED and counts.apposed >= _APPOSED_SHARE * counts.ordinary
        apposed = apposed and counts.kind > 0
        if (of_taxa or apposed) and word.isalpha():
            chosen.add(word)
    seen = Counter(_spans(data))
    chosen |= {name for name, count in seen.items() if count >= _MIN_SPANS}
    for record in (*foods(data), *labelled(data, validation, held_out=False)):
        chosen |= {
            singular(label.lower())
            for label in record.labels
            if label in record.text and (label[0].islower() or record.source == "foods") and label.isascii()
            and (" " not in label or (record.source == "foods" and not _scientific(label)))
        }
    return {name for name in chosen if len(name) > 2 and name[0].isalpha()}


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
