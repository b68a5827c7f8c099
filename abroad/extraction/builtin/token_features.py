"""What a sequence tagger sees of each token of a document: form, place, neighbours, cues, lists, organisms."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from abroad.text.expand import Expansion
from abroad.text.organisms import OrganismMention
from abroad.text.tokens import Token

_CUES = frozenset(
    """isolated produced produces obtained afforded yielded identified contained contains named known new novel together
    along metabolites extract gave including namely compounds designated inhibited inhibitor assay against synthesized
    standard using activity structures elucidated derivatives analogues similar compared precursor""".split()
)
_CUE_WINDOW = 10  # tokens
_NUMBER = re.compile(r"\d+[a-z]?$|\d+[a-z]?[-–,]")
_WINDOW = (-3, -2, -1, 1, 2, 3)


def token_features(
    tokens: Sequence[Token], title_end: int, expansions: Sequence[Expansion], organisms: Sequence[OrganismMention]
) -> list[list[str]]:
    """Feature names of each token, for a linear-chain CRF.

    Args:
        tokens: of the document's text.
        title_end: offset where the title ends.
        expansions, organisms: found in the same text.
    """
    words = [token.text.lower() for token in tokens]
    shapes = [_shape(token.text) for token in tokens]
    counts = Counter(words)
    in_list = _marks(tokens, [(e.start, e.end) for e in expansions])
    in_organism = _marks(tokens, [(m.start, m.end) for m in organisms])
    numbered = [_is_numbered(words, place) for place in range(len(words))]
    result = []
    for place, token in enumerate(tokens):
        features = ["bias", *_own(words[place], shapes[place])]
        if mark := in_list.get(place):
            features.append(f"list={mark}")
        if place in in_organism:
            features.append("organism")
        if token.end <= title_end:
            features.append("title")
        features.append(f"sentence={min(token.sentence, 6)}")
        if counts[words[place]] > 1:
            features.append(f"count={min(counts[words[place]], 4)}")
        if numbered[place]:
            features.append("numbered")
        for step in _WINDOW:
            other = place + step
            if not 0 <= other < len(words):
                features.append(f"{step}:end")
                continue
            features += (f"{step}:w={words[other]}", f"{step}:shape={shapes[other]}")
            if abs(step) <= 2:
                features.append(f"{step}:s3={words[other][-3:]}")
            if other in in_list:
                features.append(f"{step}:list")
            if other in in_organism:
                features.append(f"{step}:organism")
            if numbered[other]:
                features.append(f"{step}:numbered")
        features += {f"before={word}" for word in words[max(0, place - _CUE_WINDOW) : place] if word in _CUES}
        features += {f"after={word}" for word in words[place + 1 : place + 1 + _CUE_WINDOW] if word in _CUES}
        result.append(features)
    return result


def name_features(texts: Sequence[str]) -> list[list[str]]:
    """Feature names of each token of a sentence, to tell chemical names from other words."""
    words = [text.lower() for text in texts]
    result = []
    for place, text in enumerate(texts):
        features = ["bias", *_own(words[place], _shape(text))]
        for step in (-2, -1, 1, 2):
            if 0 <= place + step < len(words):
                features += (f"{step}:w={words[place + step]}", f"{step}:s3={words[place + step][-3:]}")
        result.append(features)
    return result


def _own(word: str, shape: str) -> list[str]:
    features = [f"w={word[:40]}", f"shape={shape}", f"length={min(len(word) // 4, 8)}"]
    for size in (2, 3, 4, 5):
        if len(word) > size:
            features += (f"s{size}={word[-size:]}", f"p{size}={word[:size]}")
    if len(word) > 6:
        features.append(f"inner={word[-4:-1]}")
    if any(character.isdigit() for character in word):
        features.append("digit")
    if "-" in word:
        features.append("hyphen")
        features.append(f"lastpart={word.rsplit('-', 1)[1][:12]}")
    return features


def _shape(word: str) -> str:
    """ "Gloeophyllin" -> "Xx", "4-hydroxymellein" -> "d-x"."""
    shape = re.sub(r"[A-Z]", "X", word[:60])
    for pattern, sign in (("[a-z]", "x"), (r"\d", "d"), ("[α-ω]", "g")):
        shape = re.sub(pattern, sign, shape)
    return re.sub(r"(.)\1+", r"\1", shape)[:12]


def _is_numbered(words: Sequence[str], place: int) -> bool:
    """Whether a compound number follows: "usnic acid (1)"."""
    return place + 2 < len(words) and words[place + 1] in "([" and _NUMBER.match(words[place + 2]) is not None


def _marks(tokens: Sequence[Token], spans: Sequence[tuple[int, int]]) -> dict[int, str]:
    """Index of each token in a span -> "B" for the first of it, "I" for others."""
    marks: dict[int, str] = {}
    ordered = sorted(spans)
    first = 0
    for start, end in ordered:
        while first < len(tokens) and tokens[first].end <= start:
            first += 1
        place = first
        while place < len(tokens) and tokens[place].start < end:
            marks[place] = "B" if tokens[place].start <= start else "I"
            place += 1
    return marks
