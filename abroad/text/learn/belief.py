"""Learns how likely a candidate is the name of an organism.

Run: python -m abroad.text.learn.belief ../shared/data

Corpora with every organism marked give both kinds of examples. Documents with relations give names
that are right for certain; what else is named there is unknown, and so is all that is named in abstracts of
other fields, except where counts leave no doubt.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from abroad.text.learn.corpora import Labelled, encyclopedia, foods, iob, labelled, other_fields, s1000
from abroad.text.organism_candidates import NameCandidate, Words, candidates
from abroad.text.organism_features import Surroundings, features, group
from abroad.text.taxon_names import common_names, genera, singular
from abroad.text.taxonomy import Taxonomy
from abroad.text.word_counts import word_counts

_MIN_COUNT = 4
_STRENGTH = 1.0
_FEW = {"binomial": 0.05, "higher": 0.1, "abbreviated": 0.3}  # groups with few names that are wrong: weights stay small
_SMALLEST = 0.03
_FULL = frozenset(("s1000", "CRAFT-species", "BioNLP11ID-species", "BioNLP13CG-species", "encyclopedia"))
_WEIGHTS = {"s1000": 2.0, "labelled": 1.0, "foods": 1.0, "encyclopedia": 0.3}
_DOUBT = 0.05  # share of uses as a name below which a capitalised word of other fields is none
_MIN_USES = 3
_HOMONYMS = 10  # examples of each
_EVERY = 12  # pages of the encyclopedia for one that is learnt from


def examples(data: Path, validation: set[str]) -> Iterator[tuple[NameCandidate, list[str], bool, float]]:
    """Candidate, features, whether it is a name, and the weight of the example."""
    seen: Counter[str] = Counter()
    for record in (
        *s1000(data, held_out=False),
        *iob(data),
        *labelled(data, validation, held_out=False),
        *foods(data),
        *other_fields(data),
        *encyclopedia(Taxonomy.installed().descriptions(), _EVERY),
    ):
        words = Words.of(record.text)
        found = candidates(words)
        around = Surroundings.of(found)
        for one in found:
            known = verdict(one, record)
            if known is None and record.spans is None:
                known = _by_counts(one, around)
            if record.source == "encyclopedia" and _own_page(one, found):
                continue
            if known is not None:
                yield one, features(one, words, around), known, _WEIGHTS.get(record.source, 0.5)
        for one in _homonyms(words, seen):
            yield one, features(one, words, around), False, 0.5


def _homonyms(words: Words, seen: Counter[str]) -> Iterator[NameCandidate]:
    """Ordinary words that are genera as well, as if they had a capital: they have one at the start of a sentence."""
    for number, word in enumerate(words.words):
        genus = word.capitalize()
        if word.islower() and genus in genera() and seen[word] < _HOMONYMS:
            seen[word] += 1
            yield NameCandidate(words.starts[number], words.ends[number], genus, "genus", number, number, genus)


def _own_page(one: NameCandidate, found: list[NameCandidate]) -> bool:
    """Whether a page of the encyclopedia is on this genus: of all texts only these begin with a rare name."""
    return one.form != "binomial" and one.genus == found[0].genus


def verdict(one: NameCandidate, record: Labelled) -> bool | None:
    """Whether the corpus says that the candidate is a name; None where it says nothing."""
    if record.spans is None:
        label = one.label.lower()
        names = {name.lower() for name in record.labels}
        if one.form == "abbreviated":
            fits = (name.split(" ") for name in names)
            right = any(len(f) == 2 and f[0][0] == label[0] and f[1] == one.epithet for f in fits)
        else:
            right = label in names or singular(label) in names
        return True if right else None
    if record.source == "encyclopedia" and one.form in ("common", "higher"):
        return None
    if one.form in ("genus", "higher", "unnamed"):
        right = any(start <= one.start < end or one.start == start for start, end in record.spans)
    elif one.form == "common":
        right = any(start <= one.start and one.end <= end for start, end in record.spans)
    else:
        right = any(start <= one.start and one.end <= end for start, end in record.spans) and not any(
            one.start < start < one.end for start, _ in record.spans
        )
    if right or record.source in _FULL:
        return right
    return False if one.form in ("binomial", "abbreviated") else None


def _by_counts(one: NameCandidate, around: Surroundings) -> bool | None:
    """What counts say where nobody marked anything."""
    if one.form == "common":
        if one.last + 1 in around.nouns and singular(one.label.lower()) not in common_names():
            return False  # "orange" in "an orange sponge"
        return True if one.last + 1 in around.names and one.label.islower() else None
    if one.form != "genus" or one.case != "usual":
        return None
    counts = word_counts(one.genus.lower())
    name = counts.named + counts.italic_capital
    other = counts.ordinary + counts.start + counts.middle + counts.plain_capital + counts.plain
    if one.genus in around.species or name > other:
        return True if one.genus in around.species else None
    return False if other >= _MIN_USES and name <= _DOUBT * other else None


def learn(rows: list[tuple[NameCandidate, list[str], bool, float]]) -> dict[str, dict[str, float]]:
    """Weights of each group of forms."""
    grouped = defaultdict(list)
    for row in rows:
        grouped[group(row[0])].append(row)
    return {name: _regression(members, _FEW.get(name, _STRENGTH)) for name, members in sorted(grouped.items())}


def _regression(rows: list[tuple[NameCandidate, list[str], bool, float]], strength: float) -> dict[str, float]:
    counts = Counter(name for _, found, _, _ in rows for name in found)
    columns = {name: index for index, name in enumerate(sorted(n for n, c in counts.items() if c >= _MIN_COUNT))}
    indices = [[columns[name] for name in found if name in columns] for _, found, _, _ in rows]
    flat = np.fromiter((index for row in indices for index in row), dtype=np.int64)
    starts = np.cumsum([0, *(len(row) for row in indices)])
    matrix = csr_matrix((np.ones(len(flat)), flat, starts), shape=(len(rows), len(columns)))
    model = LogisticRegression(C=strength, max_iter=300, fit_intercept=False)
    model.fit(matrix, [known for _, _, known, _ in rows], sample_weight=[weight for *_, weight in rows])
    weights = model.coef_[0]
    return {name: round(float(weights[p]), 2) for name, p in columns.items() if abs(weights[p]) >= _SMALLEST}


def main(data: Path) -> None:
    root = Path(__file__).parents[1]
    split = json.loads((root.parents[1] / "benchmarks" / "results" / "split.json").read_text(encoding="utf-8"))
    rows = list(examples(data, set(split["validation"])))
    kinds = Counter((group(one), known) for one, _, known, _ in rows)
    weights = learn(rows)
    minimum = {name: _MINIMUM[name] for name in weights}
    path = root / "data" / "organism_belief.json"
    text = json.dumps({"minimum": minimum, "weights": weights}, separators=(",", ":"), sort_keys=True)
    path.write_text(text.replace('},"', '},\n"') + "\n", encoding="utf-8")
    print(dict(kinds), {name: len(members) for name, members in weights.items()})


# Chosen on the third of S1000 that is held out and on the documents for validation (benchmarks/organisms.py).
_MINIMUM = {"abbreviated": 0.3, "binomial": 0.3, "common": 0.1, "genus": 0.5, "new species": 0.7, "higher": 0.3}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
