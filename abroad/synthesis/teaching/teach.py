"""`abroad teach`: documents without labels in; silver, what people should look at, and what was set aside out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from abroad.core.context import Context
from abroad.core.helpers import helper
from abroad.core.io import write_documents, write_jsonl
from abroad.core.schema import Document, Prediction
from abroad.extraction.generative.notation import Notation
from abroad.synthesis.teaching.agreement import said
from abroad.synthesis.teaching.ask import Answers, ask_all
from abroad.synthesis.teaching.cost import Cost, Meter
from abroad.synthesis.teaching.passes import Pass, Teacher
from abroad.synthesis.teaching.ranked import Ranked, RankingMeter, rank_all
from abroad.synthesis.teaching.settings import TeachSettings
from abroad.synthesis.teaching.silver import curation_document, curation_prediction, silver_document, stated
from abroad.synthesis.teaching.verdicts import Heard, Verdict, decide, hear


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
    """What came of teaching: documents = silver + curation - both + set_aside + left.

    Attributes:
        documents: given.
        silver: documents to train with.
        empty: of these, without a relation.
        cut_off: of these, with an answer that was cut off.
        curation: documents to look at.
        both: of these, silver too, but for what is disputed.
        unsure: documents to look at that the fine-tuned model itself is not sure of.
        unread: documents to look at or silver of which some passes, not all, could not be read.
        set_aside: documents of which no pass could be read, or that could not be ranked.
        left: documents not asked in every pass, or not ranked: the budget ended, or the server did not answer.
        same_text: documents that have the text of another and were not asked themselves.
        relations: of the silver documents.
        disputed: relations that are not believed and go to people.
        not_in_text: relations left out, since the text has not one of their names.
        agreement: mean over documents of the passes' F1 to one another, from 0 to 1; None where none can be compared.
        resumed: answers of an earlier run.
        cost: of all answers, those of earlier runs too.
        guessed: answers whose tokens the server did not tell.
        stopped: whether the budget ended the run.
        ranking: of the cost, what ranking took, reckoned by the length of what was read.
    """

    documents: int
    silver: int
    empty: int
    cut_off: int
    curation: int
    both: int
    unsure: int
    unread: int
    set_aside: int
    left: int
    same_text: int
    relations: int
    disputed: int
    not_in_text: int
    agreement: float | None
    resumed: int
    cost: Cost
    guessed: int
    stopped: bool
    ranking: Cost

    @property
    def is_fruitless(self) -> bool:
        """Whether nothing came of the documents; then none are written, and what an earlier run wrote stays."""
        return self.documents > 0 and not self.silver + self.curation


def teach(
    documents: Sequence[Document], teacher: Teacher, settings: TeachSettings, files: Files, context: Context
) -> TeachReport:
    """Label documents by a model's passes and write what is to be believed of them, if there is anything.

    Args:
        context: its rejects are documents that no pass could be read of.
    Raises:
        AbroadError: the server is gone.
    """
    meter = Meter(settings) if teacher.keep is None else RankingMeter(settings, teacher, documents)
    by_id, notation = {document.id: document for document in documents}, Notation(teacher.field)
    same = _same_text(documents, teacher.passes)
    asked = [document for document in documents if document.id not in same]
    answers = ask_all(asked, teacher, meter, helper(files.silver, "answers.jsonl"), context)
    _share(answers, same)
    heard = _hear(documents, answers, teacher, context)
    agreed = _agreed(asked, heard, notation)
    ranked = rank_all(agreed, teacher, meter, helper(files.silver, "ranked.jsonl"), context)
    _share_ranking(ranked, same)
    verdicts = _decide(heard, ranked, settings, context)
    believed = {id: each for id, each in verdicts.items() if each.is_silver}
    silver = [silver_document(by_id[id], each.judgement, each.kept, notation) for id, each in believed.items()]
    doubtful = {id: each for id, each in verdicts.items() if each.is_doubtful}
    if verdicts or not documents:  # nothing at all takes no earlier result's place
        write_documents(files.silver, silver)
        _write_doubtful([(by_id[id], each) for id, each in doubtful.items()], files, notation)
    compared = [each.judgement.agreement for each in verdicts.values() if each.judgement.read > 1]
    return TeachReport(
        documents=len(documents),
        silver=len(silver),
        empty=sum(not document.relations for document in silver),
        cut_off=sum(each.judgement.cut_off > 0 for each in believed.values()),
        curation=len(doubtful),
        both=sum(each.is_silver for each in doubtful.values()),
        unsure=sum(each.is_unsure for each in verdicts.values()),
        unread=sum(bool(each.unread) for each in verdicts.values()),
        set_aside=len(heard) - len(verdicts) - len(ranked.left),
        left=len(documents) - len(heard) + len(ranked.left),
        same_text=len(same),
        relations=sum(len(document.relations) for document in silver),
        disputed=sum(len(each.judgement.shares) - each.is_silver * len(each.kept) for each in doubtful.values()),
        not_in_text=sum(each.not_in_text for each in heard.values()),
        agreement=sum(compared) / len(compared) if compared else None,
        resumed=answers.resumed,
        cost=meter.spent,
        guessed=meter.guessed,
        stopped=answers.stopped or ranked.stopped,
        ranking=ranked.spent,
    )


def _same_text(documents: Sequence[Document], passes: Sequence[Pass]) -> dict[str, str]:
    """Id of a document -> that of an earlier one of which every pass reads the same."""
    first: dict[tuple[str, ...], str] = {}
    same: dict[str, str] = {}
    for document in documents:
        other = first.setdefault(tuple(each.input_digest(document) for each in passes), document.id)
        if other != document.id:
            same[document.id] = other
    return same


def _share(answers: Answers, same: Mapping[str, str]) -> None:
    """Give documents that were not asked the answers of those with the same text."""
    for id, other in same.items():
        if other in answers.by_document:
            each = answers.by_document[other].items()
            answers.by_document[id] = {number: replace(prediction, id=id) for number, prediction in each}
        if other in answers.silent:
            answers.silent[id] = answers.silent[other]


def _hear(documents: Sequence[Document], answers: Answers, teacher: Teacher, context: Context) -> dict[str, Heard]:
    """Id -> what its passes say, of the documents that were asked in every pass."""
    heard: dict[str, Heard] = {}
    for document in documents:
        given = answers.by_document.get(document.id, {})
        if document.id in answers.silent:
            context.rejects.add(document.id, answers.silent[document.id])
        if len(given) == len(teacher.passes):
            heard[document.id] = hear(document, given, teacher.passes)
            if heard[document.id].judgement is None:
                context.rejects.add(document.id, heard[document.id].unread[0])
    return heard


def _agreed(
    documents: Sequence[Document], heard: Mapping[str, Heard], notation: Notation
) -> list[tuple[Document, Prediction]]:
    """Documents with the relations that the passes agree on."""
    found = []
    for document in documents:
        judgement = heard[document.id].judgement if document.id in heard else None
        if judgement is not None:
            relations = [stated(document, labels, notation) for labels in judgement.agreed]
            found.append((document, Prediction(document.id, relations)))
    return found


def _share_ranking(ranked: Ranked, same: Mapping[str, str]) -> None:
    """Give documents that were not asked the ranking of those with the same text."""
    for id, other in same.items():
        if other in ranked.by_document:
            ranked.by_document[id] = replace(ranked.by_document[other], id=id)
        if other in ranked.left:
            ranked.left[id] = ranked.left[other]


def _decide(
    heard: Mapping[str, Heard], ranked: Ranked, settings: TeachSettings, context: Context
) -> dict[str, Verdict]:
    """Id -> what becomes of it, of the documents that are neither set aside nor left to be ranked."""
    verdicts: dict[str, Verdict] = {}
    for id, each in heard.items():
        ranking = ranked.by_document.get(id)
        if reason := ranked.left.get(id) if ranking is None else ranking.error:
            context.rejects.add(id, reason)
        if each.judgement is None or id in ranked.left or reason:
            continue
        kept = each.judgement.agreed
        if ranking is not None:
            stays = {said(relation) for relation in ranking.relations}
            kept = [labels for labels in kept if labels in stays]
        verdicts[id] = decide(each, kept, settings)
    return verdicts


def _write_doubtful(doubtful: Sequence[tuple[Document, Verdict]], files: Files, notation: Notation) -> None:
    """The documents to look at, and the relations that their passes name as suggestions."""
    documents = [curation_document(document, each.judgement, notation, each.unread) for document, each in doubtful]
    suggested = (curation_prediction(document, each.judgement, notation).to_dict() for document, each in doubtful)
    write_documents(files.curation, documents)
    write_jsonl(files.suggestions, suggested)
