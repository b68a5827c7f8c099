"""What a synthetic abstract says beyond its relations: organisms and chemicals that no label covers.

The mentions are found as the built-in extractor finds them. An abstract that reports
more than it was asked to would teach a model that true relations are false.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from abroad.core.schema import Document
from abroad.extraction.builtin.candidates import label_key, named_stretches, stretch_labels
from abroad.extraction.builtin.mentions import Tagger
from abroad.extraction.builtin.pairs import load_pair_extractor
from abroad.extraction.builtin.reading import LONGEST_TEXT, Reading, read_text

_NAMED = ("binomial", "abbreviated", "unnamed")  # forms of a mention that name a species or its genus
_CLASS = re.compile(r"^[^\d]*[a-z](?<![uis])s$")
_SHORTEST = 4  # characters of a key that may cover another


@dataclass(frozen=True)
class Fidelity:
    """How far the labels of a document cover what its text reports.

    Attributes:
        score: share of the organisms and chemicals reported in the text that a label covers; 1.0 if none is reported.
        organisms: names in the text that no label covers.
        chemicals: likewise.
    """

    score: float
    organisms: tuple[str, ...]
    chemicals: tuple[str, ...]


def fidelity(document: Document) -> Fidelity:
    """How far the text keeps to the document's relations.

    A label covers its own words (case, spaces and the contractions of `surfaces`
    aside), a longer name that holds it and a part of it; an organism covers its genus.
    A text too long to be read keeps to nothing.
    """
    if len(document.text) > LONGEST_TEXT:
        return Fidelity(0.0, (), ())
    reading = read_text(document.text, len(document.title))
    organisms = _organisms(reading)
    chemicals = _chemicals(reading)
    known = {label_key(entity.label) for entity in document.organisms}
    genera = {label_key(entity.label.split(" ")[0]) for entity in document.organisms}
    extra_organisms = [name for name in organisms if label_key(name) not in known and label_key(name) not in genera]
    labels = [entity.label for entity in document.chemicals]
    surfaces = (document.extra.get("surfaces") or {}).values()
    keys = {label_key(name) for name in (*labels, *surfaces) if name}
    extra_chemicals = [name for name in chemicals if not covers(keys, label_key(name))]
    title = label_key(document.title)  # the seed's own, not the model's: what it names is no addition
    extra_organisms = [name for name in extra_organisms if label_key(name) not in title]
    extra_chemicals = [name for name in extra_chemicals if label_key(name) not in title]
    total = len(organisms) + len(chemicals)
    extra = len(extra_organisms) + len(extra_chemicals)
    return Fidelity(1 - extra / total if total else 1.0, tuple(extra_organisms), tuple(extra_chemicals))


def names_in(text: str) -> list[str]:
    """Organisms and chemicals named in a text, as it writes them, each once."""
    reading = read_text(text, 0)
    return list(dict.fromkeys([*_organisms(reading), *_chemicals(reading)]))


def stands_in(name: str, text: str) -> bool:
    """Whether a text holds a name, case and spaces aside, as whole words."""
    words = re.escape(" ".join(name.split())).replace(r"\ ", r"\s+")
    return re.search(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE) is not None


def covers(keys: Iterable[str], key: str) -> bool:
    """Whether one of the keys of labels is a name's, contains it or is a part of it."""
    singular = key.removesuffix("s")
    return any(
        key == known or (len(known) >= _SHORTEST and known in key) or (len(singular) >= _SHORTEST and singular in known)
        for known in keys
    )


def _organisms(reading: Reading) -> list[str]:
    return list(dict.fromkeys(mention.label for mention in reading.organisms if mention.form in _NAMED))


def _chemicals(reading: Reading) -> list[str]:
    found: dict[str, str] = {}
    for first, last in named_stretches(reading, _tagger().tag(reading).chemical):
        text = reading.text[reading.tokens[first].start : reading.tokens[last - 1].end]
        labels = stretch_labels(text)[0]
        if len(labels) == 1 and _CLASS.search(text):
            continue  # "new diterpenes" describes what is then named
        for label in labels:
            found.setdefault(label_key(label), label)
    return list(found.values())


@cache
def _tagger() -> Tagger:
    return load_pair_extractor().tagger
