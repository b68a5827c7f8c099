"""Documents and predictions -> files of spaCy (DocBin, ".spacy"); `abroad.documents.docbin` reads them.

Docs that were read are written with all that stood on them, but for doc.spans["organisms"] and
doc.spans["chemicals"], or those of the types of another field, which are those of the predictions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from spacy import Vocab
from spacy.tokens import Doc, DocBin
from spacy.util import filter_spans

from abroad.core.io import atomic_write
from abroad.core.schema import Document, Entity, Evidence, Prediction, Relation
from abroad.documents.docbin import ID, TITLE_END, read_docs, title_of
from abroad.extraction.builtin.align import align
from abroad.extraction.builtin.reading import read_text
from abroad.extraction.builtin.spacy_pipeline.annotations import (
    GROUPS,
    Mention,
    add_mentions,
    add_prediction,
    doc_of,
    forget_mentions,
)


@dataclass
class LabelReport:
    """What `write_labelled_docbin` wrote.

    Attributes:
        documents: how many.
        entities: how many names stand in their texts.
        missing: labels of organisms and chemicals that their text does not name.
    """

    documents: int = 0
    entities: int = 0
    missing: int = 0


def write_docbin(
    out: Path, documents: Sequence[Document], predictions: Iterable[Prediction], source: Path | None = None
) -> None:
    """Write documents with their predictions, whole or not at all.

    Args:
        source: the DocBin that the documents were read from; its Docs are kept as they are. Else each
            becomes a Doc in our tokens.
    """
    by_id = {document.id: document for document in documents}
    predicted = {prediction.id: prediction for prediction in predictions}
    docs = read_docs(source) if source is not None else ((key, doc_of(d, _VOCAB)) for key, d in by_id.items())
    bin = DocBin(store_user_data=True)
    for id, doc in docs:
        document, prediction = by_id.get(id), predicted.pop(id, None)
        doc.user_data.setdefault(ID, id)
        if document is not None and prediction is not None:
            forget_mentions(doc)
            add_prediction(doc, in_doc(prediction, doc) if source is not None else prediction)
        bin.add(doc)
    _write(out, bin)


def write_labelled_docbin(out: Path, documents: Iterable[Document]) -> LabelReport:
    """Write documents with the names of their relations as entities ORGANISM and CHEMICAL, to train spaCy on.

    Of documents of another field it is their annotated entities, by their types, wherever those say that they stand.

    `doc._.relations` has the relations with the spans that name both sides. Labels that no span names are
    counted: a list that is shortened in the text ("acids A-C") is one entity.
    """
    report = LabelReport()
    bin = DocBin(store_user_data=True)
    for document in documents:
        other = any(entity.type not in GROUPS for entity in document.entities)
        doc = _annotated(document, report) if other else _labelled(document, report)
        report.documents += 1
        report.entities += len(doc.ents)
        bin.add(doc)
    _write(out, bin)
    return report


def _annotated(document: Document, report: LabelReport) -> Doc:
    """A document of another field than the built-in one."""
    doc = doc_of(document, _VOCAB)
    ends = zip(document.relations, document.related_entities(), strict=True)
    relations = [_stated(document, triple.type, head, tail) for triple, (head, tail) in ends]
    add_prediction(doc, Prediction(document.id, relations))
    for entity in document.entities:
        found = [Mention(start, end, [entity.label], None, "gold", entity.id) for start, end in entity.spans]
        add_mentions(doc, entity.type, found)
        report.missing += not found
    types = dict.fromkeys(entity.type for entity in document.entities)
    doc.ents = filter_spans([span for type in types for span in doc.spans.get(GROUPS.get(type, type), ())])
    return doc


def _stated(document: Document, type: str, head: Entity, tail: Entity) -> Relation:
    """A relation of a document, with the spans of both entities."""
    made = Relation(head.label, tail.label, None, head.id, tail.id, type=type, head_type=head.type, tail_type=tail.type)
    for role, entity in zip(made.roles, (head, tail), strict=True):
        made.evidence += [Evidence(s, e, document.text[s:e], role, "gold") for s, e in entity.spans]
    return made


def _labelled(document: Document, report: LabelReport) -> Doc:
    reading = read_text(document.text, len(document.title))
    found = align(document, reading)
    doc = doc_of(document, _VOCAB)
    spans: dict[str, dict[str, list[Evidence]]] = {"organism": {}, "chemical": {}}
    for role, names in (("organism", found.organisms), ("chemical", found.chemicals)):
        for label, places in names.items():
            offsets = [reading.original_span(start, end) for start, end in places]
            spans[role][label] = [Evidence(s, e, document.text[s:e], role, "gold") for s, e in offsets]
            report.missing += not offsets
    relations = [
        Relation(organism, chemical, evidence=[*spans["organism"][organism], *spans["chemical"][chemical]])
        for organism, chemical in document.label_pairs()
    ]
    add_prediction(doc, Prediction(document.id, relations))
    doc.ents = filter_spans([span for role in GROUPS for span in doc.spans.get(GROUPS[role], ())])
    return doc


def _write(out: Path, bin: DocBin) -> None:
    with atomic_write(out, binary=True) as stream:
        stream.write(bin.to_bytes())


_VOCAB = Vocab()


def in_doc(prediction: Prediction, doc: Doc, title_end: str = TITLE_END) -> Prediction:
    """The prediction with offsets in doc.text, which may lack the space between title and abstract."""
    moved = [
        replace(
            relation,
            evidence=[
                replace(e, start=offset_in(doc, e.start, title_end), end=offset_in(doc, e.end, title_end))
                for e in relation.evidence
            ],
        )
        for relation in prediction.relations
    ]
    return replace(prediction, relations=moved)


def offset_in(doc: Doc, offset: int, title_end: str = TITLE_END) -> int:
    """Where an offset of a document's text is in the Doc that it was read from."""
    title, abstract = title_of(doc, title_end)
    return offset - (title + 1 - abstract) if offset > title else offset
