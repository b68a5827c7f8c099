"""What a scorer sees of a candidate organism, a candidate chemical, and the two as a pair.

Each function gives name -> number for every candidate of a document; names are stable,
since trained models refer to them. Words are the encoder's business: here stand its
opinions, how they compare with each other, and where in the text the candidates are.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from abroad.extraction.builtin.candidates import ChemicalCandidate, OrganismCandidate
from abroad.extraction.builtin.encoder import TextScores
from abroad.extraction.builtin.reading import Reading
from abroad.text.negation import is_negator
from abroad.text.taxon_names import epithets, species_of

Features = dict[str, float]

_COMMA_BETWEEN_WORDS = re.compile(r"[^\W\d_]{3}, ")
_FORMS = ("binomial", "abbreviated", "unnamed", "genus", "higher", "common", "hybrid", "candidatus", "tagged")


def organism_features(reading: Reading, organisms: Sequence[OrganismCandidate], scores: TextScores) -> list[Features]:
    """Of each organism: the encoder's opinion of its mentions, its form and place, and its rivals."""
    best = [max(span.score for span in organism.spans) for organism in organisms]
    mean = [float(np.mean([span.score for span in organism.spans])) for organism in organisms]
    total = [sum(span.score for span in organism.spans) for organism in organisms]
    titled = sum(_in_title(reading, organism) for organism in organisms)
    result = []
    for place, organism in enumerate(organisms):
        forms = {span.mention.form for span in organism.spans}
        genus, _, epithet = organism.label.partition(" ")
        others = [other for other in range(len(organisms)) if other != place]
        same_genus = [o for o in others if organisms[o].label.split(" ")[0] == genus and " " in organisms[o].label]
        inside = [o for o in others if organism.key in organisms[o].key]
        in_title = _in_title(reading, organism)
        rival = max((best[o] for o in others), default=0.0)
        found: Features = {f"form {form}": form in forms for form in _FORMS}
        found |= {
            "reports": scores.reports,
            "log tokens": _length(reading),
            "best": best[place],
            "best odds": _odds(best[place]),
            "mean odds": _odds(mean[place]),
            "log total": math.log(total[place] + 1e-3),
            "belief": max(getattr(span.mention, "belief", 1.0) for span in organism.spans),
            "known species": bool(epithet) and epithet in species_of(genus),
            "known epithet": bool(epithet) and epithet in epithets(),
            "rival odds": _odds(rival),
            "lead": best[place] - rival,
            "in title": in_title,
            "alone in title": in_title and titled == 1,
            "some in title": titled > 0,
            "mentions": math.log(len(organism.spans)),
            "others": math.log(len(organisms)),
            "first": place == 0,
            "genus of another": not epithet and bool(same_genus),
            "better congener": max((best[o] for o in same_genus), default=0.0) if not epithet else 0.0,
            "part of another": bool(inside),
            "better whole": max((best[o] for o in inside), default=0.0),
            "position": organism.spans[0].mention.start / max(1, len(reading.text)),
        }
        result.append(_numbers(found))
    return result


def chemical_features(
    reading: Reading,
    organisms: Sequence[OrganismCandidate],
    chemicals: Sequence[ChemicalCandidate],
    scores: TextScores,
) -> list[Features]:
    """Of each chemical: the encoder's opinion of its stretches, its form and place, and what it overlaps."""
    places = np.array([[c.best.start, c.best.end] for c in chemicals]).reshape(-1, 2)
    means = np.array([c.best.mean for c in chemicals])
    log_scores = np.array([c.best.log_score for c in chemicals])
    keys = [c.key for c in chemicals]
    organism_keys = [organism.key for organism in organisms]
    organism_scores = 1 - scores.organism[:, 0]
    certain = int((means > 0.5).sum())
    first_words = Counter(word for c in chemicals if c.best.mean > 0.5 for word in {c.label.lower().split(" ")[0]})
    result = []
    for chemical in chemicals:
        best, label, key = chemical.best, chemical.label, chemical.key
        by_start = {span.start: span.mean for span in chemical.spans}
        overlaps = (
            ((places[:, 0] != best.start) | (places[:, 1] != best.end))
            & (places[:, 0] < best.end)
            & (places[:, 1] > best.start)
        )
        plural = label.endswith("s") and not label.endswith(("us", "is", "ss"))
        stem = key.removesuffix("s")
        found: Features = {
            "reports": scores.reports,
            "log tokens": _length(reading),
            "log score": max(best.log_score, -12),
            "mean": best.mean,
            "mean odds": _odds(best.mean),
            "least odds": _odds(best.least),
            "most odds": _odds(best.most),
            "best most": max(span.most for span in chemical.spans),
            "tagged": any(span.tagged for span in chemical.spans),
            "tagged here": best.tagged,
            "listed": any(span.listed for span in chemical.spans),
            "log labels": math.log(best.labels),
            "member": best.labels > 1,
            "abbreviation": best.rule == "abbreviation",
            "tokens": math.log(best.last - best.first),
            "log length": math.log(len(label)),
            "mentions": math.log(len(by_start)),
            "log all mentions": math.log(sum(by_start.values()) + 1e-3),
            "in title": any(span.start < reading.title_end for span in chemical.spans),
            "beaten by": float(np.clip((log_scores[overlaps] - best.log_score).max(initial=-5), -5, 6)),
            "beaten mean": float((means[overlaps] - best.mean).max(initial=-1)),
            "digit": any(character.isdigit() for character in label),
            "comma between words": _COMMA_BETWEEN_WORDS.search(label) is not None,
            "capitals": label.isupper(),
            "plural": plural,
            "plural beside others": (plural and best.labels == 1) * math.log(1 + certain),
            "certain": math.log(1 + certain),
            "head of others": any(len(k) > len(stem) and k != key and k.startswith(stem) for k in keys),
            "tail of others": any(len(k) > len(stem) and k != key and k.endswith(key) for k in keys),
            "same first word": math.log(1 + first_words[label.lower().split(" ")[0]]),
            "position": best.start / max(1, len(reading.text)),
            "late": best.start >= reading.title_end,
            "organism's": float(organism_scores[best.first : best.last].max()),
            "short": len(key) < 5,
            "named as organism": any(key in o or o in key for o in organism_keys),
        }
        result.append(_numbers(found))
    return result


def pair_features(
    reading: Reading,
    organisms: Sequence[OrganismCandidate],
    chemicals: Sequence[ChemicalCandidate],
    scores: TextScores,
) -> list[Features]:
    """Of each pair, organism by organism: whether the encoder joins them, how near they stand, who stands nearer."""
    sentences = [{reading.sentence_at(m.start) for m in o.mentions} for o in organisms]
    starts = [np.array([m.start for m in o.mentions]) for o in organisms]
    chemical_starts = [np.array([span.start for span in c.spans]) for c in chemicals]
    chemical_sentences = [{reading.sentence_at(span.start) for span in c.spans} for c in chemicals]
    distances = np.array([[abs(a[:, None] - b[None, :]).min() for b in chemical_starts] for a in starts], dtype=float)
    joined = _joined(organisms, chemicals, scores)
    negated = _negated(reading, organisms, chemicals)
    several = len(organisms) > 1
    result = []
    for place in range(len(organisms)):
        for other in range(len(chemicals)):
            same = bool(sentences[place] & chemical_sentences[other])
            sharing = sum(bool(s & chemical_sentences[other]) for s in sentences)
            apart = min(abs(a - b) for a in sentences[place] for b in chemical_sentences[other])
            most, mean = joined[:, place, other]
            rivals = np.delete(joined[0, :, other], place)
            found: Features = {
                "log tokens": _length(reading),
                "sentence alone": len(reading.sentences) == 1,
                "joined": most,
                "joined mean": mean,
                "joined lead": float(np.clip(most - rivals.max(), -8, 8)) if several else 0.0,
                "same sentence": same,
                "sentences apart": min(apart, 8),
                "log distance": math.log(1 + distances[place, other]),
                "nearest": distances[:, other].argmin() == place,
                "relative distance": math.log((1 + distances[place, other]) / (1 + distances[:, other].min())),
                "others in sentence": sharing - same,
                "only others in sentence": not same and sharing > 0,
                "same sentence of several": several and same,
                "negated between": negated[place, other],
            }
            result.append(_numbers(found))
    return result


def _negated(
    reading: Reading, organisms: Sequence[OrganismCandidate], chemicals: Sequence[ChemicalCandidate]
) -> np.ndarray:
    """Whether a negator stands between the two wherever they share a sentence, (organisms, chemicals)."""
    before = np.concatenate([[0], np.cumsum([is_negator(token.text) for token in reading.tokens])])
    result = np.zeros((len(organisms), len(chemicals)), bool)
    if not before[-1]:
        return result
    rows = [_places(reading, [(m.start, m.end) for m in organism.mentions]) for organism in organisms]
    columns = [_places(reading, [(span.start, span.end) for span in chemical.spans]) for chemical in chemicals]
    for place, own in enumerate(rows):
        for other, others in enumerate(columns):
            same = own[2][:, None] == others[2]
            end = np.minimum(own[1][:, None], others[1])
            start = np.maximum(own[0][:, None], others[0])
            between = before[np.maximum(start, end)] > before[end]
            result[place, other] = same.any() and between[same].all()
    return result


def _places(reading: Reading, stretches: Sequence[tuple[int, int]]) -> np.ndarray:
    """First token, one past the last, and sentence of each stretch: (3, stretches)."""
    return np.array([(*reading.tokens_in(*stretch), reading.sentence_at(stretch[0])) for stretch in stretches]).T


def _joined(
    organisms: Sequence[OrganismCandidate], chemicals: Sequence[ChemicalCandidate], scores: TextScores
) -> np.ndarray:
    """The encoder's log-odds of each pair: (largest over mentions, of the mean mention), (2, organisms, chemicals)."""
    tokens = [sorted({span.first for span in o.spans}) for o in organisms]
    others = [sorted({span.first for span in c.spans if span.mean >= 0.5 * c.best.mean}) for c in chemicals]
    rows, columns = [t for own in tokens for t in own], [t for own in others for t in own]
    odds = scores.pair_odds(columns, rows).T
    by_row = np.repeat(np.arange(len(tokens)), [len(own) for own in tokens])
    by_column = np.repeat(np.arange(len(others)), [len(own) for own in others])
    result = np.full((2, len(organisms), len(chemicals)), -8.0)
    np.maximum.at(result[0], (by_row[:, None], by_column[None, :]), np.clip(odds, -8, 8))
    sums, counts = np.zeros(result.shape[1:]), np.zeros(result.shape[1:])
    np.add.at(sums, (by_row[:, None], by_column[None, :]), np.clip(odds, -8, 8))
    np.add.at(counts, (by_row[:, None], by_column[None, :]), 1)
    result[1] = sums / counts
    return result


def _length(reading: Reading) -> float:
    """Log of the tokens, within what abstracts have: what is longer is scored as a long abstract is."""
    return math.log(min(max(len(reading.tokens), 10), 500))


def _odds(probability: float) -> float:
    clipped = min(max(probability, 1e-4), 1 - 1e-4)
    return math.log(clipped / (1 - clipped))


def _in_title(reading: Reading, organism: OrganismCandidate) -> bool:
    return any(m.start < reading.title_end for m in organism.mentions)


def _numbers(found: Features) -> Features:
    return {name: float(value) for name, value in found.items()}
