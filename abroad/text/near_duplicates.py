"""Texts that nearly repeat another, by MinHash (Broder 1997) and locality-sensitive hashing, from datasketch."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_SHINGLE = 4  # words
_PERMUTATIONS = 128


class NearDuplicates:
    """Finds earlier texts that share most of their word shingles.

    Args:
        threshold: estimated Jaccard similarity from which on two texts count as near-duplicates.
    """

    def __init__(self, threshold: float = 0.7) -> None:
        from datasketch import MinHashLSH

        self._threshold = threshold
        self._index = MinHashLSH(threshold=max(threshold - 0.1, 0.1), num_perm=_PERMUTATIONS)
        self._hashes: dict[str, Any] = {}

    def add(self, key: str, text: str) -> str | None:
        """Remember a text; the key of an earlier near-duplicate, or None. A near-duplicate is not remembered."""
        own = _min_hash(shingles(text))
        for other in sorted(self._index.query(own)):
            if own.jaccard(self._hashes[other]) >= self._threshold:
                return other
        if key not in self._hashes:
            self._index.insert(key, own)
            self._hashes[key] = own
        return None


def shingles(text: str) -> set[str]:
    """Runs of four words, lower case; all words for a shorter text."""
    words = re.findall(r"\w+", text.lower())
    runs = {" ".join(words[index : index + _SHINGLE]) for index in range(len(words) - _SHINGLE + 1)}
    return runs or set(words)


def _min_hash(parts: Iterable[str]) -> Any:
    from datasketch import MinHash

    result = MinHash(num_perm=_PERMUTATIONS, seed=1)
    result.update_batch([part.encode("utf-8") for part in parts])
    return result
