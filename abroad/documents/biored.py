"""Annotated documents as BioRED and its kin give them, a JSON object a line, as documents of a field.

Of each line: `pmid` or `id`, `title`, `abstract`, `entities` as [start, end, type, text, identifiers] (several
identifiers of one mention by commas; offsets count in title, one space, abstract), and `relations` as [type,
identifier, identifier, ...]. Types are those of the field, or BioRED's where the field has a like one. A relation whose
type the field lacks becomes the field's relation between two such entities, if there is one: BioRED's protocol scores
pairs, whatever the type of their relation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from abroad.core.errors import InputError
from abroad.core.field import Field
from abroad.core.schema import Document, Entity, Triple

BIORED_TYPES = {
    "GeneOrGeneProduct": "gene",
    "DiseaseOrPhenotypicFeature": "disease",
    "ChemicalEntity": "chemical",
    "SequenceVariant": "variant",
    "OrganismTaxon": "organism",
    "CellLine": "cell_line",
}
"""BioRED's types of entities -> what a field calls them."""

_DATABASES = {
    "GeneOrGeneProduct": "NCBIGene",
    "DiseaseOrPhenotypicFeature": "MESH",
    "ChemicalEntity": "MESH",
    "OrganismTaxon": "NCBITaxon",
    "CellLine": "cellosaurus",
}
_VARIANT = "SequenceVariant"  # its identifiers have commas and colons of their own


def biored_documents(records: Iterable[Any], field: Field) -> Iterator[Document]:
    """Documents of records, one each.

    Args:
        field: what it has no type for is left out.
    Raises:
        InputError: a record is of another form; says which, by its number, and what was expected.
    """
    types = {name: name for name in field.entities}
    types |= {name: own for name, own in BIORED_TYPES.items() if own in field.entities}
    for number, record in enumerate(records, 1):
        try:
            yield _document(record, types, field)
        except InputError as error:
            raise InputError(f"record {number}: {error}") from None


def _document(record: Any, types: Mapping[str, str], field: Field) -> Document:
    if not isinstance(record, dict) or not all(isinstance(record.get(key), str) for key in ("title", "abstract")):
        raise InputError("expected an object with texts 'title' and 'abstract', and lists 'entities' and 'relations'")
    id = record.get("pmid", record.get("id"))
    if not isinstance(id, str | int):
        raise InputError("expected a 'pmid' or an 'id'")
    document = Document(str(id), record["title"], record["abstract"], str(id) if "pmid" in record else None)
    known: dict[str, str] = {}  # identifier of the file -> that of the document
    found: dict[str, tuple[str, list[list[int]]]] = {}  # identifier of the document -> its type and spans
    for item in _list(record, "entities"):
        start, end, type, identifiers = _mention(item, len(document.text))
        for identifier in identifiers if type in types else ():
            own = known[identifier] = _curie(type, identifier)
            entity_type, spans = found.setdefault(own, (types[type], []))
            if entity_type == types[type]:  # an identifier of two types, as happens, is of the first
                spans.append([start, end])
    document.entities = [
        Entity(own, _label(document.text, spans), {"spans": spans}, type=type) for own, (type, spans) in found.items()
    ]
    triples = _triples(_list(record, "relations"), known, {own: type for own, (type, _) in found.items()}, field)
    document.relations = list(dict.fromkeys(triples))
    return document


def _triples(items: list[Any], known: Mapping[str, str], types: Mapping[str, str], field: Field) -> Iterator[Triple]:
    for item in items:
        if not isinstance(item, list) or len(item) < 3 or not all(isinstance(part, str) for part in item[:3]):
            raise InputError(f"expected [type, identifier, identifier, ...] in relations, found {str(item)[:60]}")
        name, *ends = item[0], *(known.get(end) for end in item[1:3])
        head, tail = ends
        if head is None or tail is None or head == tail:
            continue
        names = [name] if name in field.relations else list(field.relations)
        for name in names:
            relation = field.relations[name]
            if relation.joins(types[head], types[tail]):
                yield Triple(*_ordered(relation, head, tail, types, name))
                break


def _ordered(relation: Any, head: str, tail: str, types: Mapping[str, str], name: str) -> tuple[str, str, str]:
    """(head, name, tail); of an undirected relation in the order of the field's types, else of the identifiers."""
    if not relation.directed:
        first, second = sorted((head, tail))
        fits = types[first] in relation.head and types[second] in relation.tail
        head, tail = (first, second) if fits else (second, first)
    return head, name, tail


def _curie(type: str, identifier: str) -> str:
    """ "3175" of a gene -> "NCBIGene:3175"; what names its database itself stays."""
    if type == _VARIANT:
        return f"dbSNP:{identifier}" if identifier.startswith("rs") else f"variant:{identifier}"
    return identifier if ":" in identifier or type not in _DATABASES else f"{_DATABASES[type]}:{identifier}"


def _mention(item: Any, length: int) -> tuple[int, int, str, list[str]]:
    if isinstance(item, list) and len(item) == 5:
        start, end, type, _, identifiers = item
        if isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= length:
            several = [str(identifiers)] if type == _VARIANT else str(identifiers).split(",")
            return start, end, str(type), [each.strip() for each in several if each.strip() not in ("", "-")]
    raise InputError(
        f"expected [start, end, type, text, identifiers] within the {length} characters of the text in entities, "
        f"found {str(item)[:60]}"
    )


def _list(record: dict[str, Any], name: str) -> list[Any]:
    items = record.get(name) or []
    if not isinstance(items, list):
        raise InputError(f"expected a list in {name!r}")
    return items


def _label(text: str, spans: list[list[int]]) -> str:
    return max((text[start:end] for start, end in spans), key=len)
