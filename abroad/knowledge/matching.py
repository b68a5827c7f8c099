"""Predictions and the documents that they are of: ids alone do not say so, since other sets number theirs alike.

A prediction of `abroad extract` bears a digest of the text that was read; where it has none, or one of more than the
text, its evidence must stand in the document, and of tables, which have neither, the names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction
from abroad.knowledge.evidence import ROLES, check_spans
from abroad.text.evidence import find_evidence

_DIGEST = "input_digest"
Pair = tuple[Prediction, Document]
ById = Mapping[str, Sequence[Document]]


def match(
    path: Path,
    predictions: Sequence[Prediction],
    by_id: Mapping[str, Sequence[Document]],
    given: str | None,
    context: Context,
) -> list[Pair]:
    """Each prediction with its document; others are set aside with their reason.

    Args:
        path: of the predictions, for messages.
        by_id: documents by id; several where sets share ids.
        given: where the documents come from; None for those that were kept when the predictions were made.
    Raises:
        InputError: no prediction is of any of the documents.
    """
    where = given or f"the documents kept beside {path}"
    known = [prediction for prediction in predictions if prediction.id in by_id]
    if not known:
        raise InputError(
            f"{path}: none of its {len(predictions)} predictions is of a document in {where}: are they of another set? "
            f"(the first is of {predictions[0].id!r})"
        )
    for prediction in predictions:
        if prediction.id not in by_id:
            context.rejects.add(f"{path}: {prediction.id}", "no document has this id")
    plain = any(_is_digest_of(p, document) for p in known for document in by_id[p.id])
    found, others = list[Pair](), list[tuple[str, str]]()
    for prediction in known:
        reasons = [(_why_not(prediction, document, plain), document) for document in by_id[prediction.id]]
        document = next((document for reason, document in reasons if reason is None), None)
        if document is None:
            others.append((prediction.id, reasons[0][0] or ""))
        else:
            found.append((prediction, document))
    if not found or _strangers(found) or not (plain or given is None or _any_fits(found)):
        id, reason = others[0] if others else (found[0][0].id, "its names do not stand in the document")
        raise InputError(
            f"{path}: its predictions are of other texts than those of {where}, which has documents of the same ids: "
            f"are they of another set? (the first is of {id!r}: {reason})"
        )
    for id, reason in others:
        context.rejects.add(f"{path}: {id}", reason)
    return found


def _is_digest_of(prediction: Prediction, document: Document) -> bool:
    own = prediction.extra.get(_DIGEST)
    return own is not None and own == digest(document.text)


def _why_not(prediction: Prediction, document: Document, plain: bool) -> str | None:
    """Why a prediction is of another text than this document's; None if it may be of this one.

    Args:
        plain: whether digests of this file are of texts alone: of some extractors they are of examples or images too.
    """
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


def _any_fits(found: Sequence[Pair]) -> bool:
    """Whether anything but its id ties a prediction to its document: evidence, a name, or that none has a digest."""
    digests = any(prediction.extra.get(_DIGEST) is not None for prediction, _ in found)
    return not digests or any(any(r.evidence for r in p.relations) or any(_both_sides((p, d))) for p, d in found)


def _strangers(found: Sequence[Pair]) -> bool:
    """Whether of most predictions that have names alone no relation stands in the document."""
    named = [(p, d) for p, d in found if p.relations and not any(r.evidence for r in p.relations)]
    lost = sum(not any(_both_sides(pair)) for pair in named)
    return len(named) > 0 and 2 * lost > len(named)


def _both_sides(pair: Pair) -> Iterator[bool]:
    prediction, document = pair
    for relation in prediction.relations:
        roles = {span.role for span in find_evidence(document, relation.organism, relation.chemical)}
        yield roles >= set(ROLES)
