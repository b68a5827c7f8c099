"""What is counted of a pair of entities of a text, whatever the field: how often, how far apart, in which sentences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from abroad.extraction.joint.texts import Candidate, Entity, Text

MAX_SPANS = 40
"""Of each entity that are compared; an abstract names one 20 times at most."""

NAMES = (
    *("mentions of the head", "mentions of the tail", "entities of the text"),
    *("entities of the head's type", "entities of the tail's type"),
    *("head in the title", "tail in the title", "both in the title"),
    *("head in the last sentence", "tail in the last sentence"),
    *("sentences with both", "share of the head's sentences", "share of the tail's sentences"),
    *("fewest sentences between", "fewest tokens between", "head first", "one covers the other"),
    *("entities between", "fewest entities in a sentence of both", "sentences of the text"),
)


def pair_features(text: Text, entities: Sequence[Entity], candidates: Sequence[Candidate]) -> np.ndarray:
    """One row for each candidate, float32 of shape (candidates, len(NAMES))."""
    rows = [_row(text, entities, candidate) for candidate in candidates]
    return np.array(rows, dtype=np.float32).reshape(len(candidates), len(NAMES))


def _row(text: Text, entities: Sequence[Entity], candidate: Candidate) -> list[float]:
    head, tail = entities[candidate.head], entities[candidate.tail]
    ours, theirs = _sentences(text, head), _sentences(text, tail)
    both = ours & theirs
    last = max(text.sentences - 1, 0)
    closest = min(
        ((_gap(one, other), one, other) for one in head.spans[:MAX_SPANS] for other in tail.spans[:MAX_SPANS]),
        key=lambda t: t[0],
    )
    gap, one, other = closest
    first, second = sorted((one, other))
    between = sum(first[1] <= span[0] and span[1] <= second[0] for entity in entities for span in entity.spans)
    crowd = {sentence: 0 for sentence in both}
    for entity in entities if both else ():
        for sentence in _sentences(text, entity) & both:
            crowd[sentence] += 1
    log = np.log1p
    return [
        log(len(head.spans)),
        log(len(tail.spans)),
        log(len(entities)),
        log(sum(entity.type == head.type for entity in entities)),
        log(sum(entity.type == tail.type for entity in entities)),
        0 in ours,
        0 in theirs,
        0 in both,
        last in ours,
        last in theirs,
        log(len(both)),
        len(both) / len(ours),
        len(both) / len(theirs),
        log(min(abs(a - b) for a in ours for b in theirs)),
        log(max(gap, 0)),
        one < other,
        gap < 0,
        log(between),
        log(min(crowd.values(), default=0)),
        log(text.sentences),
    ]


def _sentences(text: Text, entity: Entity) -> set[int]:
    return {text.tokens[first].sentence for first, _ in entity.spans}


def _gap(one: tuple[int, int], other: tuple[int, int]) -> int:
    """Tokens between two spans; negative where they overlap."""
    return max(one[0], other[0]) - min(one[1], other[1])
