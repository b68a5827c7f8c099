"""Learns what epithets and genera look like, against ordinary words.

Run: python -m abroad.text.learn.form
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from abroad.text.latin_form import pieces
from abroad.text.taxon_names import epithets, genera
from abroad.text.word_counts import counted_words

_MIN_COUNT = 10
_MIN_ORDINARY = 5
_SMOOTHING = 2.0


def log_odds(members: Iterable[str], others: Iterable[str]) -> dict[str, float]:
    """Log of how much more often a piece stands in members than in the others."""
    first = Counter(piece for word in members for piece in pieces(word))
    second = Counter(piece for word in others for piece in pieces(word))
    n_first, n_second = sum(first.values()), sum(second.values())
    return {
        piece: round(
            math.log((first[piece] / n_first + _SMOOTHING / n_second) / ((second[piece] + _SMOOTHING) / n_second)), 2
        )
        for piece in sorted(first.keys() | second.keys())
        if first[piece] + second[piece] >= _MIN_COUNT
    }


def main() -> None:
    known = epithets()
    ordinary = [
        word
        for word, counts in counted_words()
        if counts.ordinary + counts.plain >= _MIN_ORDINARY
        and counts.after + counts.italic <= (counts.ordinary + counts.plain) / 10
        and len(word) > 2
        and word not in known
    ]
    odds = {
        "epithets": log_odds(known, ordinary),
        "genera": log_odds((word.lower() for word in genera()), ordinary),
    }
    path = Path(__file__).parents[1] / "data" / "latin_form.json"
    path.write_text(json.dumps(odds, separators=(",", ":"), sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
