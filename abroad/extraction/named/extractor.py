"""Names of a field's sources that stand in one sentence, as relations: what is there before anything is trained.

It knows no verb and no "not". Whatever is trained is to be better than this.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.field import find_field
from abroad.core.resume import digest
from abroad.core.schema import Document, Prediction
from abroad.extraction.base import each_by_itself
from abroad.extraction.builtin.reading import LONGEST_TEXT, TextTooLong
from abroad.extraction.joint.extractor import most_named, relation_of
from abroad.extraction.joint.from_documents import names_of, schema_of
from abroad.extraction.joint.linking import Linker
from abroad.extraction.joint.names import NameFinder
from abroad.extraction.joint.ranges import with_members
from abroad.extraction.joint.strains import whole_strains
from abroad.extraction.joint.texts import Annotated, Entity, Schema, Text, candidates


@dataclass(frozen=True)
class NamedExtractor:
    """Relations without a score.

    Attributes:
        within: "sentence", or "document" for names that stand anywhere in it.
        identity: names the field's file and its sources for resumption and the run record.
    """

    schema: Schema
    names: NameFinder
    linker: Linker
    within: str
    identity: dict[str, Any]

    def extract(self, documents: Sequence[Document]) -> Iterator[Prediction]:
        """One prediction a document; what fails becomes the prediction's error."""
        return each_by_itself(documents, self.predict)

    def predict(self, document: Document) -> Prediction:
        if len(document.text.strip()) > LONGEST_TEXT:
            raise TextTooLong(f"the text has {len(document.text):,} characters; expected at most {LONGEST_TEXT:,}")
        text = Text(document.id, document.text, len(document.title))
        linked = self.linker.link(text, with_members(text, self.names.find(text), self.schema.ranges))
        found = Annotated(text, whole_strains(text, linked, self.schema.strains))
        read = Annotated(text, most_named(found))
        prediction = Prediction(document.id)
        for one in candidates(self.schema, read.entities):
            head, tail = read.entities[one.head], read.entities[one.tail]
            if self.within == "document" or _sentences(text, head) & _sentences(text, tail):
                prediction.relations.append(relation_of(self.schema, read, one, None))
        return prediction


def load_named_extractor(field: Path, within: str = "sentence") -> NamedExtractor:
    """The extractor of a field's file.

    Raises:
        InputError: mistakes of the file, or a type of its relations that has no source of names.
    """
    of = find_field(field)
    names = NameFinder.of_field(of, field.parent)
    needed = dict.fromkeys(type for relation in of.relations.values() for type in (*relation.head, *relation.tail))
    if without := [type for type in needed if of.entities[type].names.kind == "none"]:
        raise InputError(
            f"{field}: no names of {', '.join(without)} to look for; expected a source (`names`) of each type of a "
            "relation, or the directory of an extractor that `abroad extractor train --field` wrote"
        )
    identity: dict[str, Any] = {
        "model": "names",
        "digest": digest([of.model_dump(mode="json"), names.to_dict()]),
        "within": within,
    }
    schema = schema_of(of)
    if schema.ranges:  # which versions before did not expand: what they wrote is not resumed
        identity["expanded"] = list(schema.ranges)
    return NamedExtractor(schema, names, Linker.learn((), names_of(of, field.parent)), within, identity)


def _sentences(text: Text, entity: Entity) -> set[int]:
    return {text.tokens[first].sentence for first, _ in entity.spans}
