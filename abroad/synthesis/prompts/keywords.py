"""Keywords of an abstract that give away none of its relations.

TF-IDF over the documents at hand scores candidate phrases; maximal marginal
relevance (Carbonell and Goldstein 1998, https://doi.org/10.1145/290941.291025)
keeps them different from one another, as KeyBERT does with embeddings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from abroad.core.schema import Document

_WORD = r"(?u)\b[^\W\d_][\w'-]*[^\W_]\b"
_PHRASE_END = re.compile(r"[.,;:()\[\]/]+\s*|\s+-+\s+")
_DIVERSITY = 0.5  # weight of being unlike the keywords already taken
_PLAIN = frozenset(
    (
        "abstract",
        "also",
        "analysis",
        "based",
        "compared",
        "compound",
        "compounds",
        "described",
        "determined",
        "elucidated",
        "established",
        "found",
        "identified",
        "including",
        "isolated",
        "known",
        "method",
        "methods",
        "new",
        "novel",
        "present",
        "related",
        "respectively",
        "results",
        "showed",
        "structure",
        "structures",
        "studies",
        "study",
        "together",
        "used",
        "using",
    )
)


def extract_keywords(documents: Sequence[Document], most: int = 20) -> list[list[str]]:
    """Up to `most` keywords of each document, best first, without words of its own organisms and chemicals."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer

    words = re.compile(_WORD)

    def candidates(text: str) -> list[str]:
        """Phrases of one to three words that neither start nor end with a plain word, nor cross punctuation."""
        found = []
        for part in _PHRASE_END.split(text.lower()):
            tokens = words.findall(part)
            for size in (1, 2, 3):
                for start in range(len(tokens) - size + 1):
                    phrase = tokens[start : start + size]
                    ends = {phrase[0], phrase[-1]}
                    inner_stop = ENGLISH_STOP_WORDS.intersection(phrase[1:-1]) - {"of"}
                    if not ends & (ENGLISH_STOP_WORDS | _PLAIN) and not inner_stop and len(" ".join(phrase)) > 3:
                        found.append(" ".join(phrase))
        return found

    if not documents:
        return []
    vectorizer = TfidfVectorizer(analyzer=candidates, sublinear_tf=True)
    try:
        weights = vectorizer.fit_transform([document.text for document in documents])
    except ValueError:  # no candidate in any document
        return [[] for _ in documents]
    names = vectorizer.get_feature_names_out()
    result = []
    for document, row in zip(documents, weights, strict=True):
        forbidden = name_words(document)
        scored = {
            names[column]: float(weight) * len(names[column].split()) ** 0.5
            for column, weight in zip(row.indices, row.data, strict=True)
            if not set(words.findall(names[column])) & forbidden
        }
        result.append(_diverse(scored, most))
    return result


def name_words(document: Document) -> frozenset[str]:
    """Lower-case words of the document's own entities (organisms, ...), of those PubTator3 marks, and their plurals."""
    labels = [entity.label.lower() for entity in document.entities]
    labels += [
        str(mark.get("text", "")).lower()
        for mark in document.extra.get("annotations") or []
        if not document.is_built_in or mark.get("type") in ("Chemical", "Species")
    ]
    found = {word for label in labels for word in re.findall(r"[^\W\d_]{3,}", label)}
    found |= {word for label in labels for word in re.findall(_WORD, label)}
    return frozenset(found | {word + "s" for word in found} | {word.removesuffix("s") for word in found})


def _diverse(scored: dict[str, float], most: int) -> list[str]:
    pool = sorted(scored, key=lambda phrase: (-scored[phrase], phrase))[: 10 * most]
    words_of = {phrase: set(phrase.split()) for phrase in pool}
    highest = max((scored[phrase] for phrase in pool), default=1.0)
    taken: list[str] = []
    while pool and len(taken) < most:

        def gain(phrase: str) -> float:
            overlap = max((_overlap(words_of[phrase], words_of[other]) for other in taken), default=0.0)
            return (1 - _DIVERSITY) * scored[phrase] / highest - _DIVERSITY * overlap

        best = max(pool, key=gain)
        if taken and max(_overlap(words_of[best], words_of[other]) for other in taken) == 1:
            break
        taken.append(best)
        pool.remove(best)
    return taken


def _overlap(a: set[str], b: set[str]) -> float:
    return len(a & b) / min(len(a), len(b))
