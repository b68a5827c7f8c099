"""What our components, and predictions of any extractor, leave on a Doc of spaCy.

Everything stands as plain data in `doc.user_data["abroad"]`, which `Doc.to_bytes` and `DocBin`
(with store_user_data=True) keep; the extension attributes read it:

    doc._.relations           list of Relation; offsets of the evidence count in doc.text
    doc._.abroad_prediction   Prediction, or None where nothing was predicted
    span._.labels             what a span of doc.spans stands for: several names where it is a list
    span._.score, span._.rule   how probable it takes part in a relation; how the labels follow from the text
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from spacy import Vocab
from spacy.tokens import Doc, Span

from abroad.core.schema import Document, Prediction, Relation
from abroad.documents.docbin import ID, TITLE_END
from abroad.extraction.builtin.spacy_pipeline.tokenizer import Tokenizer
from abroad.text.taxon_names import taxon_identifier

GROUPS = {"organism": "organisms", "chemical": "chemicals"}
"""Role -> key of `doc.spans`."""

_KEY = "abroad"


@dataclass(frozen=True)
class Mention:
    """A name in the text.

    Attributes:
        start: offset in doc.text; the span of tokens around it may be longer.
        end: offset after the last character.
        labels: the names it stands for.
        score: None where nothing says how probable it is.
    """

    start: int
    end: int
    labels: Sequence[str]
    score: float | None
    rule: str


def doc_of(document: Document, vocab: Vocab) -> Doc:
    """A Doc in our tokens that knows its id and where its title ends."""
    doc = Tokenizer(vocab)(document.text)
    doc.user_data.update({ID: document.id, TITLE_END: len(document.title)})
    return doc


def add_mentions(doc: Doc, role: str, mentions: Iterable[Mention]) -> None:
    """Add spans of a role ("organism", "chemical") to `doc.spans`; a span that is there already keeps its record."""
    group, label = GROUPS[role], role.upper()
    known = {tuple(record["span"]): record for record in _records(doc, group)}
    for mention in mentions:
        span = doc.char_span(mention.start, mention.end, label=label, alignment_mode="expand")
        if span is None:
            continue
        record = known.setdefault(
            (span.start_char, span.end_char),
            {
                "span": [span.start_char, span.end_char],
                "text": [mention.start, mention.end],
                "labels": [],
                "score": mention.score,
                "rule": mention.rule,
            },
        )
        record["labels"] += [name for name in mention.labels if name not in record["labels"]]
    records = [known[place] for place in sorted(known)]
    _data(doc)[group] = records
    doc.spans[group] = [_span(doc, label, record) for record in records]


def set_mentions(doc: Doc, role: str, mentions: Iterable[Mention]) -> None:
    """Have these spans of a role in `doc.spans` and no others."""
    _data(doc)[GROUPS[role]] = []
    add_mentions(doc, role, mentions)


def add_prediction(doc: Doc, prediction: Prediction) -> None:
    """Keep a prediction on the Doc, and have the spans that its relations rest on in `doc.spans`."""
    _data(doc)["prediction"] = prediction.to_dict()
    for role in GROUPS:
        add_mentions(
            doc,
            role,
            (
                Mention(e.start, e.end, [getattr(relation, role)], relation.score, e.rule)
                for relation in prediction.relations
                for e in relation.evidence
                if e.role == role
            ),
        )


def _span(doc: Doc, label: str, record: dict[str, Any]) -> Span:
    identifiers = {taxon_identifier(name) for name in record["labels"]} if label == "ORGANISM" else set()
    identifier = identifiers.pop() if len(identifiers) == 1 else None
    start, end = record["span"]
    span = doc.char_span(start, end, label=label, kb_id=identifier or "")
    assert span is not None, "spans are kept at the bounds of tokens"
    return span


def _data(doc: Doc) -> dict[str, Any]:
    data: dict[str, Any] = doc.user_data.setdefault(_KEY, {})
    return data


_NAMELESS = "doc"  # a Doc need have no id, while a prediction that is read from a file must


def _records(doc: Doc, group: str) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = _listed(doc.user_data.get(_KEY, {}).get(group, []))
    return records


def _listed(value: Any) -> Any:
    """A copy with lists in place of the tuples that spaCy makes of them when it reads a Doc."""
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return [_listed(item) for item in value] if isinstance(value, list | tuple) else value


def _prediction(doc: Doc) -> Prediction | None:
    record = doc.user_data.get(_KEY, {}).get("prediction")
    if record is None:
        return None
    read = Prediction.from_dict(_listed(record) | {"id": record["id"] or _NAMELESS})
    read.id = record["id"]
    return read


def _relations(doc: Doc) -> list[Relation]:
    prediction = _prediction(doc)
    return [] if prediction is None else prediction.relations


def _record_of(span: Span) -> dict[str, Any]:
    place, group = [span.start_char, span.end_char], GROUPS.get(span.label_.lower(), "")
    return next((record for record in _records(span.doc, group) if record["span"] == place), {})


def _labels(span: Span) -> list[str]:
    return list(_record_of(span).get("labels", ()))


def _score(span: Span) -> float | None:
    return _record_of(span).get("score")


def _rule(span: Span) -> str | None:
    return _record_of(span).get("rule")


def _register() -> None:
    """Declare the attributes; one that another package declared first stays as it is."""
    for name, getter in (("relations", _relations), ("abroad_prediction", _prediction)):
        if not Doc.has_extension(name):
            Doc.set_extension(name, getter=getter)
    for name, of_span in (("labels", _labels), ("score", _score), ("rule", _rule)):
        if not Span.has_extension(name):
            Span.set_extension(name, getter=of_span)


_register()
