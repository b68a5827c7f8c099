"""Words that are no names, that make a name with the word before them, or that numbers make a name of; all counted.

"compounds A and B" are no congeners since "compound" is a word that abstracts of every field use and that hardly
any natural product is called by. "acid" belongs to the word before it, since many names end in it after other words.
`make_lists` counts them from abstracts of other fields and from names of natural products; the outcome lies in data/.
"""

from __future__ import annotations

import csv
import gzip
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

_MIN_TEXTS = 8  # an ordinary word is in as many abstracts of other fields,
_MIN_RATIO = 15  # and in so many times more abstracts than names of natural products hold it
_MIN_SHARE_SHORT = 0.005  # of the abstracts hold a word of two letters that is ordinary: "in", not "Rb"
_MIN_WORDS_BEFORE = 5  # a class noun follows as many different words in names,
_MAX_CLASS_RATIO = 20  # and is in at most so many times more abstracts
_SHIPPED = frozenset(("lotus", "npatlas", "mibig"))  # sources of names whose counts may be passed on
_WORD = re.compile(r"(?<![\w-])[^\W\d_]{2,}(?![\w-])")
_LETTERED = re.compile(r"[A-Z]\d{0,2}")
_MIN_SUFFIXES = 4  # different ones, of a head that is no ordinary word
_CONGENER = re.compile(r"(.*?)[ -](?:[A-Z]{1,3}\d{0,3}|[IVX]+[a-z]?|\d{1,3}[A-Z]?|[A-Z][a-z]?\d{0,2}'{0,2})")


def is_ordinary(word: str) -> bool:
    """Whether a word, singular or plural, is one of any text rather than a name or a part of one."""
    return _one(word) in _read("ordinary_words")


def is_numbered_head(word: str) -> bool:
    """Whether a word, singular or plural, heads names of congeners that end in a plain number: "bryostatin 1"."""
    return _one(word) in _read("numbered_heads")


def is_class_noun(word: str) -> bool:
    """Whether a word, singular or plural, makes a name with the one before it: "acid", "glucoside", "ester"."""
    return _one(word) in _read("class_nouns")


def _one(word: str) -> str:
    word = word.lower()
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


@cache
def _read(name: str) -> frozenset[str]:
    packed = (files("abroad.text") / "data" / f"{name}.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode("utf-8").split("\n"))


def make_lists(texts: Iterable[str], names: Iterable[str], products: Iterable[str], folder: Path) -> dict[str, int]:
    """Count the lists and write them; gives the number of words in each.

    Args:
        texts: abstracts of other fields.
        names: of natural products.
        products: names of classes of natural products, and heads of names of chemicals, which are no ordinary words
            however many texts hold them.
        folder: where the lists go.
    """
    common: Counter[str] = Counter()
    read = 0
    for text in texts:
        read += 1
        common.update({_one(word) for word in _WORD.findall(text)})
    heads: Counter[str] = Counter()
    numbered: set[str] = set()
    parts: Counter[str] = Counter()
    before: defaultdict[str, set[str]] = defaultdict(set)
    for name in names:
        congener = _CONGENER.fullmatch(name)
        words = (congener[1] if congener else name).lower().split() or [""]
        last = _one(re.split(r"[-)\]]", words[-1])[-1])
        if len(words) == 1:
            heads[last] += 1
            if congener and name.rsplit(congener[1], 1)[1][1:].isdigit():
                numbered.add(last)
        else:
            before[last].add(words[-2])
        parts.update(words[:-1])
    classes = {
        word
        for word, others in before.items()
        if len(word) > 3 and len(others) >= max(_MIN_WORDS_BEFORE, common[word] / _MAX_CLASS_RATIO)
    }
    ordinary = (
        {
            word
            for word, count in common.items()
            if count
            >= max(_MIN_TEXTS if len(word) > 2 else _MIN_SHARE_SHORT * read, _MIN_RATIO * heads[word], parts[word])
        }
        - classes
        - {_one(name) for name in products}
    )
    lists = {"ordinary_words": ordinary, "class_nouns": classes, "numbered_heads": numbered - ordinary - classes}
    for file, words in lists.items():
        packed = gzip.compress("\n".join(sorted(words)).encode("utf-8"), 9, mtime=0)
        (folder / f"{file}.txt.gz").write_bytes(packed)
    return {file: len(words) for file, words in lists.items()}


def _texts(field: Path) -> Iterator[str]:
    for name in ("journals_2021_other", "mibig_negatives", "foodmine_garlic_cocoa"):
        for line in (field / f"{name}.jsonl").read_text(encoding="utf-8").split("\n"):
            if line:
                record = json.loads(line)
                yield f"{record.get('title') or ''} {record.get('abstract') or ''}"


def _names(field: Path) -> Iterator[str]:
    with gzip.open(field / "np_compound_names.tsv.gz", "rt", encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            if _SHIPPED & set(row["sources"].split(",")):
                yield row["name"]


def _lettered_heads(ner: Path) -> Iterator[str]:
    """Words that head names of chemicals with a letter in texts annotated by people: "vitamin A", "vitamin B12"."""
    suffixes: defaultdict[str, set[str]] = defaultdict(set)
    for path in ner.glob("*-chem.train.tsv"):
        for block in path.read_text(encoding="utf-8").split("\n\n"):
            rows = [line.split("\t") for line in block.split("\n") if line]
            for (word, tag, *_), (suffix, following, *_) in pairwise(rows):
                if (tag[0], following[0]) == ("B", "I") and _LETTERED.fullmatch(suffix):
                    suffixes[_one(word)].add(suffix)
    yield from (head for head, found in suffixes.items() if len(found) >= _MIN_SUFFIXES)


def _products(field: Path) -> Iterator[str]:
    with (field / "npclassifier_classes.tsv").open(encoding="utf-8") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            yield row["class"]
    yield from _lettered_heads(field.parent / "ner")


if __name__ == "__main__":  # python -m abroad.text.name_words ../shared/data/field
    field = Path(sys.argv[1])
    print(make_lists(_texts(field), _names(field), _products(field), Path(__file__).parent / "data"))
