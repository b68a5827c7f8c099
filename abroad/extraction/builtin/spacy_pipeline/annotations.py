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
from typing import Any, NamedTuple

from spacy import Vocab
from spacy.tokens import Doc, Span

from abroad.core.schema import Document, Prediction, Relation
from abroad.documents.docbin import ID, TITLE_END
from abroad.extraction.builtin.spacy_pipeline.tokenizer import Tokenizer
from abroad.text.taxon_names import taxon_identifier

GROUPS = {"organism": "organisms", "chemical": "chemicals"}
"""Type of entities of the built-in field -> key of `doc.spans`; those of another field are keys themselves."""

_KEY, _OTHERS = "abroad", "types"


@dataclass(frozen=True)
class Mention:
    """A name in the text.

    Attributes:
        start: offset in doc.text; the span of tokens around it may be longer.
        end: offset after the last character.
        labels: the names it stands for.
        score: None where nothing says how probable it is.
        identifier: of what it means, where that is known; organisms of the built-in field are looked up.
    """

    start: int
    end: int
    labels: Sequence[str]
    score: float | None
    rule: str
    identifier: str | None = None


def doc_of(document: Document, vocab: Vocab) -> Doc:
    """A Doc in our tokens that knows its id and where its title ends."""
    doc = Tokenizer(vocab)(document.text)
    doc.user_data.update({ID: document.id, TITLE_END: len(document.title)})
    return doc


def add_mentions(doc: Doc, type: str, mentions: Iterable[Mention]) -> None:
    """Add spans of a type ("organism", "gene") to `doc.spans`; a span that is there already keeps its record."""
    group, label = _group(type), type.upper()
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
                **({"id": mention.identifier} if mention.identifier is not None and type not in GROUPS else {}),
            },
        )
        record["labels"] += [name for name in mention.labels if name not in record["labels"]]
    records = [known[place] for place in sorted(known)]
    _shelf(doc, group)[group] = records
    doc.spans[group] = [_span(doc, label, record) for record in records]


def set_mentions(doc: Doc, type: str, mentions: Iterable[Mention]) -> None:
    """Have these spans of a type in `doc.spans` and no others."""
    group = _group(type)
    _shelf(doc, group)[group] = []
    add_mentions(doc, type, mentions)


def forget_mentions(doc: Doc) -> None:
    """Have none of the spans that an earlier prediction left."""
    for group in [*GROUPS.values(), *_data(doc).pop(_OTHERS, {})]:
        _data(doc).pop(group, None)
        doc.spans.pop(group, None)


def add_prediction(doc: Doc, prediction: Prediction, types: Iterable[str] | None = None) -> None:
    """Keep a prediction of any field on the Doc, and have the spans that its relations rest on in `doc.spans`.

    Args:
        types: those that stand in `doc.spans` without a span too; None: the built-in field, if it may be of it.
    """
    _data(doc)["prediction"] = prediction.to_dict()
    if types is None:
        types = GROUPS if all(relation.is_built_in for relation in prediction.relations) else ()
    found: dict[str, list[Mention]] = {type: [] for type in types}
    for relation in prediction.relations:
        for side in _sides(relation):
            found.setdefault(side.type, []).extend(
                Mention(e.start, e.end, [side.label], relation.score, e.rule, side.identifier)
                for e in relation.evidence
                if e.role == side.role
            )
    for type, mentions in found.items():
        add_mentions(doc, type, mentions)


class _Side(NamedTuple):
    """An end of a relation; its type is its role where it is not known."""

    role: str
    type: str
    label: str
    identifier: str | None


def _sides(relation: Relation) -> tuple[_Side, _Side]:
    first, second = relation.roles
    return (
        _Side(first, relation.head_type or first, relation.head, relation.head_id),
        _Side(second, relation.tail_type or second, relation.tail, relation.tail_id),
    )


def _span(doc: Doc, label: str, record: dict[str, Any]) -> Span:
    identifiers = {taxon_identifier(name) for name in record["labels"]} if label == "ORGANISM" else set()
    identifier = identifiers.pop() if len(identifiers) == 1 else record.get("id")
    start, end = record["span"]
    span = doc.char_span(start, end, label=label, kb_id=identifier or "")
    assert span is not None, "spans are kept at the bounds of tokens"
    return span


def _data(doc: Doc) -> dict[str, Any]:
    data: dict[str, Any] = doc.user_data.setdefault(_KEY, {})
    return data


def _group(type: str) -> str:
    return GROUPS.get(type, type)


def _shelf(doc: Doc, group: str) -> dict[str, Any]:
    """Where the records of a group lie: a type of any name ("prediction") is in no other's way."""
    if group in GROUPS.values():
        return _data(doc)
    shelf: dict[str, Any] = _data(doc).setdefault(_OTHERS, {})
    return shelf


_NAMELESS = "doc"  # a Doc need have no id, while a prediction that is read from a file must


def _records(doc: Doc, group: str) -> list[dict[str, Any]]:
    data = doc.user_data.get(_KEY, {})
    shelf = data if group in GROUPS.values() else data.get(_OTHERS, {})
    records: list[dict[str, Any]] = _listed(shelf.get(group, []))
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
    place = [span.start_char, span.end_char]
    types = [*GROUPS, *GROUPS.values(), *span.doc.user_data.get(_KEY, {}).get(_OTHERS, {})]
    groups = [_group(type) for type in types if type.upper() == span.label_]
    found = (record for group in groups for record in _records(span.doc, group) if record["span"] == place)
    return next(found, {})


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
