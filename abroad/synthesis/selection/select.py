"""Keep the synthetic abstracts that state what they were asked to, and no more: the best few of each seed document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from abroad.core.entities import CHEMICAL, ORGANISM, Entity
from abroad.core.progress import Progress
from abroad.core.schema import Document
from abroad.synthesis.selection.fidelity import fidelity
from abroad.synthesis.selection.known_names import KnownNames
from abroad.synthesis.selection.quality import CUT_OFF, ECHO, LANGUAGE, LEAK, LISTING, REFUSAL, flaws
from abroad.synthesis.settings import SelectSettings
from abroad.text.evidence import abbreviated_genus_spans, is_listed, verbatim_spans
from abroad.text.near_duplicates import NearDuplicates

_MIN_OWN_WORDS = 15  # written by the model; fewer is the forced opening and a tail

SHORT, LOOP, SAME, NEAR, NEAR_SEED, MISSING, MORE, SURPLUS = (
    "too short",
    "repeats itself",
    "repeats another",
    "nearly repeats another",
    "nearly repeats its seed",
    "labels missing",
    "says more than asked",
    "others of the same document score at least as high",
)
REASONS = (REFUSAL, LANGUAGE, ECHO, LEAK, LISTING, CUT_OFF, SHORT, LOOP, SAME, NEAR_SEED, NEAR, MISSING, MORE, SURPLUS)
"""Every reason, in the order in which a text is looked at: from no abstract at all to one too many."""


@dataclass(frozen=True)
class Verdict:
    """Whether a synthetic abstract is kept, and why not.

    Attributes:
        score: share of the relations with both labels in the text, times that of the names a label covers.
        reasons: why the abstract is not kept; empty if it is.
        missing: labels that the text does not state.
        extra: names in the text that no label covers.
    """

    document: Document
    score: float
    reasons: list[str]
    missing: list[str]
    extra: list[str] = field(default_factory=list)


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
                "extra": verdict.extra,
            }
            for verdict in self.verdicts
            if verdict.reasons
        ]

    @property
    def faithful(self) -> int:
        """Candidates good enough to keep, were there no limit to each seed document."""
        return sum(not verdict.reasons or verdict.reasons == [SURPLUS] for verdict in self.verdicts)

    def reasons(self) -> dict[str, int]:
        """Reason -> number of candidates it holds for, most frequent first."""
        counts: dict[str, int] = {}
        for verdict in self.verdicts:
            for reason in verdict.reasons:
                counts[reason] = counts.get(reason, 0) + 1
        return dict(sorted(counts.items(), key=lambda item: -item[1]))


def coverage(document: Document) -> tuple[float, list[str]]:
    """Share of the relations with both labels in the text, and the labels that are not.

    A label is there verbatim (case ignored), a chemical also by the words that
    contract it with its congeners (`surfaces`) or in a list or range that the expander reads,
    an organism also with its genus abbreviated. 1.0 for a document without relations.
    """
    surfaces = document.extra.get("surfaces") or {}
    text = document.text

    def is_there(entity: Entity) -> bool:
        if verbatim_spans(text, entity.label):
            return True
        genus = entity.type != CHEMICAL and bool(abbreviated_genus_spans(text, entity.label))
        return genus or (entity.type != ORGANISM and _is_contracted(text, entity.label, surfaces.get(entity.id, "")))

    there = {(entity.type, entity.id): is_there(entity) for entity in document.entities}
    pairs = list(document.related_entities())
    held = sum(there[head.type, head.id] and there[tail.type, tail.id] for head, tail in pairs)
    missing = [entity.label for entity in document.entities if not there[entity.type, entity.id]]
    return (held / len(pairs) if pairs else 1.0), missing


def _is_contracted(text: str, label: str, surface: str) -> bool:
    return bool(verbatim_spans(text, surface)) or is_listed(text, label)


def select(
    candidates: Sequence[Document], settings: SelectSettings | None = None, seeds: Sequence[Document] = ()
) -> Selection:
    """Judge every candidate; of each seed document (`source`) keep the best that pass.

    Among equal scores, texts that ended by themselves go before those cut off
    at the token budget, then earlier ones.

    Args:
        seeds: the documents the candidates were made of, to tell those that copy theirs; in another field than
            natural products, their labels and those of the candidates are the names that a text may have too many.
    """
    settings = settings or SelectSettings()
    verdicts: list[Verdict] = []
    ranked: dict[str, list[tuple[float, bool, int]]] = {}
    seen: set[str] = set()
    near, known = NearDuplicates(settings.similarity), KnownNames([*seeds, *candidates])
    sources = {seed.id: NearDuplicates(settings.similarity) for seed in seeds}
    for seed in seeds:
        sources[seed.id].add(seed.id, seed.abstract)
    with Progress("judging abstracts", len(candidates)) as progress:
        for position, document in enumerate(candidates):
            source = str(document.extra.get("source", document.id))
            verdict = _judge(document, settings, known)
            own = document.abstract
            if own in seen:
                verdict.reasons.append(SAME)
            elif not verdict.reasons:
                if source in sources and sources[source].add(f"candidate {document.id}", own) == source:
                    verdict.reasons.append(NEAR_SEED)
                elif near.add(document.id, own) is not None:
                    verdict.reasons.append(NEAR)
            seen.add(own)
            verdicts.append(verdict)
            if not verdict.reasons:
                cut_off = document.extra.get("finish_reason") == "length"
                ranked.setdefault(source, []).append((-verdict.score, cut_off, position))
            progress.advance()
    for places in ranked.values():
        for _, _, position in sorted(places)[settings.best :]:
            verdicts[position].reasons.append(SURPLUS)
    return Selection(verdicts)


def _judge(document: Document, settings: SelectSettings, known: KnownNames) -> Verdict:
    """What is said of a candidate by itself."""
    covered, missing = coverage(document)
    extra = document.extra
    lead, findings = str(extra.get("lead") or ""), str(extra.get("findings") or "")
    allowed = f"{findings} {document.title} {lead}"
    prompt, finish = str(extra.get("prompt") or ""), str(extra.get("finish_reason") or "")
    reasons = flaws(document.abstract, prompt, finish, allowed, extra.get("avoid") or ())
    if len(document.abstract[len(lead) :].split()) < _MIN_OWN_WORDS:
        reasons.append(SHORT)
    if repeats_itself(document.abstract):
        reasons.append(LOOP)
    if covered < settings.threshold:
        reasons.append(MISSING)
    kept, beyond = _beyond(document, known) if settings.fidelity > 0 else (1.0, [])
    if kept < settings.fidelity:
        reasons.append(MORE)
    return Verdict(document, round(covered * kept, 4), reasons, missing, beyond)


def _beyond(document: Document, known: KnownNames) -> tuple[float, list[str]]:
    """Share of the names in a text that its labels cover, and those that they do not."""
    if not document.is_built_in:
        return known.judge(document)
    found = fidelity(document)
    return found.score, [*found.organisms, *found.chemicals]


def repeats_itself(text: str) -> bool:
    """Whether a sentence stands three times, or fewer than 3 of 5 sentences are new: a small model caught in a loop."""
    sentences = [" ".join(sentence.lower().split()) for sentence in _SENTENCE_END.split(text) if sentence.strip()]
    counts = Counter(sentences)
    return len(sentences) > 2 and (max(counts.values()) > 2 or len(counts) < 0.6 * len(sentences))


_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_WORKING_FIELDS = frozenset("prompt lead stop seed max_tokens top_p keywords findings tokens avoid".split()) | {
    "answer_after",
    "one_paragraph",
    "then",
    "check",
}


def _as_training_document(verdict: Verdict) -> Document:
    document = verdict.document
    extra = {key: value for key, value in document.extra.items() if key not in _WORKING_FIELDS}
    return Document(
        document.id,
        document.title,
        document.abstract,
        document.pmid,
        document.doi,
        document.entities,
        document.relations,
        extra | {"synthetic": True, "score": verdict.score},
    )
