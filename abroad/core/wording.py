"""English for what is put into sentences."""

from __future__ import annotations

from collections.abc import Sequence


def enumerate_words(parts: Sequence[str]) -> str:
    """ "a, b and c"; at least one part."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
