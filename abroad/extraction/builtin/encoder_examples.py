"""Training examples of the encoder: from labels, or from what a larger model says of a text (distillation)."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from abroad.core.schema import Document
from abroad.extraction.builtin.align import Alignment, align, bio_tags, find_names
from abroad.extraction.builtin.encoder import TextScores
from abroad.extraction.builtin.pieces import PieceReader, Window
from abroad.extraction.builtin.reading import Reading
from abroad.text.tokens import tokens_in

TAGS = ("O", "B", "I")
_MAX_PAIRS = 300
_SEVERAL = 3.0  # weight of who makes what where a text has several producers, which one text in ten has
_LIKELY = 0.3  # probability of a name from which a teacher is asked what goes with it


@dataclass
class EncoderExample:
    """One window of a document with what is to be learnt of it.

    Attributes:
        chemical: probabilities of TAGS for each token, float32 of shape (tokens, 3); nothing is learnt from a row of
            zeros.
        organism: likewise.
        pairs: (chemical token, organism token) by number within the window, int64 of shape (pairs, 2).
        together: probability that the two go together, float32 of shape (pairs,).
        reports: probability that the text reports any production, or -1 where it is not known.
        weight: of the tokens and the pairs.
        of_pairs: further weight of the pairs.
    """

    window: Window
    chemical: np.ndarray
    organism: np.ndarray
    pairs: np.ndarray
    together: np.ndarray
    reports: float
    weight: float = 1.0
    of_pairs: float = 1.0


def encoder_examples(
    document: Document,
    reading: Reading,
    reader: PieceReader,
    unsure: np.ndarray | None = None,
    weight: float = 1.0,
) -> Iterator[EncoderExample]:
    """What there is to learn of a document with labels.

    Args:
        unsure: of a document whose relations are not all labelled, the tokens that may name further chemicals: they
            are not learnt from where no label covers them, bool of shape (tokens,); None: the labels are complete.
    """
    found = align(document, reading)
    sides = [[span for spans in side.values() for span in spans] for side in (found.chemicals, found.organisms)]
    chemical, organism = (_one_hot(bio_tags(reading.tokens, spans)) for spans in sides)
    if unsure is not None:
        chemical[(chemical[:, 0] > 0) & unsure] = 0
    pairs = _pairs(document, reading, found)
    of_pairs = _SEVERAL if len({organism for organism, _ in document.label_pairs()}) > 1 else 1.0
    reports = float(bool(document.relations)) if unsure is None or document.relations else -1.0
    yield from _by_window(reading, reader, (chemical, organism), pairs, reports, (weight, of_pairs))


def distilled_examples(
    document: Document, reading: Reading, scores: TextScores, reader: PieceReader, weight: float = 1.0
) -> Iterator[EncoderExample]:
    """What there is to learn of a text of which a larger model has an opinion, and some labels may be known.

    Names and relations that are labelled go before the opinion, and so do organisms that are known to produce nothing
    here (`negative_organisms`).

    Source: Hinton, Vinyals and Dean 2015 (arXiv:1503.02531), with a temperature of 1.
    """
    found = align(document, reading)
    sides = [scores.chemical.astype(np.float32), scores.organism.astype(np.float32)]
    for side, names in zip(sides, (found.chemicals, found.organisms), strict=True):
        spans = [span for own in names.values() for span in own]
        told = _one_hot(bio_tags(reading.tokens, spans))
        rows = told[:, 0] == 0
        side[rows] = told[rows]
    hosts = [
        span for name in _names(document.extra.get("negative_organisms", ())) for span in find_names(reading, name)
    ]
    hosts = [span for span in hosts if span not in {s for own in found.organisms.values() for s in own}]
    for span in hosts:
        sides[1][slice(*tokens_in(reading.tokens, *span))] = np.eye(len(TAGS), dtype=np.float32)[0]
    known = {(c, o): y for c, o, y in _pairs(document, reading, found)}
    pairs = [(c, o, known.get((c, o), y)) for c, o, y in _opinion_of_pairs(reading, scores)]
    nothing = {tokens_in(reading.tokens, *span)[0] for span in hosts}
    pairs = [(c, o, 0.0 if o in nothing else y) for c, o, y in pairs]
    reports = 1.0 if document.relations else float(1 / (1 + np.exp(-scores.reports)))
    of_pairs = _SEVERAL if hosts or len({organism for organism, _ in document.label_pairs()}) > 1 else 1.0
    yield from _by_window(reading, reader, (sides[0], sides[1]), _some(pairs), reports, (weight, of_pairs))


def _opinion_of_pairs(reading: Reading, scores: TextScores) -> list[tuple[int, int, float]]:
    names, likely = (np.flatnonzero(side[:, 1] >= _LIKELY).tolist() for side in (scores.chemical, scores.organism))
    producers = {*likely, *(tokens_in(reading.tokens, m.start, m.end)[0] for m in reading.organisms)}
    columns = sorted(producers)
    odds = 1 / (1 + np.exp(-scores.pair_odds(names, columns)))
    return [(c, o, float(odds[row, col])) for row, c in enumerate(names) for col, o in enumerate(columns)]


def _names(entities: Sequence[str | dict[str, str]]) -> Iterator[str]:
    yield from (entity if isinstance(entity, str) else entity["label"] for entity in entities)


def _by_window(
    reading: Reading,
    reader: PieceReader,
    sides: tuple[np.ndarray, np.ndarray],
    pairs: Sequence[tuple[int, int, float]],
    reports: float,
    weights: tuple[float, float],
) -> Iterator[EncoderExample]:
    for window in reader.windows(reading.tokens, reading.folded):
        first, last = window.first, window.first + len(window.heads)
        inside = [(c - first, o - first, y) for c, o, y in pairs if first <= c < last and first <= o < last]
        rows = np.array(inside, dtype=np.float64).reshape(-1, 3)
        chemical, organism = (side[first:last] for side in sides)
        whole = first == 0 and last == len(reading.tokens)
        numbers, together = rows[:, :2].astype(np.int64), rows[:, 2].astype(np.float32)
        yield EncoderExample(window, chemical, organism, numbers, together, reports if whole else -1.0, *weights)


def _one_hot(tags: Sequence[str]) -> np.ndarray:
    return np.eye(len(TAGS), dtype=np.float32)[[TAGS.index(tag) for tag in tags]].reshape(-1, len(TAGS))


def _pairs(document: Document, reading: Reading, found: Alignment) -> list[tuple[int, int, float]]:
    related = set(document.label_pairs())
    organisms = [(label, span) for label, spans in found.organisms.items() for span in spans]
    taken = [span for _, span in organisms]
    organisms += [
        ("", (m.start, m.end)) for m in reading.organisms if all(m.end <= s or m.start >= e for s, e in taken)
    ]
    pairs: dict[tuple[int, int], float] = {}
    for label, spans in found.chemicals.items():
        for span in spans:
            c = tokens_in(reading.tokens, *span)[0]
            for name, named in organisms:
                o = tokens_in(reading.tokens, *named)[0]
                pairs[c, o] = max(pairs.get((c, o), 0.0), float((name, label) in related))
    return _some([(c, o, y) for (c, o), y in pairs.items()])


def _some(rows: list[tuple[int, int, float]]) -> list[tuple[int, int, float]]:
    return rows if len(rows) <= _MAX_PAIRS else random.Random(len(rows)).sample(rows, _MAX_PAIRS)
