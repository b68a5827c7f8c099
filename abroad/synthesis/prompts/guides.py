"""Principles for faithful abstracts, worked exemplars, and topics that vary the studies (SELF-ALIGN, arXiv 2305.03047).

They stand in the prompts only: what is trained on are the abstracts, without principles and checks.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from abroad.core.bounded_yaml import load_yaml
from abroad.core.errors import InputError
from abroad.core.io import require_file
from abroad.core.schema import Document

DEFAULT = Path(__file__).with_name("principles.yaml")


class Exemplar(BaseModel):
    """A worked example: `check` is the inner check against the principles."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    keywords: str
    findings: str
    check: str
    abstract: str


class Topics(BaseModel):
    """What a study of a kingdom may aim at, and by which technique."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    aims: tuple[str, ...] = Field(min_length=1)
    techniques: tuple[str, ...] = Field(min_length=1)


class Guide(BaseModel):
    """A file of principles; `topics` has an entry "other" for documents of no known kingdom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    principles: tuple[str, ...] = Field(min_length=1)
    exemplars: tuple[Exemplar, ...] = ()
    topics: dict[str, Topics] = {}

    def numbered(self) -> str:
        return "\n".join(f"{number}. {text}" for number, text in enumerate(self.principles, 1))

    def names_of_exemplars(self) -> tuple[str, ...]:
        """Words that betray an exemplar: those of its findings that are no plain English."""
        words = {
            word.strip(".,;()")
            for exemplar in self.exemplars
            for word in exemplar.findings.split()
            if len(word.strip(".,;()")) > 6 and word.strip(".,;()").lower() not in _PLAIN
        }
        return tuple(sorted(words))


_PLAIN = frozenset("isolated produce produces compounds macrolides flavonoids alkaloids".split())


@dataclass(frozen=True)
class Topic:
    """An aim ("antifungal") and a technique ("HPLC")."""

    aim: str
    technique: str


def load_guide(path: Path | None = None) -> Guide:
    """A guide from YAML; without a path the one that comes with the code.

    Raises:
        InputError: no such file, or one that is no guide; the message says where.
    """
    path = require_file(path or DEFAULT, "principles (YAML)")
    try:
        return Guide.model_validate(load_yaml(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: broken YAML ({str(error).splitlines()[0]:.200})") from None
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def guide_of(principles: str | None) -> Guide | None:
    """The guide that settings name: None without principles, our own for "default", else that of a file.

    Raises:
        InputError: as `load_guide`.
    """
    if principles is None:
        return None
    return load_guide(None if principles == "default" else Path(principles))


class TopicDraw:
    """Draws topics so that each is used as often as every other of its kingdom, in a random order."""

    def __init__(self, guide: Guide, seed: int) -> None:
        self._guide, self._seed = guide, seed
        self._rounds: dict[str, Iterator[Topic]] = {}

    def next(self, document: Document) -> Topic | None:
        """The next topic for a document, by its `kingdom` if that has topics; None if the guide has none."""
        kingdom = str(document.extra.get("kingdom") or "other")
        if kingdom not in self._guide.topics:
            kingdom = "other"
        if kingdom not in self._guide.topics:
            return None
        if kingdom not in self._rounds:
            self._rounds[kingdom] = self._endless(kingdom)
        return next(self._rounds[kingdom])

    def _endless(self, kingdom: str) -> Iterator[Topic]:
        topics = self._guide.topics[kingdom]
        draw = Random(f"{self._seed}:{kingdom}")
        while True:
            pairs = list(itertools.product(topics.aims, topics.techniques))
            draw.shuffle(pairs)
            yield from itertools.starmap(Topic, pairs)
