"""Predictions and the documents that they are of: ids alone do not say so, since other sets number theirs alike.

A prediction of `abroad extract` bears a digest of the text that was read; where it has none, or one of more than the
text, its evidence must stand in the document, and of tables, which have neither, the names.

Whether a file is of these documents all of it tells, and so it is read twice: `look` refuses it as a whole, and `match`
gives its predictions one after the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction
from abroad.knowledge.evidence import check_spans
from abroad.knowledge.given import GivenDocuments
from abroad.text.evidence import find_evidence

_DIGEST = "input_digest"
Pair = tuple[Prediction, Document]


@dataclass(frozen=True)
class Looked:
    """What a file of predictions is, as far as its matching goes.

    Attributes:
        predictions: how many there are of documents that are there.
        plain: whether digests of this file are of texts alone: of some extractors they are of examples or images too.
    """

    predictions: int
    plain: bool


def look(path: Path, predictions: Iterable[Prediction], documents: GivenDocuments, given: str | None) -> Looked:
    """See that predictions are of these documents.

    Args:
        path: of the predictions, for messages.
        predictions: all of them.
        documents: that they should be of.
        given: where the documents come from; None for those that were kept when the predictions were made.
    Raises:
        InputError: no prediction is of any of the documents.
    """
    where = given or f"the documents kept beside {path}"
    count, known, first, plain = 0, 0, "", False
    tallies = {False: _Tally(), True: _Tally()}
    for prediction in predictions:
        count += 1
        first = first or prediction.id
        texts = documents.get(prediction.id)
        if not texts:
            continue
        known += 1
        plain = plain or any(_is_digest_of(prediction, document) for document in texts)
        for is_plain, tally in tallies.items():
            tally.add(prediction, texts, is_plain)
    if not known:
        raise InputError(
            f"{path}: none of its {count} predictions is of a document in {where}: are they of another set? "
            f"(the first is of {first!r})"
        )
    tally = tallies[plain]
    if not tally.found or tally.are_strangers or not (plain or given is None or tally.fits):
        id, reason = tally.other or (tally.first, "its names do not stand in the document")
        raise InputError(
            f"{path}: its predictions are of other texts than those of {where}, which has documents of the same ids: "
            f"are they of another set? (the first is of {id!r}: {reason})"
        )
    return Looked(known, plain)


def match(
    path: Path, predictions: Iterable[Prediction], documents: GivenDocuments, looked: Looked, context: Context
) -> Iterator[Pair]:
    """Each prediction with its document; others are set aside with their reason.

    Args:
        looked: what `look` made of the same predictions.
    """
    for prediction in predictions:
        texts = documents.get(prediction.id)
        document, reason = _document_of(prediction, texts, looked.plain)
        if document is not None:
            yield prediction, document
        else:
            context.rejects.add(f"{path}: {prediction.id}", reason if texts else "no document has this id")


@dataclass
class _Tally:
    """What is known of the predictions so far; texts have digests of their own, or not.

    Attributes:
        found: predictions that may be of their document.
        first: id of the first of them.
        other: (id, reason) of the first that is not.
        named: those found that have names alone; and how many of these have no relation that stands in the document.
        digests: whether any has a digest.
        tied: whether evidence or a name ties any to its document.
    """

    found: int = 0
    first: str = ""
    other: tuple[str, str] | None = None
    named: list[int] = field(default_factory=lambda: [0, 0])
    digests: bool = False
    tied: bool = False

    def add(self, prediction: Prediction, texts: list[Document], plain: bool) -> None:
        document, reason = _document_of(prediction, texts, plain)
        if document is None:
            self.other = self.other or (prediction.id, reason)
            return
        self.found += 1
        self.first = self.first or prediction.id
        self.digests = self.digests or prediction.extra.get(_DIGEST) is not None
        has_evidence = any(relation.evidence for relation in prediction.relations)
        self.tied = self.tied or has_evidence
        if prediction.relations and not has_evidence:
            stands = _stands((prediction, document))
            self.tied = self.tied or stands
            self.named = [self.named[0] + 1, self.named[1] + (not stands)]

    @property
    def fits(self) -> bool:
        """Whether anything but an id ties one to its document: evidence, a name, or that none has a digest."""
        return self.tied or not self.digests

    @property
    def are_strangers(self) -> bool:
        """Whether of most predictions that have names alone no relation stands in the document."""
        named, lost = self.named
        return 2 * lost > named


def _is_digest_of(prediction: Prediction, document: Document) -> bool:
    own = prediction.extra.get(_DIGEST)
    return own is not None and own == digest(document.text)


def _document_of(prediction: Prediction, texts: list[Document], plain: bool) -> tuple[Document | None, str]:
    """The document that a prediction is of, or why it is of none."""
    reasons: list[str] = []
    for document in texts:
        reason = _why_not(prediction, document, plain)
        if reason is None:
            return document, ""
        reasons.append(reason)
    return None, reasons[0] if reasons else ""


def _why_not(prediction: Prediction, document: Document, plain: bool) -> str | None:
    """Why a prediction is of another text than this document's; None if it may be of this one."""
    if prediction.error or _is_digest_of(prediction, document):
        return None
    evidence = [span for relation in prediction.relations for span in relation.evidence]
    try:
        check_spans(document.text, evidence)
    except InputError as error:
        return str(error)
    if plain and not evidence and prediction.extra.get(_DIGEST) is not None:
        return "it was made of another text than the document's: extract from it anew"
    return None


def _stands(pair: Pair) -> bool:
    """Whether both names of any of its relations stand in the document."""
    prediction, document = pair
    for relation in prediction.relations:
        roles = {span.role for span in find_evidence(document, relation.head, relation.tail, relation.roles)}
        if roles >= set(relation.roles):
            return True
    return False
