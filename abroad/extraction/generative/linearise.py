"""Relations as text and back: `ORGANISM produces CHEMICAL; ORGANISM produces CHEMICAL`.

The form the published models were trained on. Reading it back never raises:
a model may write anything, and what cannot be read is counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from abroad.core.schema import LabelPair

SEPARATOR = "; "
VERB = " produces "
_LONGEST_LABEL = 300  # characters; longer ones are runaway output, not names


@dataclass(frozen=True, slots=True)
class ParsedRelations:
    """Attributes:
    pairs: distinct (organism, chemical) labels in order.
    malformed: parts that are not a relation.
    repeated: relations that stood more than once.
    """

    pairs: list[LabelPair]
    malformed: int
    repeated: int


def linearise(pairs: Iterable[LabelPair]) -> str:
    """Relations as one line of text, in order; empty text for none."""
    return SEPARATOR.join(f"{organism}{VERB}{chemical}" for organism, chemical in pairs)


def parse(text: str) -> ParsedRelations:
    """Read relations back from a model's output, whatever it holds.

    A `;` inside a chemical's name is kept when the part after it holds no verb
    and the name has an open bracket; any other part without the verb is malformed.
    """
    pairs: dict[LabelPair, None] = {}
    malformed = repeated = 0
    for part in _parts(text):
        organism, verb, chemical = part.partition(VERB)
        organism, chemical = _clean(organism), _clean(chemical)
        too_long = max(len(organism), len(chemical)) > _LONGEST_LABEL
        if not verb or not organism or not chemical or VERB in chemical or too_long:
            malformed += 1
        elif (organism, chemical) in pairs:
            repeated += 1
        else:
            pairs[organism, chemical] = None
    return ParsedRelations(list(pairs), malformed, repeated)


def _parts(text: str) -> list[str]:
    parts: list[str] = []
    for part in text.replace("\n", " ").split(";"):
        if parts and VERB not in part and _open_brackets(parts[-1]) > 0:
            parts[-1] += f";{part}"
        else:
            parts.append(part)
    return [part for part in parts if part.strip()]


def _open_brackets(text: str) -> int:
    return sum(text.count(bracket) for bracket in "([{") - sum(text.count(bracket) for bracket in ")]}")


def _clean(label: str) -> str:
    return " ".join(label.split())
