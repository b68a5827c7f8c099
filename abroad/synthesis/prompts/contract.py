"""Write congeners as authors do: "gloeophyllins A-C" for gloeophyllin A, gloeophyllin B, gloeophyllin C."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from abroad.core.wording import enumerate_words

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV")
_CONGENER = re.compile(r"(?P<stem>.*[^\W\d_]{3,}) (?P<suffix>[A-Z]|[IVX]{2,5}|[1-9]\d?)")
_SHORTEST_RANGE = 3  # two neighbours are "A and B"


@dataclass(frozen=True)
class Phrase:
    """Words for one or more chemicals.

    Attributes:
        text: "gloeophyllins A-C".
        labels: the names it stands for, in its order.
    """

    text: str
    labels: tuple[str, ...]


def contract(labels: Sequence[str]) -> list[Phrase]:
    """Phrases for all labels: congeners of one stem share one, others have their own; in order of first mention."""
    groups: dict[object, list[str]] = {}
    for label in labels:
        match = _CONGENER.fullmatch(label)
        groups.setdefault(match["stem"].casefold() if match else ("", label), []).append(label)
    return [_phrase(group) for group in groups.values()]


def _phrase(labels: list[str]) -> Phrase:
    matches = [_CONGENER.fullmatch(label) for label in labels]
    suffixes = [match["suffix"] for match in matches if match]
    order = _order_of(suffixes)
    if len(labels) == 1 or order is None or len(set(suffixes)) != len(labels):
        return Phrase(enumerate_words(labels), tuple(labels))
    ranked = sorted(zip(map(order.index, suffixes), labels, strict=True))
    runs: list[list[int]] = []
    for place, _ in ranked:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    parts = []
    for run in runs:
        if len(run) >= _SHORTEST_RANGE:
            parts.append(f"{order[run[0]]}-{order[run[-1]]}")
        else:
            parts += [order[place] for place in run]
    stem = matches[0]["stem"] if matches[0] else ""
    plural = stem if stem.endswith("s") else stem + "s"
    return Phrase(f"{plural} {enumerate_words(parts)}", tuple(label for _, label in ranked))


def _order_of(suffixes: Sequence[str]) -> list[str] | None:
    """The sequence all suffixes belong to; None if they belong to none together."""
    letters = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
    for order in (letters, list(_ROMAN), [str(number) for number in range(1, 100)]):
        if all(suffix in order for suffix in suffixes):
            return order
    return None
