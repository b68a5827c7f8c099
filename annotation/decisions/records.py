"""What curators decided, one record a curator and document: what `pull` writes and everything after it reads.

Decisions come from Argilla or from the offline page; both become these records first, so that merging, agreement
and training need not know where a decision was made. Nothing a curator wrote is lost on the way: lines that could
not be read stay in `flagged`, as they were typed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.ids import read_id
from abroad.core.io import read_records, write_jsonl
from abroad.core.schema import LabelPair
from annotation.words import RelationText

SUBMITTED, DRAFT, DISCARDED = "submitted", "draft", "discarded"
STATUSES = (SUBMITTED, DRAFT, DISCARDED)
ADJUDICATION = "adjudication"
"""Ends the name of the batch in which conflicts are settled."""


@dataclass(frozen=True)
class Mention:
    """A marked stretch of `Document.text` (code points, end exclusive); role is the type of its entity ("organism")."""

    start: int
    end: int
    role: str


@dataclass(frozen=True)
class Flagged:
    """A line that could not be read as a relation, or whose names are not in the text, with the reason."""

    line: str
    reason: str


@dataclass(frozen=True)
class Decision:
    """One curator's answer on one document.

    Attributes:
        document: id of the document.
        curator: name of the user.
        status: one of STATUSES; drafts and discarded answers are kept but not counted.
        relations: (organism label, chemical label) pairs, of other fields (head label, type, tail label); normalised.
        mentions: what was marked in the text.
        flagged: lines for a person to look at; a flagged line with a reason other than "not understood" is in
            `relations` too.
        batch: the batch the document was shown in; adjudication batches end in "adjudication".
        updated_at: ISO 8601 of the last change, UTC.
        source: where it was made: "argilla:<dataset>" or "html:<file>".
        comment: free text of the curator.
    """

    document: str
    curator: str
    status: str
    relations: tuple[RelationText, ...] = ()
    mentions: tuple[Mention, ...] = ()
    flagged: tuple[Flagged, ...] = ()
    batch: str = ""
    updated_at: str = ""
    source: str = ""
    comment: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def pairs(self) -> tuple[LabelPair, ...]:
        """The relations of natural products, as (organism, chemical).

        Raises:
            InputError: they are of another field.
        """
        if any(len(relation) != 2 for relation in self.relations):
            raise InputError(
                f"the decision on {self.document!r}: expected natural products (organism and chemical), found "
                "relations with types: this step cannot read other fields"
            )
        return tuple((relation[0], relation[1]) for relation in self.relations)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Any) -> Decision:
        """Check and convert one record.

        Raises:
            InputError: a field is missing or of another kind.
        """
        try:
            if record["status"] not in STATUSES:
                raise InputError(f"expected a status of {', '.join(STATUSES)}, found {record['status']!r}")
            return cls(
                **{
                    **record,
                    "document": read_id(record["document"], "'document'"),
                    "curator": read_id(record["curator"], "'curator'"),
                    "relations": tuple(map(_relation, record["relations"])),
                    "mentions": tuple(Mention(**mention) for mention in record.get("mentions", ())),
                    "flagged": tuple(Flagged(**line) for line in record.get("flagged", ())),
                }
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"expected a decision (document, curator, status, relations): {error}") from None


def _relation(parts: Any) -> RelationText:
    if not isinstance(parts, list | tuple) or len(parts) not in (2, 3):
        raise ValueError(f"a relation of [organism, chemical], or of [head, type, tail], found {parts!r}")
    return tuple(map(str, parts))


def write_decisions(path: Path, decisions: Iterable[Decision]) -> None:
    """Write decisions, one a line, in the order given."""
    write_jsonl(path, (decision.to_dict() for decision in decisions))


def read_decisions(path: Path, context: Context | None = None) -> list[Decision]:
    """Read decisions (JSONL).

    Args:
        context: its rejects are records that are none; without it the first one raises.
    Raises:
        InputError: the file cannot be read.
    """
    decisions = []
    for where, _, record in read_records(path, context):
        try:
            decisions.append(Decision.from_dict(record))
        except InputError as error:
            if context is None:
                raise InputError(f"{where}: {error}") from None
            context.rejects.add(where, str(error))
    return decisions


def counted(decisions: Sequence[Decision]) -> list[Decision]:
    """The submitted ones."""
    return [decision for decision in decisions if decision.status == SUBMITTED]
