"""Keep the synthetic abstracts that state what they were asked to: the best few of each seed document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from abroad.extraction.evidence import abbreviated_genus_spans, verbatim_spans
from abroad.schema import Document

_LEAST_OWN_WORDS = 15  # written by the model; fewer is the forced opening and a tail


@dataclass(frozen=True)
class Verdict:
    """Attributes:
    score: share of the relations with both labels in the text.
    reasons: why the abstract is not kept; empty if it is.
    missing: labels that the text does not state.
    """

    document: Document
    score: float
    reasons: list[str]
    missing: list[str]


@dataclass
class Selection:
    """Verdicts of all candidates in order, and what was kept."""

    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def kept(self) -> list[Document]:
        return [_as_training_document(verdict) for verdict in self.verdicts if not verdict.reasons]

    @property
    def rejected(self) -> list[dict[str, Any]]:
        return [
            {
                **verdict.document.to_dict(),
                "score": verdict.score,
                "reasons": verdict.reasons,
                "missing": verdict.missing,
            }
            for verdict in self.verdicts
            if verdict.reasons
        ]

    @property
    def faithful(self) -> int:
        """Candidates good enough to keep, were there no limit to each seed document."""
        return sum(not verdict.reasons or verdict.reasons == [_SURPLUS] for verdict in self.verdicts)

    def reasons(self) -> dict[str, int]:
        """Reason -> number of candidates it holds for, most frequent first."""
        counts: dict[str, int] = {}
        for verdict in self.verdicts:
            for reason in verdict.reasons:
                counts[reason] = counts.get(reason, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))


_SURPLUS = "others of the same document score at least as high"


def coverage(document: Document) -> tuple[float, list[str]]:
    """Share of the relations with both labels in the text, and the labels that are not.

    A label is there verbatim (case ignored), a chemical also by the words that
    contract it with its congeners (`surfaces`), an organism also with its genus
    abbreviated. 1.0 for a document without relations.
    """
    surfaces = document.extra.get("surfaces") or {}
    text = document.text
    there = {
        e.id: bool(verbatim_spans(text, e.label) or abbreviated_genus_spans(text, e.label)) for e in document.organisms
    }
    chemicals = {
        entity.id: bool(verbatim_spans(text, entity.label) or verbatim_spans(text, surfaces.get(entity.id, "")))
        for entity in document.chemicals
    }
    pairs = list(document.related_entities())
    held = sum(there[organism.id] and chemicals[chemical.id] for organism, chemical in pairs)
    missing = [e.label for e in document.organisms if not there[e.id]]
    missing += [e.label for e in document.chemicals if not chemicals[e.id]]
    return (held / len(pairs) if pairs else 1.0), missing


def select(candidates: Sequence[Document], threshold: float = 0.9, best: int = 3) -> Selection:
    """Judge every candidate; of each seed document (`source`) keep the `best` that pass.

    Among equal scores, texts that ended by themselves go before those cut off
    at the token budget, then earlier ones.
    """
    verdicts, seen, ranked = [], set(), {}
    for position, document in enumerate(candidates):
        score, missing = coverage(document)
        reasons = []
        if score < threshold:
            reasons.append("labels missing")
        lead = str(document.extra.get("lead") or "")
        if len(document.abstract[len(lead) :].split()) < _LEAST_OWN_WORDS:
            reasons.append("too short")
        if repeats_itself(document.abstract):
            reasons.append("repeats itself")
        if document.abstract in seen:
            reasons.append("repeats another")
        seen.add(document.abstract)
        verdicts.append(Verdict(document, round(score, 4), reasons, missing))
        if not reasons:
            cut_off = document.extra.get("finish_reason") == "length"
            ranked.setdefault(document.extra.get("source", document.id), []).append((-score, cut_off, position))
    for places in ranked.values():
        for _, _, position in sorted(places)[best:]:
            verdicts[position].reasons.append(_SURPLUS)
    return Selection(verdicts)


def repeats_itself(text: str) -> bool:
    """Whether a sentence stands three times, or fewer than 3 of 5 sentences are new: a small model caught in a loop."""
    sentences = [" ".join(sentence.lower().split()) for sentence in _SENTENCE_END.split(text) if sentence.strip()]
    counts = Counter(sentences)
    return len(sentences) > 2 and (max(counts.values()) > 2 or len(counts) < 0.6 * len(sentences))


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_WORKING_FIELDS = ("prompt", "lead", "stop", "seed", "max_tokens", "top_p", "keywords", "findings", "tokens")


def _as_training_document(verdict: Verdict) -> Document:
    document = verdict.document
    extra = {key: value for key, value in document.extra.items() if key not in _WORKING_FIELDS}
    return Document(
        document.id,
        document.title,
        document.abstract,
        document.pmid,
        document.doi,
        document.organisms,
        document.chemicals,
        document.relations,
        extra | {"synthetic": True, "score": verdict.score},
    )
