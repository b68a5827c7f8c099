"""What curators see in Argilla: the dataset's settings, and a document with its prediction as a record.

A record is a document. Title and abstract are one plain text field, so that spans have the offsets of
`Document.text`; relations are a text question, one `ORGANISM | CHEMICAL` a line (in other fields, what
`annotation.words` says), filled with the prediction: to accept is to submit, to edit is to type.

Argilla's page (2.8.0) does not escape what it shows, so that HTML in an abstract would run as the curator: a text field
is rendered as HTML even with use_markdown=False, and a custom field writes the whole record into a script of a frame of
its own origin. Custom fields are therefore not used, and text fields hold look-alikes of the characters that HTML is
made of (`shown_text`). The text question escapes what it shows. `tests/annotation/test_browser.py` checks all of them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from abroad.core.context import Context
from abroad.core.entities import CHEMICAL, ORGANISM
from abroad.core.field import Field, built_in_field
from abroad.core.schema import Document, Entity, Evidence, Prediction, Relation
from abroad.text.evidence import find_evidence
from annotation.words import (
    SEPARATOR,
    RelationText,
    end_types,
    guidelines_of,
    known_types,
    line_of,
    plurals_of,
    relation_text,
)

if TYPE_CHECKING:
    from argilla import Record, Settings

TEXT, ANSWERS = "text", "answers"
SPANS, RELATIONS, COMMENT = "spans", "relations", "comment"
NONE = "none"


def task_settings(min_submitted: int = 1, field: Field | None = None) -> Settings:
    """Settings of the dataset.

    Args:
        min_submitted: curators who must submit a record before it leaves the queue.
        field: of the documents; None for natural products.
    """
    import argilla as rg

    field = field or built_in_field()

    return rg.Settings(
        guidelines=guidelines_of(field),
        fields=[
            rg.TextField(name=TEXT, title="Title and abstract", use_markdown=False),
            rg.TextField(name=ANSWERS, title="Answers so far", use_markdown=False, required=False),
        ],
        questions=[
            rg.TextQuestion(
                name=RELATIONS,
                title="Relations",
                description=f"One a line: {line_of(field)}. Without any: {NONE}.",
            ),
            rg.SpanQuestion(
                name=SPANS,
                field=TEXT,
                labels={name: entity.singular for name, entity in field.entities.items()},
                title=plurals_of(field).capitalize(),
                allow_overlapping=True,
                required=False,
            ),
            rg.TextQuestion(name=COMMENT, title="Comment", required=False),
        ],
        metadata=[
            rg.TermsMetadataProperty(name="kingdom", title="Kingdom"),
            rg.IntegerMetadataProperty(name="relation_count", title="Number of relations"),
            rg.FloatMetadataProperty(name="lowest_score", title="Lowest score"),
            rg.TermsMetadataProperty(name="lotus", title="LOTUS status"),
            rg.TermsMetadataProperty(name="batch", title="Batch"),
            rg.IntegerMetadataProperty(name="rank", title="Place in the batch"),
        ],
        allow_extra_metadata=True,
        distribution=rg.TaskDistribution(min_submitted=min_submitted),
    )


@dataclass(frozen=True)
class Card:
    """What is shown of one document.

    Attributes:
        prediction: what a model says of it; None for no suggestion.
        model: its name.
        batch: its name.
        rank: place in the curation.
        answers: earlier answers, shown above the questions.
        field: of the document; None for natural products.
    """

    document: Document
    prediction: Prediction | None = None
    model: str = "model"
    batch: str = ""
    rank: int = 0
    answers: str = ""
    kingdom: str | None = None
    field: Field | None = None


def shown_text(document: Document) -> str:
    """`Document.text` with the title on a line of its own; each code point keeps its place.

    Browsers count UTF-16 units, Python code points: characters that take two units are shown as their plain form
    (mathematical italics as letters), or as a box where they have none, so that both count alike. The characters
    <, > and & are shown as their full-width forms, since Argilla would read them as HTML.
    """
    title = re.sub(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]", " ", document.title)
    return harmless(f"{title}\n{document.abstract}")


def harmless(text: str) -> str:
    """Text for a text field: as long as before in code points, and in UTF-16 units, and no HTML."""
    return "".join(map(_one_unit, text))


_HTML = {"<": "\uff1c", ">": "\uff1e", "&": "\uff06"}


def _one_unit(character: str) -> str:
    if ord(character) < 0x10000:
        return _HTML.get(character, character)
    plain = unicodedata.normalize("NFKC", character)
    return _HTML.get(plain, plain) if len(plain) == 1 and ord(plain) < 0x10000 else "\u25a1"


def relation_lines(relations: Sequence[RelationText], field: Field | None = None) -> str:
    """Relations as the text question holds them: without their type where the field has one alone."""
    alone = field is not None and len(field.relations) == 1
    shown = [relation[::2] if alone and len(relation) == 3 else relation for relation in relations]
    return "\n".join(SEPARATOR.join(" ".join(part.split()) for part in parts) for parts in shown) or NONE


def make_record(card: Card) -> Record:
    """The Argilla record of a card; its id is the document's."""
    import argilla as rg

    document, prediction, field = card.document, card.prediction, card.field or built_in_field()
    relations = [] if prediction is None or prediction.error else prediction.relations
    suggestions = []
    scores = [relation.score for relation in relations if relation.score is not None]
    agent = _agent(card.model)
    if prediction is not None and not prediction.error:
        lines = relation_lines([relation_text(relation, field) for relation in relations], field)
        score = round(min(scores), 4) if scores else None
        suggestions.append(rg.Suggestion(RELATIONS, lines, score=score, agent=agent, type="model"))
        spans, certain = span_suggestions(document, relations, field)
        if spans:
            suggestions.append(rg.Suggestion(SPANS, spans, score=certain, agent=agent, type="model"))
    metadata = {
        "kingdom": harmless(str(card.kingdom or document.extra.get("kingdom") or "")) or None,
        "relation_count": len(relations),
        "lowest_score": round(min(scores), 4) if scores else None,
        "lotus": lotus_status(relations),
        "batch": card.batch or None,
        "rank": card.rank,
        "document": document_json(document),
        "prediction": _json([relation.to_dict() for relation in relations]) if prediction is not None else None,
        "model": card.model,
        "field": None if field.is_built_in else field.name,
    }
    return rg.Record(
        id=document.id,
        fields={TEXT: shown_text(document), **({ANSWERS: harmless(card.answers)} if card.answers else {})},
        metadata={name: value for name, value in metadata.items() if value is not None},
        suggestions=suggestions,
    )


def _json(value: Any) -> str:
    """JSON without the characters that HTML is made of."""
    text = json.dumps(value)
    for character in _HTML:
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def span_suggestions(
    document: Document, relations: Sequence[Relation], field: Field | None = None
) -> tuple[list[dict[str, Any]], list[float] | None]:
    """(distinct spans of the relations' evidence in order, the best score of a relation that rests on each).

    The scores are None unless every relation has one: Argilla wants a score for each span, or none.
    """
    best: dict[tuple[int, int, str], float] = {}
    scored = all(relation.score is not None for relation in relations)
    for relation in relations:
        for span in evidence_of(document, relation, field):
            key = (span.start, span.end, span.role)
            best[key] = max(best.get(key, 0.0), relation.score or 0.0)
    keys = sorted(best)
    spans = [{"start": start, "end": end, "label": role} for start, end, role in keys]
    return spans, [round(min(1.0, best[key]), 4) for key in keys] if scored and keys else None


def evidence_of(document: Document, relation: Relation, field: Field | None = None) -> list[Evidence]:
    """What the prediction gives where it fits the text, else what the text gives; the role is the type of the entity.

    Args:
        field: of the document; None for natural products.
    """
    given = [e for e in relation.evidence if 0 <= e.start < e.end <= len(document.text)]
    given = [e for e in given if e.role in relation.roles]
    if field is None or field.is_built_in:
        return given or find_evidence(document, relation.organism, relation.chemical)
    given = given or find_evidence(document, relation.head, relation.tail, relation.roles)
    parts = (relation.head, relation.type, relation.tail)
    types = dict(zip(relation.roles, end_types(parts, known_types(document.entities, [relation]), field), strict=True))
    return [replace(span, role=types[span.role]) for span in given]


def lotus_status(relations: Sequence[Relation]) -> str | None:
    """The most interesting status of a document's relations; None where none was looked up."""
    present = {relation.status for relation in relations}
    return next((status for status in ("disputed", "new", "known", "not linked") if status in present), None)


def document_json(document: Document) -> str:
    """What a record keeps of its document, for `document_of`: all but the relations, which are asked for."""
    record = replace(document, relations=[], extra={}).to_dict()
    return _json({"title": record.pop("ArticleTitle"), "abstract": record.pop("AbstractText"), **record})


def document_of(record: Any) -> Document:
    """The document a record of ours was made of, with its entities and without relations."""
    kept = json.loads(record.metadata["document"])
    bare = Document(str(record.id), kept["title"] or "", kept["abstract"], pmid=kept["PMID"], doi=kept["doi"])
    if kept.get("entities"):
        return replace(bare, entities=[Entity.from_dict(entity) for entity in kept["entities"]])
    return bare.with_products(  # earlier versions kept no entities
        [Entity.from_dict(entity, ORGANISM) for entity in kept.get("organisms", ())],
        [Entity.from_dict(entity, CHEMICAL) for entity in kept.get("chemicals", ())],
    )


def prediction_of(record: Any) -> Prediction | None:
    """The prediction that was shown in a record of ours."""
    kept = record.metadata.get("prediction")
    if kept is None:
        return None
    relations = [Relation.from_dict(item) for item in json.loads(kept)]
    return Prediction(str(record.id), relations, extra={"model": record.metadata.get("model", "")})


def _agent(model: str) -> str:
    """A name that Argilla takes: letters, digits, - _ : . / and spaces."""
    name = re.sub(r"[^\w\-:./ ]", "-", model, flags=re.ASCII).strip()[:200]
    return name if re.search(r"[a-zA-Z0-9]", name) else "model"


def usable_predictions(
    documents: Sequence[Document], predictions: Sequence[Prediction], context: Context, done: str
) -> dict[str, Prediction]:
    """Predictions by document, without those that failed or are of no document here, which are set aside.

    Args:
        done: what becomes of a document whose prediction failed ("pushed", "shown"), for the reason.
    """
    known = {document.id for document in documents}
    result = {}
    for prediction in predictions:
        if prediction.id not in known:
            context.rejects.add(f"prediction {prediction.id}", "no document has this id")
        elif prediction.error:
            context.rejects.add(
                f"prediction {prediction.id}", f"it failed ({prediction.error}); {done} without suggestion"
            )
        else:
            result[prediction.id] = prediction
    return result
