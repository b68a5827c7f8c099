"""Mentions as a tag for each token and back: O, then "begins" and "goes on" for each type of entity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from abroad.extraction.joint.texts import Mention, Text, span_of

OUTSIDE = 0


def begins(type: int) -> int:
    """The tag of the first token of a mention of the type of this number."""
    return 1 + 2 * type


def tags_of(text: Text, mentions: Sequence[Mention], types: Sequence[str]) -> np.ndarray:
    """A tag for each token, int64 of shape (tokens,); of mentions that overlap the longer is taken."""
    tags = np.zeros(len(text.tokens), dtype=np.int64)
    numbers = {type: number for number, type in enumerate(types)}
    for mention in sorted(mentions, key=lambda mention: mention.start - mention.end):
        first, last = span_of(text, mention.start, mention.end)
        if first < last and not tags[first:last].any():
            tags[first] = begins(numbers[mention.type])
            tags[first + 1 : last] = begins(numbers[mention.type]) + 1
    return tags


def mentions_of(text: Text, scores: np.ndarray, types: Sequence[str]) -> list[Mention]:
    """The mentions of the most probable tags, without identifiers.

    Args:
        scores: log-probability of each tag, shape (tokens, 1 + 2 types).
    """
    found: list[tuple[int, int, int]] = []  # first token, one past the last, type
    for index, tag in enumerate(best_tags(scores)):
        if tag == OUTSIDE:
            continue
        if tag % 2:
            found.append((index, index + 1, (tag - 1) // 2))
        else:
            found[-1] = (found[-1][0], index + 1, found[-1][2])
    spans = text.token_spans
    return [Mention(spans[first][0], spans[last - 1][1], types[type]) for first, last, type in found]


def best_tags(scores: np.ndarray) -> list[int]:
    """The most probable tags in which no mention goes on before it has begun (Viterbi 1967).

    Args:
        scores: log-probability of each tag, shape (tokens, tags).
    """
    if not len(scores):
        return []
    count = scores.shape[1]
    goes_on = np.arange(2, count, 2)
    best = scores[0].astype(float).copy()
    best[goes_on] = -np.inf
    back = np.zeros((len(scores), count), dtype=np.int64)
    for index in range(1, len(scores)):
        before = int(best.argmax())
        back[index] = before
        reached = np.full(count, best[before])
        stays = best[goes_on] >= best[goes_on - 1]
        back[index, goes_on] = np.where(stays, goes_on, goes_on - 1)
        reached[goes_on] = np.maximum(best[goes_on], best[goes_on - 1])
        best = reached + scores[index]
    tags = [int(best.argmax())]
    for index in range(len(scores) - 1, 0, -1):
        tags.append(int(back[index, tags[-1]]))
    return tags[::-1]
