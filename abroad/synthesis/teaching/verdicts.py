"""What becomes of a document by what its passes say: silver, for people to look at, both, or set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from abroad.core.schema import Document, Prediction
from abroad.extraction.fewshot.thoughts import without_thoughts
from abroad.synthesis.teaching.agreement import Judgement, Said, judge
from abroad.synthesis.teaching.passes import Pass
from abroad.synthesis.teaching.settings import TeachSettings

_SHOWN = 80
"""Characters of an answer that a reason shows."""


@dataclass(frozen=True)
class Heard:
    """What the passes over a document say, read from their answers.

    Attributes:
        judgement: of the passes that could be read; None if there are none.
        unread: why the others say nothing, a line each.
        not_in_text: relations of the answers that have a name which the text has not.
    """

    judgement: Judgement | None
    unread: tuple[str, ...]
    not_in_text: int


@dataclass(frozen=True)
class Verdict:
    """What becomes of a document that a pass could be read of.

    Attributes:
        kept: relations that are believed: those agreed on that every filter left.
        unread: why the passes that could not be read say nothing.
        is_unsure: whether the fine-tuned model itself is not sure of it.
        is_silver: whether it is to be trained with.
        is_doubtful: whether people should look at it; each document is one or the other, or both.
    """

    judgement: Judgement
    kept: Sequence[Said]
    unread: tuple[str, ...]
    is_unsure: bool
    is_silver: bool

    @property
    def is_doubtful(self) -> bool:
        return not self.is_silver or len(self.kept) < len(self.judgement.shares)


def hear(document: Document, answers: Mapping[int, Prediction], passes: Sequence[Pass]) -> Heard:
    """Read the answers of all passes over a document and compare those that say something."""
    predictions = [each.read(document, answers[number]) for number, each in enumerate(passes)]
    reasons = [_failure(prediction) for prediction in predictions]
    read = [prediction for prediction, reason in zip(predictions, reasons, strict=True) if reason is None]
    return Heard(
        judge(read, len(passes)) if read else None,
        tuple(f"pass {number}: {reason}" for number, reason in enumerate(reasons, 1) if reason is not None),
        sum(prediction.extra.get("not_in_text") or 0 for prediction in predictions),
    )


def decide(heard: Heard, kept: Sequence[Said], settings: TeachSettings) -> Verdict:
    """What becomes of a document that has a judgement.

    It is silver if most of its passes could be read and agree. An answer that was cut off does not say that there is
    nothing, and so makes no silver document without a relation.
    """
    judgement = heard.judgement
    assert judgement is not None, "a document that no pass could be read of is set aside"
    unsure = judgement.confidence is not None and judgement.confidence < settings.min_confidence
    believed = judgement.is_read_by_most and judgement.agreement >= settings.min_agreement
    is_silver = believed and not unsure and (bool(kept) or not judgement.cut_off)
    return Verdict(judgement, kept, heard.unread, unsure, is_silver)


def _failure(prediction: Prediction) -> str | None:
    """Why a pass says nothing of its document, or None."""
    if prediction.error is not None:
        return prediction.error
    answer, cut_off = str(prediction.extra.get("answer") or ""), bool(prediction.extra.get("cut_off"))
    words = " ".join(answer.split())
    begins = repr(words[:_SHOWN])
    if not prediction.extra.get("parsed"):
        if without_thoughts(answer) is None:
            return f"the answer ends in its thoughts: {begins}"
        if cut_off:
            return f"the answer was cut off before a relation of it was whole: {begins}"
        return f"no relations can be read in the answer: {begins}"
    if prediction.relations:
        return None
    invented = prediction.extra.get("not_in_text") or 0
    if invented:  # which does not say that the document has none
        return f"no relation of the answer ({invented}) has both of its names in the text: {begins}"
    return f"the answer was cut off before a relation of it was whole: {begins}" if cut_off else None
