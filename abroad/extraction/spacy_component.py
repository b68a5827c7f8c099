"""The component `abroad` of spaCy pipelines: any extractor, by its name or directory.

With the built-in extractor and those trained like it, it is `abroad_organisms`, `abroad_chemicals` and
`abroad_relations` in one. With that of another field `doc.spans` has a key for each type of its entities.
"""

# No `from __future__ import annotations`: spaCy checks the settings of a component by these annotations.

from typing import cast

from spacy import Language
from spacy.tokens import Doc

from abroad.core.registry import Capability
from abroad.core.schema import Document
from abroad.documents.docbin import ID, TITLE_END, title_of
from abroad.extraction.base import NamingExtractor
from abroad.extraction.builtin.spacy_pipeline.annotations import Mention, add_mentions, add_prediction
from abroad.extraction.builtin.spacy_pipeline.components import (
    Component,
    find_chemicals,
    find_organisms,
    find_relations,
)
from abroad.extraction.builtin.spacy_pipeline.docbin import in_doc, offset_in
from abroad.extraction.load import BUILTIN, EXTRACTORS, extractor_kind, load_extractor


class AnyComponent:
    """An extractor over one Doc. It is pickled as its settings and loads its model again where it is unpickled.

    Args:
        model: as `abroad.load_extractor` takes it.
        min_score: threshold of relations, of an extractor that has one.
        precision: instead, the threshold that gave this precision.
        title_end: key of doc.user_data that holds the offset where the title ends; without it there is no title.
    Raises:
        InputError: no such model, or it takes no threshold.
    """

    def __init__(
        self,
        model: str,
        min_score: float | None = None,
        precision: float | None = None,
        title_end: str = TITLE_END,
    ) -> None:
        self._settings = (model, min_score, precision, title_end)
        given = {"min_score": min_score, "precision": precision}
        self._extractor = load_extractor(model, **{key: value for key, value in given.items() if value is not None})
        names = Capability.ENTITIES in extractor_kind(model).capabilities
        self._naming = cast(NamingExtractor, self._extractor) if names else None

    def __call__(self, doc: Doc) -> Doc:
        title_end = self._settings[-1]
        title, abstract = title_of(doc, title_end)
        document = Document(str(doc.user_data.get(ID, "")), doc.text[:title], doc.text[abstract:])
        (prediction,) = self._extractor.extract([document])
        types = self._naming.entity_types if self._naming is not None else None
        add_prediction(doc, in_doc(prediction, doc, title_end), types)
        if self._naming is not None and prediction.error is None:
            self._add_entities(doc, self._naming, document)
        return doc

    def _add_entities(self, doc: Doc, naming: NamingExtractor, document: Document) -> None:
        """Spans of what is in no relation too; a span that is in one keeps the relation's score."""
        title_end = self._settings[-1]
        for entity in naming.entities(document):
            places = [(offset_in(doc, start, title_end), offset_in(doc, end, title_end)) for start, end in entity.spans]
            found = [Mention(start, end, [entity.label], None, "verbatim", entity.id or None) for start, end in places]
            add_mentions(doc, entity.type, found)

    def __reduce__(self) -> tuple[type["AnyComponent"], tuple[object, ...]]:
        return type(self), self._settings


@Language.factory("abroad", assigns=["doc._.relations", "doc._.abroad_prediction", "doc.spans"])
def make_component(
    nlp: Language,
    name: str,
    model: str | None = None,
    min_score: float | None = None,
    precision: float | None = None,
    title_end: str = TITLE_END,
) -> Component | AnyComponent:
    """Find entities and relations of the field of an extractor."""
    if extractor_kind(model or BUILTIN) is EXTRACTORS.get(BUILTIN):
        return Component([find_organisms, find_chemicals, find_relations], model, min_score, precision, title_end)
    return AnyComponent(str(model), min_score, precision, title_end)
