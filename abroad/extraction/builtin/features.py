"""What a scorer sees of a candidate organism, a candidate chemical, and the two as a pair.

Each function gives name -> number for every candidate of a document; names are stable,
since trained models refer to them.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from abroad.extraction.builtin.candidates import ChemicalCandidate, OrganismCandidate
from abroad.extraction.builtin.mentions import TokenScores
from abroad.extraction.builtin.reading import Reading

Features = dict[str, float]

_FORMS = ("binomial", "abbreviated", "unnamed", "genus", "higher", "common")
_REPORTS = re.compile(
    r"isolat|obtain|afford|yield|produc|purif|identif|contain|constituent|metabolite|found in|detected|led to", re.I
)
_TAXONOMY = re.compile(r"sp\. nov|nov\. sp|polyphasic|menaquinone|16S rRNA|type strain|polar lipid", re.I)
_PHARMACOLOGY = re.compile(r"\brats?\b|\bmice\b|patients|clinical|mg/kg|dose", re.I)
_ACTIVITY = re.compile(r"IC50|MIC|EC50|μM|µM|inhibit|cytotox")

# What stands before or after the name of an organism (the text is cut to the window first).
_OF_SOURCE = re.compile(
    r"\b(?:from|of|in|by|genus|species|fungus|bacterium|plant|sponge|endophyte|strain|alga|cyanobacterium|marine|"
    r"medicinal)\s*(?:the|an?)?\s*(?:\w+\s){0,3}[(]?$"
)
_ISOLATED_FROM = re.compile(
    r"(?:isolated|obtained|produced|derived|metabolites?|alkaloids?|constituents?|extract\w*|leaves|roots?|bark|stems?|"
    r"seeds|culture\w*|broth|fermentation)[^.]{0,30}\b(?:from|of|by)\b[^.]{0,25}$"
)
_TESTED_ON = re.compile(
    r"(?:against|inhibit\w*|toxic|activity|pathogen\w*|towards?|infect\w*|control of|antifungal|antibacterial|larvae)"
    r"[^.]{0,40}$"
)
_DOES = re.compile(r"\s*(?:,|and)?[^.]{0,12}\b(?:produc|yield|afford|contain|extract|strain|sp|roots|leaves|collected)")
_LIVES_WITH = re.compile(
    r"(?:similar|related|compared|unlike|host|symbio\w*|associated with|inhabiting|feeding|"
    r"endophyt\w* [^.]{0,30}(?:from|of|in))[^.]{0,20}$"
)
_FROM = re.compile(r"\b(?:from|of|by)\s+(?:the\s+|a\s+|an\s+|marine\s+|fungus\s+|fungal\s+|\w+\s+){0,5}$")
_TEST_WORDS = re.compile(
    r"\b(?:indicator|against|MIC|inhibit|pathogen|larvae|brine shrimp|host|induced|expressed in|heterolog|strain of)\b",
    re.I,
)
_ASSAY_ORGANISMS = (
    "Artemia",
    "Aspergillus niger",
    "Bacillus subtilis",
    "Botrytis",
    "Candida",
    "Enterococcus",
    "Escherichia",
    "Klebsiella",
    "Leishmania",
    "Micrococcus",
    "Mus ",
    "Mycobacterium",
    "Plasmodium",
    "Pseudomonas aeruginosa",
    "Rattus",
    "Saccharomyces",
    "Salmonella",
    "Staphylococcus",
    "Trypanosoma",
    "Vibrio",
)

# What stands before or after the name of a chemical.
_NOT_PRODUCED = re.compile(
    r"(?:against|inhibit\w*|similar|analog\w*|compared|standard|control|precursor|induced|synthesi\w*|derivative of|"
    r"related)[^.]{0,30}$"
)
_NEW = re.compile(r"\b(?:new|novel|named|known|unusual|unprecedented)\b")
_BEFORE_PRODUCT = re.compile(r"isolat|obtain|afford|yield|identif|contain|produc|extract|found|present")
_AFTER_PRODUCT = re.compile(r"isolat|obtain|identif|produc|extract|found|present|were|was")
_PART_OF_WORD = re.compile(
    r"[- ](?:deriv|type|like|induced|bind|synth|based|contain|analog|rich|resist|mono|acet)",
)
_CLASS_WORD = re.compile(
    r"(?:oids?|ides?|ones?|ins?|anes?|enes?|ols?|acids?|sterols?|peptides?|lipids?|saponins?|terpen\w*|compounds?|"
    r"derivatives?)$"
)


def organism_features(
    reading: Reading, organisms: Sequence[OrganismCandidate], chemicals: Sequence[ChemicalCandidate]
) -> list[Features]:
    """Of each organism: form, place, neighbourhood, and the chemicals named in its sentences."""
    mass: dict[int, float] = defaultdict(float)  # of chemicals in each sentence
    for chemical in chemicals:
        for span in chemical.spans:
            mass[reading.sentence_at(span.start)] += span.mean * math.sqrt(span.labels)
    total = sum(mass.values()) + 1e-6
    mentions = sum(len(organism.mentions) for organism in organisms)
    titled = sum(_in_title(reading, organism) for organism in organisms)
    by_place = sorted(range(len(organisms)), key=lambda place: organisms[place].mentions[0].start)
    rank = {place: order for order, place in enumerate(by_place)}
    starts = sorted((m.start, m.end) for organism in organisms for m in organism.mentions)
    ends = {end for _, end in starts}
    result = []
    for place, organism in enumerate(organisms):
        found: Features = {f"form {form}": any(m.form == form for m in organism.mentions) for form in _FORMS}
        others = [other for other in organisms if other is not organism]
        genus, _, epithet = organism.label.partition(" ")
        same_genus = any(" " in other.label and other.label.split(" ")[0] == genus for other in others)
        in_title = _in_title(reading, organism)
        found |= {
            "in title": in_title,
            "alone in title": in_title and titled == 1,
            "some in title": titled > 0,
            "mentions": math.log(len(organism.mentions)),
            "share": len(organism.mentions) / mentions,
            "others": math.log(len(organisms)),
            "only one": len(organisms) == 1,
            "rank": min(rank[place], 5),
            "first": rank[place] == 0,
            "genus of another": not epithet and same_genus,
            "congener": bool(epithet) and same_genus,
            "higher beside species": all(m.form in ("genus", "higher") for m in organism.mentions)
            and any(m.form in ("binomial", "unnamed") for other in organisms for m in other.mentions),
            "all unnamed": all(m.form == "unnamed" for m in organism.mentions),
            "position": organism.mentions[0].start / max(1, len(reading.text)),
            "assay organism": organism.label.startswith(_ASSAY_ORGANISMS),
        }
        before = [reading.text[max(0, m.start - 80) : m.start].lower() for m in organism.mentions]
        after = [reading.text[m.end : m.end + 40].lower() for m in organism.mentions]
        of_source = any(_OF_SOURCE.search(text[-45:]) for text in before)
        isolated = any(_ISOLATED_FROM.search(text[-80:]) for text in before)
        tested = any(_TESTED_ON.search(text[-60:]) for text in before)
        listed = [
            re.search(r"(?:,|and|or)\s*$", text[-5:]) is not None and any(m.start - 8 < end <= m.start for end in ends)
            for text, m in zip(before, organism.mentions, strict=True)
        ]
        sentences = {reading.sentence_at(m.start) for m in organism.mentions}
        found |= {
            "of source": of_source,
            "isolated from": isolated,
            "tested on": tested,
            "tested only": tested and not isolated,
            "does": any(_DOES.match(text) for text in after),
            "lives with": any(_LIVES_WITH.search(text[-60:]) for text in before),
            "from": any(_FROM.search(text[-70:]) for text in before),
            "test words": _TEST_WORDS.search(" ".join(text[-60:] for text in before)) is not None,
            "in brackets": any(text.rstrip().endswith("(") for text in before),
            "listed": sum(listed) / len(listed),
            "title from": any(
                m.start < reading.title_end and re.search(r"\b(?:from|of|by|in)\b[^.]{0,30}$", text[-40:])
                for text, m in zip(before, organism.mentions, strict=True)
            ),
            "chemicals near": sum(mass[s] for s in sentences) / total,
            "log chemicals near": math.log(1 + sum(mass[s] for s in sentences)),
            "reported": any(_REPORTS.search(_sentence(reading, s)) for s in sentences),
            "late": min(sentences) >= max(reading.sentences, default=0) - 1,
        }
        result.append(_numbers(found))
    return result


def chemical_features(
    reading: Reading,
    organisms: Sequence[OrganismCandidate],
    chemicals: Sequence[ChemicalCandidate],
    scores: TokenScores,
) -> list[Features]:
    """Of each chemical: the tagger's belief in it, its form and place, and what stands around it."""
    tagged = [c for c in chemicals if any(span.tagged for span in c.spans)]
    tagged_mean = float(np.mean([c.best.mean for c in tagged])) if tagged else 0.0
    certain = sum(c.best.mean > 0.5 for c in chemicals)
    by_sentence: dict[int, float] = defaultdict(float)
    for chemical in chemicals:
        by_sentence[reading.sentence_at(chemical.best.start)] += chemical.best.mean
    organism_sentences = {reading.sentence_at(m.start) for o in organisms for m in o.mentions}
    places = np.array([[c.best.start, c.best.end] for c in chemicals]).reshape(-1, 2)
    means = np.array([c.best.mean for c in chemicals])
    log_scores = np.array([c.best.log_score for c in chemicals])
    keys = [c.key for c in chemicals]
    of_text = {
        "taxonomy": _TAXONOMY.search(reading.text) is not None,
        "pharmacology": _PHARMACOLOGY.search(reading.text) is not None,
        "log pharmacology": math.log(1 + len(_PHARMACOLOGY.findall(reading.text))),
        "something reported": _REPORTS.search(reading.text) is not None,
        "tagged mean": tagged_mean,
        "log tagged": math.log(1 + len(tagged)),
    }
    result = []
    for place, chemical in enumerate(chemicals):
        best, label, key = chemical.best, chemical.label, chemical.key
        sentence = reading.sentence_at(best.start)
        sentence_text = _sentence(reading, sentence)
        before = reading.text[max(0, best.start - 60) : best.start].lower()
        after = reading.text[best.end : best.end + 60].lower()
        by_start = {span.start: span.mean for span in chemical.spans}
        plural = label.endswith("s") and not label.endswith(("us", "is", "ss"))
        stem = key.removesuffix("s")
        other = (places[:, 0] != best.start) | (places[:, 1] != best.end)
        overlaps = other & (places[:, 0] < best.end) & (places[:, 1] > best.start)
        gaps = np.minimum(abs(places[:, 0] - best.end), abs(best.start - places[:, 1]))
        near = (gaps > 0) & (gaps < 25) & (np.arange(len(chemicals)) != place)
        reported = _REPORTS.search(sentence_text) is not None
        general = scores.general[best.first : best.last]
        found: Features = of_text | {
            "log score": max(best.log_score, -12),
            "mean": best.mean,
            "least": best.least,
            "most": best.most,
            "log odds": math.log(best.mean / (1 - best.mean + 1e-4) + 1e-4),
            "general mean": float(general.mean()),
            "general most": float(general.max()),
            "tagged": any(span.tagged for span in chemical.spans),
            "listed": any(span.listed for span in chemical.spans),
            "log labels": math.log(best.labels),
            "member": best.labels > 1,
            "tokens": min(best.last - best.first, 12),
            "log length": math.log(len(label)),
            "mentions": math.log(len(by_start)),
            "all mentions": sum(by_start.values()),
            "in title": any(span.start < reading.title_end for span in chemical.spans),
            "beaten by": float(np.clip((log_scores[overlaps] - best.log_score).max(initial=-5), -5, 6)),
            "digit": any(character.isdigit() for character in label),
            "lower case": label.islower(),
            "capitals": label.isupper(),
            "plural": plural,
            "numbered": re.match(r"\s?[(\[]\d", reading.text[best.end : best.end + 4]) is not None,
            "letters": sum(character.isalpha() for character in label) / len(label),
            "class word": plural and best.labels == 1 and _CLASS_WORD.search(label) is not None,
            "head of others": any(len(k) > len(stem) and k != key and k.startswith(stem) for k in keys),
            "plural beside others": (key.endswith("s") and best.labels == 1) * math.log(1 + certain),
            "not produced": _NOT_PRODUCED.search(before) is not None,
            "new": _NEW.search(before) is not None,
            "before product": _BEFORE_PRODUCT.search(before) is not None,
            "after product": _AFTER_PRODUCT.search(after) is not None,
            "part of word": _PART_OF_WORD.match(after) is not None,
            "position": best.start / max(1, len(reading.text)),
            "sentence": min(sentence, 8),
            "reported": reported,
            "active": _ACTIVITY.search(sentence_text) is not None,
            "active only": _ACTIVITY.search(sentence_text) is not None and not reported,
            "neighbours": math.log(1 + max(0.0, by_sentence[sentence] - best.mean)),
            "next": float(means[near].max(initial=0)),
            "organism in sentence": sentence in organism_sentences,
            "short": len(key) < 5,
            "no word": re.search(r"[a-z]{3}", key) is None,
            "named as organism": any(key in o.key or o.key in key for o in organisms),
        }
        result.append(_numbers(found))
    return result


def pair_features(
    reading: Reading, organisms: Sequence[OrganismCandidate], chemicals: Sequence[ChemicalCandidate]
) -> list[Features]:
    """Of each pair, organism by organism: how near they stand, and whether another organism stands nearer."""
    sentences = [{reading.sentence_at(m.start) for m in o.mentions} for o in organisms]
    starts = [np.array([m.start for m in o.mentions]) for o in organisms]
    chemical_sentences = [{reading.sentence_at(span.start) for span in c.spans} for c in chemicals]
    chemical_starts = [np.array([span.start for span in c.spans]) for c in chemicals]
    distances = np.array([[abs(a[:, None] - b[None, :]).min() for b in chemical_starts] for a in starts], dtype=float)
    several = len(organisms) > 1
    nearest_of = distances.argmin(axis=0)
    beside = _coordinated(organisms)
    mentions = sorted((m.start, place) for place, o in enumerate(organisms) for m in o.mentions)
    result = []
    for place in range(len(organisms)):
        for other, chemical in enumerate(chemicals):
            between, others_between = _between(reading, mentions, place, starts[place], chemical_starts[other])
            same = bool(sentences[place] & chemical_sentences[other])
            sharing = sum(bool(s & chemical_sentences[other]) for s in sentences)
            apart = min(abs(a - b) for a in sentences[place] for b in chemical_sentences[other])
            nearest = distances[:, other].argmin() == place
            named = [a[a <= chemical.best.start].max(initial=-1) for a in starts]
            last_before = max(named) >= 0 and named[place] == max(named)
            found: Features = {
                "same sentence": same,
                "sentences apart": min(apart, 8),
                "log distance": math.log(1 + distances[place, other]),
                "nearest": nearest,
                "relative distance": math.log((1 + distances[place, other]) / (1 + distances[:, other].min())),
                "last before": last_before,
                "others in sentence": sharing - same,
                "alone in sentence": same and sharing == 1,
                "only others in sentence": not same and sharing > 0,
                "same sentence of several": several and same,
                "nearest of several": several and bool(nearest),
                "last before of several": several and last_before,
                "others between": min(others_between, 3),
                "parted": _PARTED.search(between) is not None,
                "parted from nearest": several and _PARTED.search(between) is not None and not nearest,
                "beside nearest": (place, int(nearest_of[other])) in beside,
            }
            result.append(_numbers(found))
    return result


_PARTED = re.compile(r";|\b(?:while|whereas|but|although)\b|\. ")
_LONGEST_BETWEEN = 400


def _between(
    reading: Reading, mentions: Sequence[tuple[int, int]], place: int, organism: np.ndarray, chemical: np.ndarray
) -> tuple[str, int]:
    """(text between the two mentions nearest to each other, mentions of other organisms in it)."""
    gaps = abs(organism[:, None] - chemical[None, :])
    row, column = np.unravel_index(gaps.argmin(), gaps.shape)
    low, high = sorted((int(organism[row]), int(chemical[column])))
    first, last = bisect_left(mentions, (low, -1)), bisect_left(mentions, (high, -1))
    return reading.text[low : min(high, low + _LONGEST_BETWEEN)], sum(o != place for _, o in mentions[first:last])


def _coordinated(organisms: Sequence[OrganismCandidate]) -> set[tuple[int, int]]:
    """Pairs of organisms that somewhere stand side by side: "from A and B"."""
    mentions = sorted((m.start, m.end, place) for place, o in enumerate(organisms) for m in o.mentions)
    found = set()
    for (_, end, one), (start, _, other) in pairwise(mentions):
        if one != other and 0 <= start - end <= _SIDE_BY_SIDE:
            found |= {(one, other), (other, one)}
    return found


_SIDE_BY_SIDE = 7  # characters: ", and the"


def _in_title(reading: Reading, organism: OrganismCandidate) -> bool:
    return any(m.start < reading.title_end for m in organism.mentions)


def _sentence(reading: Reading, number: int) -> str:
    start, end = reading.sentences[number]
    return reading.text[start:end]


def _numbers(found: Features) -> Features:
    return {name: float(value) for name, value in found.items()}
