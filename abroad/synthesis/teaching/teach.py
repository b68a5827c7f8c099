"""`abroad teach`: documents without labels in; silver, what people should look at, and what was set aside out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.core.helpers import helper
from abroad.core.io import write_documents, write_jsonl
from abroad.core.schema import Document, Prediction
from abroad.extraction.generative.notation import Notation
from abroad.synthesis.teaching.agreement import Judgement, Said, judge, said
from abroad.synthesis.teaching.ask import Answers, ask_all
from abroad.synthesis.teaching.cost import Cost, Meter
from abroad.synthesis.teaching.passes import Teacher
from abroad.synthesis.teaching.ranked import Ranked, RankingMeter, rank_all
from abroad.synthesis.teaching.settings import TeachSettings
from abroad.synthesis.teaching.silver import curation_document, curation_prediction, silver_document, stated

_SHOWN = 80


@dataclass(frozen=True)
class Files:
    """Where things go.

    Attributes:
        silver: documents to train with.
        curation: documents to look at; beside them, as a helper, their relations as suggestions with scores.
    """

    silver: Path
    curation: Path

    @property
    def suggestions(self) -> Path:
        return helper(self.curation, "predictions.jsonl")


@dataclass(frozen=True)
class TeachReport:
    """What came of teaching.

    Attributes:
        documents: given.
        silver: documents to train with.
        empty: of these, without a relation.
        curation: documents to look at.
        unsure: of these, those that the fine-tuned model itself is not sure of.
        set_aside: documents of which a pass failed or could not be read.
        left: documents not asked in every pass, or not ranked: the budget ended, or the server did not answer.
        relations: of the silver documents.
        disputed: relations that are not believed and go to people.
        not_in_text: relations left out, since the text has not one of their names.
        agreement: mean over documents of the passes' F1 to one another, from 0 to 1; None without a document.
        resumed: answers of an earlier run.
        cost: of all answers, those of earlier runs too.
        guessed: answers whose tokens the server did not tell.
        stopped: whether the budget ended the run.
        ranking: of the cost, what ranking took, reckoned by the length of what was read.
    """

    documents: int
    silver: int
    empty: int
    curation: int
    unsure: int
    set_aside: int
    left: int
    relations: int
    disputed: int
    not_in_text: int
    agreement: float | None
    resumed: int
    cost: Cost
    guessed: int
    stopped: bool
    ranking: Cost


def teach(
    documents: Sequence[Document], teacher: Teacher, settings: TeachSettings, files: Files, context: Context
) -> TeachReport:
    """Label documents by a model's passes and write what is to be believed of them.

    Args:
        context: its rejects are documents of which a pass failed.
    Raises:
        AbroadError: no document at all has an answer of each pass that can be read, or the server is gone.
    """
    meter = Meter(settings) if teacher.keep is None else RankingMeter(settings, teacher, documents)
    answers = ask_all(documents, teacher, meter, helper(files.silver, "answers.jsonl"), context)
    judged = _judge(documents, answers, len(teacher.passes), context)
    notation = Notation(teacher.field)
    agreed = _agreed(documents, judged, notation)
    ranked = rank_all(agreed, teacher, meter, helper(files.silver, "ranked.jsonl"), context)
    kept = _kept(judged, ranked, context)
    by_id = {document.id: document for document in documents}
    unsure = {id for id in kept if _is_unsure(judged[id], settings)}
    silver = [
        silver_document(by_id[id], judged[id], agreed, notation)
        for id, agreed in kept.items()
        if judged[id].agreement >= settings.min_agreement and id not in unsure
    ]
    doubtful = [id for id, agreed in kept.items() if len(agreed) < len(judged[id].shares) or id in unsure]
    write_documents(files.silver, silver)
    write_documents(files.curation, (curation_document(by_id[id], judged[id], notation) for id in doubtful))
    write_jsonl(files.suggestions, (curation_prediction(by_id[id], judged[id], notation).to_dict() for id in doubtful))
    whole = sum(len(answers.by_document.get(document.id, ())) == len(teacher.passes) for document in documents)
    if whole and not judged:
        raise AbroadError(f"no answer of the teacher could be used{context.rejects.first()}")
    return TeachReport(
        documents=len(documents),
        silver=len(silver),
        empty=sum(not document.relations for document in silver),
        curation=len(doubtful),
        unsure=len(unsure),
        set_aside=whole - len(kept) - len(ranked.left),
        left=len(documents) - whole + len(ranked.left),
        relations=sum(len(document.relations) for document in silver),
        disputed=sum(len(judged[id].shares) - len(kept[id]) for id in doubtful),
        not_in_text=_not_in_text(answers),
        agreement=sum(j.agreement for j in judged.values()) / len(judged) if judged else None,
        resumed=answers.resumed,
        cost=meter.spent,
        guessed=meter.guessed,
        stopped=answers.stopped or ranked.stopped,
        ranking=ranked.spent,
    )


def _is_unsure(judgement: Judgement, settings: TeachSettings) -> bool:
    return judgement.confidence is not None and judgement.confidence < settings.min_confidence


def _not_in_text(answers: Answers) -> int:
    each = (prediction for passes in answers.by_document.values() for prediction in passes.values())
    return sum(prediction.extra.get("not_in_text") or 0 for prediction in each)


def _judge(documents: Sequence[Document], answers: Answers, passes: int, context: Context) -> dict[str, Judgement]:
    """Id -> what its passes say, of the documents that every pass has read."""
    judged: dict[str, Judgement] = {}
    for document in documents:
        predictions = answers.by_document.get(document.id, {})
        if document.id in answers.silent:
            context.rejects.add(document.id, answers.silent[document.id])
        if len(predictions) < passes:
            continue
        reasons = [_failure(predictions[number], number) for number in range(passes)]
        if any(reasons):
            context.rejects.add(document.id, next(reason for reason in reasons if reason))
        else:
            judged[document.id] = judge([_whole(predictions[number]) for number in range(passes)])
    return judged


def _failure(prediction: Prediction, number: int) -> str | None:
    """Why a pass says nothing of its document, or None."""
    if prediction.error is not None:
        return f"pass {number + 1}: {prediction.error}"
    if not prediction.extra.get("parsed"):
        words = " ".join(str(prediction.extra.get("answer") or "").split())
        return f"pass {number + 1}: no relations can be read in the answer: {words[:_SHOWN]!r}"
    invented = prediction.extra.get("not_in_text") or 0
    if invented and not prediction.relations:  # which does not say that the document has none
        return f"pass {number + 1}: no relation of the answer ({invented}) has both of its names in the text"
    return None


def _whole(prediction: Prediction) -> Prediction:
    """The prediction without what may be half of a name: the last relation of an answer that was cut off."""
    if not prediction.extra.get("cut_off"):
        return prediction
    return replace(prediction, relations=prediction.relations[:-1])


def _agreed(
    documents: Sequence[Document], judged: dict[str, Judgement], notation: Notation
) -> list[tuple[Document, Prediction]]:
    """Documents with the relations that the passes agree on."""
    todo = [document for document in documents if document.id in judged]
    return [(d, Prediction(d.id, [stated(d, labels, notation) for labels in judged[d.id].agreed])) for d in todo]


def _kept(judged: dict[str, Judgement], ranked: Ranked, context: Context) -> dict[str, list[Said]]:
    """Id -> the relations that are believed, those agreed on that ranking leaves; none of documents left to rank."""
    kept: dict[str, list[Said]] = {}
    for id, judgement in judged.items():
        if reason := ranked.left.get(id):
            context.rejects.add(id, reason)
        if id in ranked.left:
            continue
        prediction = ranked.by_document.get(id)
        if prediction is None:
            kept[id] = judgement.agreed
        elif prediction.error is not None:
            context.rejects.add(id, prediction.error)
        else:
            stays = {said(relation) for relation in prediction.relations}
            kept[id] = [labels for labels in judgement.agreed if labels in stays]
    return kept
