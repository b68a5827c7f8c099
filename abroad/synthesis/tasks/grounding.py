"""Which names a question or an answer has, so that an answer can be held to the texts that it was given.

Of natural products they are found as the built-in extractor finds them. Another field has no such tagger: there a
question has the names that annotated documents know, and an answer those that its form says, as relations or as a list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

from abroad.core.field import Field
from abroad.core.schema import Document
from abroad.extraction.generative.notation import Notation
from abroad.synthesis.selection.fidelity import names_in
from abroad.text.lexicon import Lexicon

_YES_NO = re.compile(r"(?:yes|no)\b[.,]?\s*", re.IGNORECASE)


class Names(Protocol):
    """Finds names."""

    def in_question(self, text: str) -> list[str]:
        """The names that a question has, each once."""

    def in_answer(self, text: str) -> list[str]:
        """The names that an answer has, each once."""


class _NaturalProducts:
    def in_question(self, text: str) -> list[str]:
        return names_in(text)

    def in_answer(self, text: str) -> list[str]:
        return names_in(text)


class _OfField:
    """What is no relation and no list, such as a sentence, must stand in the texts word for word."""

    def __init__(self, field: Field, documents: Iterable[Document]) -> None:
        self._notation = Notation(field)
        self._known = Lexicon(entity.label for document in documents for entity in document.entities)

    def in_question(self, text: str) -> list[str]:
        return self._known.find(text)

    def in_answer(self, text: str) -> list[str]:
        parsed = self._notation.parse(text.strip().rstrip("."))
        if parsed.triples and not parsed.malformed:
            return list(dict.fromkeys(name for head, _, tail in parsed.triples for name in (head, tail)))
        parts = re.split(r";", _YES_NO.sub("", text.strip(), count=1).rstrip("."))
        return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def names_of(field: Field, documents: Iterable[Document]) -> Names:
    """What finds the names of a field.

    Args:
        documents: annotated ones, whose labels are known.
    """
    return _NaturalProducts() if field.is_built_in else _OfField(field, documents)
