"""A document to learn from: its text, its relations, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from abroad.core.schema import Document
from abroad.extraction.builtin.align import gold_tags
from abroad.extraction.builtin.candidates import label_key
from abroad.extraction.builtin.encoder import TextScores
from abroad.extraction.builtin.mentions import Tagger
from abroad.extraction.builtin.reading import Reading, read_text


@dataclass(frozen=True)
class Example:
    """A document to learn from.

    Attributes:
        weight: of its candidates in the scorer.
        judged: where only some pairs of (organism key, chemical key) were judged, those, and whether they hold; None:
            the document's relations are complete.
        unknown: of a document whose relations are complete but for these, pairs of the same keys that may hold or not.
    """

    document: Document
    weight: float = 1.0
    judged: Mapping[tuple[str, str], bool] | None = None
    unknown: frozenset[tuple[str, str]] = frozenset()
    _opinions: dict[Tagger, TextScores] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def reading(self) -> Reading:
        return read_text(self.document.text, len(self.document.title))

    @cached_property
    def tags(self) -> tuple[list[str], list[str]]:
        """Of the gold chemicals and of the gold organisms."""
        return gold_tags(self.document, self.reading)

    def scores(self, base: Tagger) -> TextScores:
        """What the encoder says of it; asked once."""
        if base not in self._opinions:
            self._opinions[base] = base.tag(self.reading)
        return self._opinions[base]

    @cached_property
    def gold(self) -> set[tuple[str, str]]:
        return {(label_key(organism), label_key(chemical)) for organism, chemical in self.document.label_pairs()}
