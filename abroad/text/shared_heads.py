"""Names that share a part with the names beside them: the coordinations of `hanging` and `shared_words` together."""

from __future__ import annotations

from abroad.text.expansion import Expansion
from abroad.text.hanging import hanging
from abroad.text.shared_words import shared_words


def shared_heads(text: str) -> list[Expansion]:
    """Every coordination, in order; of two that overlap, the one with more labels."""
    found = sorted([*hanging(text), *shared_words(text)], key=lambda e: (e.start, -len(e.labels), -e.end))
    kept: list[Expansion] = []
    for expansion in found:
        if kept and expansion.start < kept[-1].end:
            if len(expansion.labels) > len(kept[-1].labels):
                kept[-1] = expansion
            continue
        kept.append(expansion)
    return kept
