"""Train the built-in extractor, and measure it on documents it has not seen.

The scorer must learn from what the tagger says of unseen text, so the tagger's opinion of
each training document comes from a tagger trained without it (stacking, Wolpert 1992).
Cross-validation goes around all of that, and calibration is fitted to its held-out scores.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from abroad.core.errors import InputError
from abroad.core.progress import Progress
from abroad.core.schema import Document
from abroad.extraction.builtin.calibrate import best_threshold
from abroad.extraction.builtin.encoder import TextScores
from abroad.extraction.builtin.examples import Example
from abroad.extraction.builtin.excerpts import parents
from abroad.extraction.builtin.held_out import HeldOut, calibrated
from abroad.extraction.builtin.mentions import AdaptedTagger, NoTagger, Tagger
from abroad.extraction.builtin.pairs import PairExtractor, load_pair_extractor
from abroad.extraction.builtin.score import (
    CandidateTable,
    LinearModel,
    RelationScorer,
    ScoredPair,
    candidate_table,
    ranked_pairs,
    stacked,
)
from abroad.extraction.builtin.settings import ExtractorTrainSettings

SYNTHETIC_WEIGHT = 0.5
_INNER = 4  # folds of the tagger
_STACK = 5  # folds of the two models below the pairs'
_STRENGTH = 0.02  # scikit-learn's C
_REFIT_STRENGTH = 0.001  # of what changes a scorer that is there
_MIN_DOCUMENTS = 10


@dataclass(frozen=True)
class Basis:
    """What an extractor is trained upon.

    Attributes:
        tagger: whose opinions the scorer learns to read.
        scorer: one that has learnt from other documents and is only corrected; None to learn anew.
    """

    tagger: Tagger
    scorer: RelationScorer | None = None

    @classmethod
    def built_in(cls) -> Basis:
        """What the built-in extractor has learnt."""
        extractor = load_pair_extractor()
        return cls(extractor.tagger, extractor.scorer)


@dataclass(frozen=True)
class _Judged:
    """A document's candidates with the truth and the weight of each organism, chemical and pair, by "side"."""

    table: CandidateTable
    truth: Mapping[str, np.ndarray]
    weight: Mapping[str, np.ndarray]


def split_folds(ids: Sequence[str], folds: int, seed: int) -> list[list[int]]:
    """Indices of each fold, shuffled; texts of one document, such as its excerpts, are in one fold.

    Raises:
        InputError: all texts are of one document.
    """
    from sklearn.model_selection import GroupKFold

    groups = _documents_of(ids)
    if (count := len(np.unique(groups))) < 2:
        raise InputError("every text is of one document: expected two documents or more, to measure on unseen ones")
    splitter = GroupKFold(min(folds, count), shuffle=True, random_state=seed)
    return [inside.tolist() for _, inside in splitter.split(groups, groups=groups)]


def _documents_of(ids: Sequence[str]) -> np.ndarray:
    """A number for each text, shape (texts,); those that share a document have one."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    numbers: dict[str, int] = {}  # of the documents, after those of the texts
    links = [
        (index, numbers.setdefault(p, len(ids) + len(numbers))) for index, id in enumerate(ids) for p in parents(id)
    ]
    size = len(ids) + len(numbers)
    _, components = connected_components(coo_array((np.ones(len(links)), np.array(links).T), shape=(size, size)))
    return np.asarray(components[: len(ids)])


def train_extractor(
    curated: Sequence[Document],
    synthetic: Sequence[Document | Example],
    base: Basis,
    settings: ExtractorTrainSettings | None = None,
) -> tuple[PairExtractor, HeldOut]:
    """Train on all documents; calibrate and measure on held-out curated ones.

    Args:
        curated: documents whose relations are complete; a document with none counts too.
        synthetic: further documents, of weight 0.5, or examples of their own weight; never measured on.
        base: the encoder that the models build on, and the scorer that they correct.
        settings: how it is trained; the defaults without.
    Returns:
        The extractor, and what cross-validation found.
    Raises:
        InputError: fewer than ten curated documents, or none with a relation.
    """
    settings = settings or ExtractorTrainSettings()
    folds, seed = settings.folds, settings.seed
    examples = [Example(document, settings.weight) for document in curated]
    extra = [item if isinstance(item, Example) else Example(item, SYNTHETIC_WEIGHT) for item in synthetic]
    if len(examples) < _MIN_DOCUMENTS or not any(example.gold for example in examples):
        raise InputError(f"expected {_MIN_DOCUMENTS} curated documents or more, some with relations")
    ways = [settings.adapt] if settings.adapt is not None else [False, True]
    ways = [True] if isinstance(base.tagger, NoTagger) else ways
    measured = [cross_validate(examples, extra, base, folds, seed, adapt) for adapt in ways]
    best = max(range(len(ways)), key=lambda way: measured[way].facts["best"]["f1"])  # the tagger as it is, if equal
    adapt, held_out = ways[best], measured[best]
    tagger, scorer = fit_models([*examples, *extra], base, seed, adapt)
    facts = {
        "curated documents": len(examples),
        "synthetic documents": len(extra),
        "relations": sum(len(example.gold) for example in examples),
        "folds": folds,
        "seed": seed,
        "the tagger learnt too": adapt,
        **({"weight of curated documents": settings.weight} if settings.weight != 1 else {}),
        **held_out.facts,
    }
    learnt, points = (tagger, scorer, held_out.scaling), held_out.points
    return PairExtractor(*learnt, points, best_threshold(points), facts, {}), held_out


def cross_validate(
    examples: Sequence[Example],
    extra: Sequence[Example],
    base: Basis,
    folds: int = 5,
    seed: int = 0,
    adapt: bool = True,
) -> HeldOut:
    """Score each document with models that never saw it."""
    raw: dict[int, list[ScoredPair]] = {}
    parts = split_folds([example.document.id for example in examples], folds, seed)
    with Progress("cross-validation", folds) as progress:
        for part in parts:
            inside = set(part)
            rest = [example for index, example in enumerate(examples) if index not in inside]
            unseen = {examples[index].document.id for index in part}
            others = [example for example in extra if not parents(example.document.id) & unseen]
            tagger, scorer = fit_models([*rest, *others], base, seed, adapt)
            for index in part:
                example = examples[index]
                table = candidate_table(example.reading, _corrected(tagger, example, base.tagger))
                raw[index] = [] if table is None else ranked_pairs(table, scorer.probabilities(table))
            progress.advance()
    return calibrated(examples, parts, raw)


def fit_models(
    examples: Sequence[Example], base: Basis, seed: int = 0, adapt: bool = True
) -> tuple[Tagger, RelationScorer]:
    """The tagger adapted to all examples, and the scorer fitted to what unaware taggers say of them.

    Args:
        adapt: False takes the encoder as it is, for documents that it has not been trained on.
    """
    order = list(range(len(examples)))
    random.Random(seed + 1).shuffle(order)
    opinions: dict[int, TextScores] = {}
    for part in (order[inner::_INNER] for inner in range(_INNER)) if adapt else [order]:
        inside = set(part)
        rest = [examples[index] for index in order if index not in inside]
        tagger = _adapt(rest, base.tagger) if adapt else base.tagger
        opinions |= {index: _corrected(tagger, examples[index], base.tagger) for index in part}
    judged = [_judge(examples[index], opinions[index]) for index in order]
    scorer = _fit_scorer([entry for entry in judged if entry is not None], base.scorer)
    return _adapt([examples[index] for index in order], base.tagger) if adapt else base.tagger, scorer


def _adapt(examples: Sequence[Example], base: Tagger) -> AdaptedTagger:
    # Where only some pairs were judged, names without a tag may be names all the same.
    whole = (e for e in examples if e.reading.tokens and e.judged is None)
    return AdaptedTagger.train(base, ((e.reading, e.scores(base), *e.tags) for e in whole))


def _corrected(tagger: Tagger, example: Example, base: Tagger) -> TextScores:
    scores = example.scores(base)  # the encoder reads each document once, however many folds there are
    return tagger.correct(example.reading, scores) if isinstance(tagger, AdaptedTagger) else scores


def _judge(example: Example, opinion: TextScores) -> _Judged | None:
    table = candidate_table(example.reading, opinion)
    if table is None:
        return None
    judged = example.judged
    gold = example.gold if judged is None else {pair for pair, holds in judged.items() if holds}
    organisms, chemicals = {organism for organism, _ in gold}, {chemical for _, chemical in gold}
    pairs = [(organism.key, chemical.key) for organism, chemical in table.pairs]
    truth = {
        "organism": np.array([candidate.key in organisms for candidate in table.organisms]),
        "chemical": np.array([candidate.key in chemicals for candidate in table.chemicals]),
        "pair": np.array([pair in gold for pair in pairs]),
    }
    known = {side: np.ones(len(values)) for side, values in truth.items()}
    if judged is not None:  # what takes part in a relation is known; what else does is not
        known = {"organism": truth["organism"], "chemical": truth["chemical"]}
        known["pair"] = np.array([pair in judged for pair in pairs])
    elif example.unknown:
        known = _without_unknown(example.unknown, table, truth)
    return _Judged(table, truth, {side: example.weight * values for side, values in known.items()})


def _without_unknown(
    unknown: frozenset[tuple[str, str]], table: CandidateTable, truth: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Weights by which nothing is learnt of these pairs, nor of names that take part in them and in no gold one."""
    organisms, chemicals = {organism for organism, _ in unknown}, {chemical for _, chemical in unknown}
    free = {
        "organism": np.array([candidate.key not in organisms for candidate in table.organisms]),
        "chemical": np.array([candidate.key not in chemicals for candidate in table.chemicals]),
        "pair": np.array([(organism.key, chemical.key) not in unknown for organism, chemical in table.pairs]),
    }
    return {side: (free[side] | truth[side]).astype(float) for side in free}


def _fit_scorer(judged: Sequence[_Judged], before: RelationScorer | None) -> RelationScorer:
    if len(judged) <= 1:
        raise InputError("fewer than two documents name an organism and a chemical; expected both in each text")
    odds: list[tuple[np.ndarray, np.ndarray]] = [(np.zeros(0), np.zeros(0))] * len(judged)
    for part in range(_STACK):
        organism, chemical = _fit_sides([e for index, e in enumerate(judged) if index % _STACK != part], before)
        for index in range(part, len(judged), _STACK):
            table = judged[index].table
            odds[index] = organism.log_odds(table.organism_values), chemical.log_odds(table.chemical_values)
    rows = [stacked(entry.table, *sides) for entry, sides in zip(judged, odds, strict=True)]
    pair = _fit(rows[0][0], [values for _, values in rows], judged, ("pair", before.pair if before else None))
    return RelationScorer(*_fit_sides(judged, before), pair)


def _fit_sides(judged: Sequence[_Judged], before: RelationScorer | None) -> tuple[LinearModel, LinearModel]:
    names = judged[0].table.names
    organisms, chemicals = ([getattr(e.table, f"{side}_values") for e in judged] for side in ("organism", "chemical"))
    return (
        _fit(names[0], organisms, judged, ("organism", before.organism if before else None)),
        _fit(names[1], chemicals, judged, ("chemical", before.chemical if before else None)),
    )


def _fit(
    names: Sequence[str],
    values: Sequence[np.ndarray],
    judged: Sequence[_Judged],
    model: tuple[str, LinearModel | None],
) -> LinearModel:
    """Fit the model of a side, upon the one that is there."""
    side, before = model
    truth, weight = (
        np.concatenate([part[side] for part in parts])
        for parts in zip(*((e.truth, e.weight) for e in judged), strict=True)
    )
    known = weight > 0
    rows, truth, weight = np.vstack(values)[known], truth[known], weight[known]
    if before is not None:
        return before.refitted(rows, truth, weight, _REFIT_STRENGTH)
    return LinearModel.fit(names, rows, truth, weight, _STRENGTH)
