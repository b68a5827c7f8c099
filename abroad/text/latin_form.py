"""How much a word looks like an epithet or a genus: log-odds of its three-letter pieces, learnt from lists.

The odds compare epithets (or genera) of NCBI Taxonomy with ordinary words of abstracts;
`abroad.text.learn.form` counts them.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib.resources import files


@lru_cache(maxsize=1 << 16)
def epithet_form(word: str) -> float:
    """Mean log-odds of the pieces: above 0 is nearer to epithets than to ordinary words."""
    return _mean(word, "epithets")


@lru_cache(maxsize=1 << 14)
def genus_form(word: str) -> float:
    """The same for the name of a genus."""
    return _mean(word.lower(), "genera")


def pieces(word: str) -> list[str]:
    """ "^^alba$" in pieces of three letters, the last four letters and the last five."""
    marked = f"^{word}$"
    return [*(marked[i : i + 3] for i in range(len(marked) - 2)), marked[-4:], marked[-5:]]


def _mean(word: str, kind: str) -> float:
    odds = _odds()[kind]
    parts = pieces(word)
    return sum(odds.get(part, 0.0) for part in parts) / len(parts)


@cache
def _odds() -> dict[str, dict[str, float]]:
    text = (files("abroad.text") / "data" / "latin_form.json").read_text(encoding="utf-8")
    loaded: dict[str, dict[str, float]] = json.loads(text)
    return loaded
