"""One stretch of text and the labels that it stands for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expansion:
    """Labels that one stretch of text stands for.

    Attributes:
        labels: in order; distinct.
        start: offset (code points) where the stretch begins.
        end: offset after the stretch.
        spans: of each label, the narrowest stretch that names it (its suffix or range).
        rule: "list", "range" or "shared head".
        capped: labels beyond MAX_LABELS that were left out.
    """

    labels: tuple[str, ...]
    start: int
    end: int
    spans: tuple[tuple[int, int], ...]
    rule: str
    capped: int = 0


def singular(head: str) -> str:
    """A plural head made singular: "gloeophyllins" -> "gloeophyllin"."""
    if head.endswith("ies") and len(head) > 5:
        return head[:-3] + "y"
    if head.endswith(("uses", "sses", "xes")):
        return head[:-2]
    if head.endswith(("ss", "us", "is")):
        return head
    return head[:-1] if head[-1:] in ("s", "S") else head
