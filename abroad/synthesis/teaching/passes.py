"""What a pass over documents is, and a teacher of several passes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from abroad.core.field import Field
from abroad.core.schema import Document, Prediction, Relation


class Filter(Protocol):
    """What chooses among the relations that the passes agree on; it asks a model, and that costs.

    Attributes:
        identity: what must be equal for what two runs chose to be mixed.
    """

    @property
    def identity(self) -> dict[str, Any]: ...

    def chooses(self, count: int) -> bool:
        """Whether any of so many relations may be left out; where none can, nothing is asked."""
        ...

    def questions(self, document: Document, relations: Sequence[Relation]) -> list[int]:
        """Characters of each text that the model reads to choose among these relations."""
        ...

    def longest(self, document: Document) -> list[int]:
        """The same for one relation that is not known yet, at most."""
        ...

    def __call__(self, documents: Sequence[Document], predictions: Sequence[Prediction]) -> Iterable[Prediction]:
        """The predictions of documents with the relations that stay; an error where there is nothing to choose by."""
        ...


class Pass(Protocol):
    """One of the independent labellings of the documents.

    Attributes:
        identity: what must be equal for answers of two runs to be mixed.
        field: whose relations it names.
    """

    @property
    def field(self) -> Field: ...

    @property
    def identity(self) -> dict[str, Any]: ...

    def input_digest(self, document: Document) -> str:
        """Changes with all that is read of a document."""
        ...

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        """A prediction for each document; `extra` has its tokens, and the answer to read."""
        ...

    def read(self, document: Document, prediction: Prediction) -> Prediction:
        """What a prediction that `extract` gave says, read from its answer: a better reading needs no new answers.

        `extra` tells by `parsed` whether the answer could be read, by `cut_off` whether some of it is missing, and by
        `left_out` and `not_in_text` which relations, and how many, have a name that the text has not.
        """
        ...

    def prompt_characters(self, document: Document, prediction: Prediction | None = None) -> int:
        """Characters of the prompt that led to the prediction; without one, of the longest that may be put."""
        ...

    def max_tokens(self, document: Document) -> int:
        """Tokens that the answer may take."""
        ...


@dataclass(frozen=True)
class Teacher:
    """A model in its passes.

    Attributes:
        at_once: documents whose passes are asked together.
        keep: a filter of the relations that the passes agree on.
    """

    passes: Sequence[Pass]
    at_once: int
    keep: Filter | None = None

    @property
    def field(self) -> Field:
        """Whose relations it names."""
        return self.passes[0].field
