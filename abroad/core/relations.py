"""Predicted relations and the spans of text that they rest on; records of natural products and of any other field."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from abroad.core.entities import CHEMICAL, ORGANISM, PRODUCES, number_or_none, short, text_or_none
from abroad.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Evidence:
    """A span of the document's text that supports one side of a relation.

    Attributes:
        start: offset in `Document.text`, in Unicode code points.
        end: offset after the span.
        text: the span itself.
        role: "organism" or "chemical"; in other fields, "head" or "tail".
        rule: how the label follows from the span (verbatim, genus, list, range, model).
    """

    start: int
    end: int
    text: str
    role: str
    rule: str

    @classmethod
    def from_dict(cls, record: Any) -> Evidence:
        """Check and convert one record.

        Raises:
            InputError: It is no evidence.
        """
        types = {"start": int, "end": int, "text": str, "role": str, "rule": str}
        if (
            not isinstance(record, dict)
            or set(record) != set(types)
            or not all(isinstance(record[name], type) for name, type in types.items())
        ):
            raise InputError("expected evidence with numbers start and end, and strings text, role and rule")
        return cls(**record)


@dataclass(slots=True)
class Relation:
    """A predicted relation, of the built-in field "organism produces chemical"; the labels and the type are scored.

    Attributes:
        head: label of its first side: the organism.
        tail: label of its second side: the chemical.
        score: calibrated probability, 0 to 1; None from extractors that have none.
        head_id: identifier as a CURIE ("NCBITaxon:180171", "wikidata:Q1"); None where it is not known.
        tail_id: identifier likewise.
        evidence: the spans of the text that support it.
        status: "known", "new", "disputed" or "not linked" beside LOTUS; None where no index was given.
        type: of the relation, by the name its field gives it.
        head_type: of the entity; empty where it is not known.
        tail_type: likewise.
    """

    head: str
    tail: str
    score: float | None = None
    head_id: str | None = None
    tail_id: str | None = None
    evidence: list[Evidence] = field(default_factory=list)
    status: str | None = None
    type: str = field(default=PRODUCES, kw_only=True)
    head_type: str = field(default=ORGANISM, kw_only=True)
    tail_type: str = field(default=CHEMICAL, kw_only=True)

    @property
    def is_built_in(self) -> bool:
        """Whether it says that an organism produces a chemical."""
        return (self.head_type, self.type, self.tail_type) == (ORGANISM, PRODUCES, CHEMICAL)

    @property
    def roles(self) -> tuple[str, str]:
        """What the evidence of its head and of its tail is called."""
        return (ORGANISM, CHEMICAL) if self.is_built_in else ("head", "tail")

    @property
    def organism(self) -> str:
        """The head of a relation of the built-in field.

        Raises:
            InputError: it is of another field, which is not to be taken for a product of an organism.
        """
        return self._product().head

    @property
    def chemical(self) -> str:
        """The tail of a relation of the built-in field; raises as `organism` does."""
        return self._product().tail

    @property
    def organism_id(self) -> str | None:
        """The identifier of `organism`; raises as it does."""
        return self._product().head_id

    @property
    def chemical_id(self) -> str | None:
        """The identifier of `chemical`; raises as `organism` does."""
        return self._product().tail_id

    def _product(self) -> Relation:
        if not self.is_built_in:
            types = f"{self.head_type or 'something'} {self.type} {self.tail_type or 'something'}"
            raise InputError(
                f"expected relations of natural products (organism produces chemical), found {short(types)}: "
                "this step cannot read other fields"
            )
        return self

    @classmethod
    def from_dict(cls, record: Any) -> Relation:
        """Check and convert one record, of either form.

        Raises:
            InputError: It is not a relation; the message says what was expected.
        """
        if isinstance(record, dict) and ("head" in record or "tail" in record):
            return cls._from_typed(record)
        if (
            not isinstance(record, dict)
            or not isinstance(record.get("organism"), str)
            or not isinstance(record.get("chemical"), str)
        ):
            raise InputError(f"expected a relation with strings 'organism' and 'chemical', found {short(record)}")
        return cls._of(record, ("organism", "chemical"), {})

    @classmethod
    def _from_typed(cls, record: dict[str, Any]) -> Relation:
        if both := [name for name in ("organism", "chemical") if name in record]:
            raise InputError(
                f"expected a relation with head and tail, or with organism and chemical, found {both[0]} beside them"
            )
        for name in ("head", "type", "tail"):
            if not isinstance(record.get(name), str) or not record[name].strip():
                raise InputError(f"expected a relation with strings 'head', 'type' and 'tail', found {short(record)}")
        types = {name: text_or_none(record, name) or "" for name in ("head_type", "tail_type")}
        return cls._of(record, ("head", "tail"), {"type": record["type"], **types})

    @classmethod
    def _of(cls, record: dict[str, Any], sides: tuple[str, str], types: dict[str, str]) -> Relation:
        head, tail = sides
        evidence = record.get("evidence") or []
        if not isinstance(evidence, list):
            raise InputError(f"expected a list in evidence, found {short(evidence)}")
        return cls(
            record[head],
            record[tail],
            number_or_none(record, "score"),
            text_or_none(record, f"{head}_id"),
            text_or_none(record, f"{tail}_id"),
            [Evidence.from_dict(item) for item in evidence],
            text_or_none(record, "status"),
            **types,
        )

    def to_dict(self) -> dict[str, Any]:
        """The record that `from_dict` reads."""
        stated = {
            **({"head": self.head, "type": self.type, "tail": self.tail}),
            **({"head_type": self.head_type} if self.head_type else {}),
            **({"tail_type": self.tail_type} if self.tail_type else {}),
        }
        built_in = self.is_built_in
        head, tail = ("organism", "chemical") if built_in else ("head", "tail")
        return {
            **({head: self.head, tail: self.tail} if built_in else stated),
            "score": self.score,
            f"{head}_id": self.head_id,
            f"{tail}_id": self.tail_id,
            **({"status": self.status} if self.status is not None else {}),
            "evidence": [
                {"start": e.start, "end": e.end, "text": e.text, "role": e.role, "rule": e.rule} for e in self.evidence
            ],
        }
