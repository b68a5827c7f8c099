"""Classes of chemicals and kingdoms of organisms, written into the records of documents.

They are those of LOTUS's columns, where the superclass of a structure is that of NPClassifier
(Kim et al. 2021, https://doi.org/10.1021/acs.jnatprod.1c00399).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from abroad.core.context import Context
from abroad.core.schema import Document
from abroad.sources.tables import read_rows

_COLUMNS = (
    "structure_wikidata",
    "structure_taxonomy_npclassifier_02superclass",
    "organism_wikidata",
    "organism_taxonomy_02kingdom",
)


def with_superclasses(documents: Sequence[Document], table: Path, context: Context) -> list[Document]:
    """The documents with `class` of each chemical and `kingdom` of the document from LOTUS's metadata (CSV).

    Chemicals and organisms are found by their Wikidata item; what a record says already stays.

    Raises:
        InputError: the table cannot be read, or lacks a column.
    """
    items = {entity.id for document in documents for entity in (*document.chemicals, *document.organisms)}
    classes: dict[str, str] = {}
    kingdoms: dict[str, str] = {}
    for _, (structure, superclass, organism, kingdom) in read_rows(
        table, _COLUMNS, ",", "LOTUS metadata (CSV)", context
    ):
        for target, url, value in ((classes, structure, superclass), (kingdoms, organism, kingdom)):
            item = url.rstrip("/").rpartition("/")[2]
            if item in items and value not in ("", "NA"):
                target.setdefault(item, value.partition("|")[0])
    return [_with_classes(document, classes, kingdoms) for document in documents]


def _with_classes(document: Document, classes: dict[str, str], kingdoms: dict[str, str]) -> Document:
    chemicals = [
        replace(entity, extra={"class": classes[entity.id], **entity.extra}) if entity.id in classes else entity
        for entity in document.chemicals
    ]
    kingdom = next((kingdoms[entity.id] for entity in document.organisms if entity.id in kingdoms), None)
    extra = {"kingdom": kingdom, **document.extra} if kingdom else document.extra
    return replace(document, extra=extra).with_products(chemicals=chemicals)
