"""Texts with their organisms, from the corpora of ../shared/data, for learning and for scoring.

Held out of everything that is learnt: every third document of S1000, the documents for
validation of `benchmarks/results/split.json`, `curated_dev.json` and the locked documents.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from abroad.core.jsonl import read_jsonl

_IOB = ("CRAFT-species", "BioNLP11ID-species", "BioNLP13CG-species", "linnaeus")
_TAG = re.compile(r"<[^>]*>")
_PARTS = ("train", "devel", "test")
_IOB_LENGTH = 120  # sentences of one text made of an IOB file


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text and what is known of its organisms.

    Attributes:
        text: title and abstract.
        spans: offsets of every name of a taxon, or None where the corpus has only labels.
        labels: names that are organisms for certain.
        source: the corpus.
    """

    text: str
    spans: tuple[tuple[int, int], ...] | None
    labels: tuple[str, ...]
    source: str


def text_of(document: dict) -> str:
    """Title and abstract, as the extractor reads them."""
    title = document.get("ArticleTitle") or document.get("title") or ""
    return f"{title} {document.get('AbstractText') or document.get('abstract') or ''}".strip()


def s1000(data: Path, held_out: bool) -> Iterator[Labelled]:
    """The third that is held out, or the rest; spans of all ranks."""
    for number, record in enumerate(records(data / "ner" / "s1000_species.jsonl")):
        if (number % 3 == 0) == held_out:
            spans = tuple(sorted({(start, end) for start, end, *_ in record["entities"]}))
            yield Labelled(record["text"], spans, (), "s1000")


def iob(data: Path) -> Iterator[Labelled]:
    """The corpora that come as tokens, put together again; linnaeus has species only."""
    for name in _IOB:
        for part in _PARTS:
            path = data / "ner" / f"{name}.{part}.tsv"
            sentences = [block.split("\n") for block in path.read_text(encoding="utf-8").split("\n\n") if block.strip()]
            for start in range(0, len(sentences), _IOB_LENGTH):
                yield _joined(sentences[start : start + _IOB_LENGTH], name)


def labelled(data: Path, validation: set[str], held_out: bool) -> Iterator[Labelled]:
    """Documents with relations: their organisms are names for certain, others may be."""
    documents = json.loads((data / "field" / "labelled.json").read_text(encoding="utf-8"))
    for key, document in documents.items():
        if (key in validation) == held_out:
            yield Labelled(text_of(document), None, _producers(document), "labelled")


def curated(data: Path) -> Iterator[Labelled]:
    """The curated documents at hand, for scoring."""
    for document in json.loads((data / "curated_dev.json").read_text(encoding="utf-8")).values():
        yield Labelled(text_of(document), None, _producers(document), "curated")


def foods(data: Path) -> Iterator[Labelled]:
    """Sentences with a food that people judged."""
    for record in records(data / "field" / "foodatlas_sentence_pairs.jsonl"):
        if record["organism_in_text"] and record["label"] == 1:
            yield Labelled(record["sentence"], None, (record["organism"],), "foods")


def other_fields(data: Path) -> Iterator[Labelled]:
    """Abstracts of other fields: what is named there is not known."""
    for name in ("journals_2021_other", "mibig_negatives"):
        for record in records(data / "field" / f"{name}.jsonl"):
            yield Labelled(text_of(record), None, (), name)


def encyclopedia(descriptions: Iterable[str], every: int) -> Iterator[Labelled]:
    """One of so many of Wikipedia's first lines on taxa, where names of genera and species stand in italics."""
    for number, page in enumerate(descriptions):
        if number % every == 0:
            text, spans = "", []
            for part in re.split(r"(<i>.*?</i>)", page):
                start = len(text)
                text += html.unescape(_TAG.sub("", part))
                if part.startswith("<i>"):
                    spans.append((start, len(text)))
            yield Labelled(text, tuple(spans), (), "encyclopedia")


def plain_texts(data: Path, validation: set[str]) -> Iterator[str]:
    """Every text that may be counted."""
    for name in ("npatlas_abstracts", "mibig_abstracts", "np_journals_2021_unlabelled", "foodmine_garlic_cocoa"):
        yield from (text_of(record) for record in records(data / "field" / f"{name}.jsonl"))
    yield from (record.text for record in labelled(data, validation, held_out=False))
    yield from (record.text for record in other_fields(data))
    yield from (record.text for record in s1000(data, held_out=False))
    yield from (record.text for record in iob(data))
    yield from (text_of(record) for record in records(data / "ner" / "biored.jsonl"))


def _producers(document: dict) -> tuple[str, ...]:
    names = {organism["id"]: organism["label"] for organism in document["organisms"]}
    return tuple(dict.fromkeys(names[organism] for organism, _ in document["relations"]))


def records(path: Path) -> Iterator[dict]:
    """The objects of a file of JSON lines."""
    yield from read_jsonl(path)


def _joined(sentences: list[list[str]], source: str) -> Labelled:
    """The text of tokens and tags: no space before punctuation, so that names look as in print."""
    text, spans, start = "", [], None
    for line in (line for sentence in sentences for line in sentence):
        token, _, tag = line.partition("\t")
        if start is not None and not tag.startswith("I-"):
            spans.append((start, len(text)))
            start = None
        glue = not text or token in ".,;:)]%?!/-" or text[-1] in "([/-"
        text += ("" if glue else " ") + token
        if tag.startswith("B-"):
            start = len(text) - len(token)
    return Labelled(text, tuple(spans if start is None else [*spans, (start, len(text))]), (), source)
