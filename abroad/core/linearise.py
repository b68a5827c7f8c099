"""Relations as text and back: `ORGANISM produces CHEMICAL; ORGANISM produces CHEMICAL`, or as a field's templates say.

The form the published models were trained on. Reading it back never raises:
a model may write anything, and what cannot be read is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from abroad.core.entities import PRODUCES
from abroad.core.schema import LabelPair

SEPARATOR = "; "
VERB = " produces "
"""What stands between head and tail in the built-in field."""
VERBS: Mapping[str, str] = {VERB: PRODUCES}
"""What stands between head and tail -> the type of the relation, of the built-in field."""
_LONGEST_LABEL = 300  # characters; longer ones are runaway output, not names


@dataclass(frozen=True, slots=True)
class ParsedRelations:
    """What a generated text says.

    Attributes:
        triples: distinct (head label, type, tail label) in order.
        malformed: parts that are not a relation.
        repeated: relations that stood more than once.
    """

    triples: list[tuple[str, str, str]]
    malformed: int
    repeated: int

    @property
    def pairs(self) -> list[LabelPair]:
        """The relations without their types: of the built-in field, (organism, chemical) labels."""
        return [(head, tail) for head, _, tail in self.triples]


def linearise(pairs: Iterable[LabelPair]) -> str:
    """Relations of the built-in field as one line of text, in order; empty text for none."""
    return join(((organism, VERB, chemical) for organism, chemical in pairs))


def join(parts: Iterable[tuple[str, str, str]]) -> str:
    """(head, what stands between, tail) as one line of text, in order; empty text for none."""
    return SEPARATOR.join("".join(part) for part in parts)


def parse(text: str, verbs: Mapping[str, str] = VERBS) -> ParsedRelations:
    """Read relations back from a model's output, whatever it holds.

    A `;` inside a label is kept when the part after it holds no verb
    and the label has an open bracket; any other part without a verb is malformed.

    Args:
        text: of a model.
        verbs: what stands between head and tail -> the type of the relation.
    """
    triples: dict[tuple[str, str, str], None] = {}
    malformed = repeated = 0
    for part in _parts(text, verbs):
        head, verb, tail = _split(part, verbs)
        head, tail = _clean(head), _clean(tail)
        too_long = max(len(head), len(tail)) > _LONGEST_LABEL
        if not verb or not head or not tail or _holds(tail, verbs) or too_long:
            malformed += 1
        elif (triple := (head, verbs[verb], tail)) in triples:
            repeated += 1
        else:
            triples[triple] = None
    return ParsedRelations(list(triples), malformed, repeated)


def _split(part: str, verbs: Mapping[str, str]) -> tuple[str, str, str]:
    """(head, verb, tail) at the first verb; of two that begin there, at the longer."""
    places = [(part.index(verb), -len(verb), verb) for verb in verbs if verb in part]
    return part.partition(min(places)[2]) if places else (part, "", "")


def _holds(text: str, verbs: Mapping[str, str]) -> bool:
    return any(verb in text for verb in verbs)


def _parts(text: str, verbs: Mapping[str, str]) -> list[str]:
    parts: list[str] = []
    for part in text.replace("\n", " ").split(";"):
        if parts and not _holds(part, verbs) and _open_brackets(parts[-1]) > 0:
            parts[-1] += f";{part}"
        else:
            parts.append(part)
    return [part for part in parts if part.strip()]


def _open_brackets(text: str) -> int:
    return sum(text.count(bracket) for bracket in "([{") - sum(text.count(bracket) for bracket in ")]}")


def _clean(label: str) -> str:
    return " ".join(label.split())
