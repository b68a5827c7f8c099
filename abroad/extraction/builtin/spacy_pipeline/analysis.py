"""What the components share: a text is read by the encoder once, however many of them ask."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from weakref import WeakValueDictionary

from abroad.extraction.builtin.candidates import (
    ChemicalCandidate,
    OrganismCandidate,
    chemical_candidates,
    organism_candidates,
)
from abroad.extraction.builtin.encoder import TextScores
from abroad.extraction.builtin.mentions import Tagger
from abroad.extraction.builtin.pairs import PairExtractor
from abroad.extraction.builtin.reading import Reading, read_text
from abroad.extraction.builtin.score import CandidateTable, candidate_table

_RECENT = 4  # texts: spaCy hands one on from component to component; a few threads may share a pipeline


@dataclass(frozen=True)
class Analysis:
    """A text with what the encoder says of it and the candidates in it."""

    reading: Reading
    scores: TextScores

    @cached_property
    def table(self) -> CandidateTable | None:
        return candidate_table(self.reading, self.scores)

    @property
    def organisms(self) -> Sequence[OrganismCandidate]:
        return self.table.organisms if self.table else organism_candidates(self.reading, self.scores)

    @property
    def chemicals(self) -> Sequence[ChemicalCandidate]:
        return self.table.chemicals if self.table else chemical_candidates(self.reading, self.scores)


class TextReader:
    """Analyses texts, and remembers the last few."""

    def __init__(self, tagger: Tagger) -> None:
        def analyse(text: str, title_end: int) -> Analysis:
            reading = read_text(text, title_end)
            return Analysis(reading, tagger.tag(reading))

        self.read = lru_cache(_RECENT)(analyse)


_READERS: WeakValueDictionary[str, TextReader] = WeakValueDictionary()


def reader_of(extractor: PairExtractor) -> TextReader:
    """The reader that all components with the same model share."""
    decided = ("min_score", "beside")
    key = json.dumps({name: value for name, value in extractor.identity.items() if name not in decided}, sort_keys=True)
    reader = _READERS.get(key)
    if reader is None:
        reader = _READERS[key] = TextReader(extractor.tagger)
    return reader
