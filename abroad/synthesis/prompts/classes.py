"""The chemical class of a compound: what its record says, else what its name ends in.

`with_superclasses` fills the records from LOTUS's columns, where the superclass is that of
NPClassifier (Kim et al. 2021, https://doi.org/10.1021/acs.jnatprod.1c00399).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from abroad.core.context import Context
from abroad.core.schema import Document, Entity
from abroad.sources.tables import read_rows

_COLUMNS = (
    "structure_wikidata",
    "structure_taxonomy_npclassifier_02superclass",
    "organism_wikidata",
    "organism_taxonomy_02kingdom",
)

# Endings that name a class by convention of the field, longest meaning first; no guesses from mere "-in" or "-ol".
_BY_NAME = tuple(
    (re.compile(pattern, re.IGNORECASE), name)
    for pattern, name in (
        (r"isoflavan|isoflavone|genistein|daidzein", "isoflavonoids"),
        (r"pterocarpan", "pterocarpans"),
        (r"flavan|flavon|luteolin|apigenin|quercetin|kaempferol|chalcone|catechin", "flavonoids"),
        (r"anthraquinone", "anthraquinones"),
        (r"quinone", "quinones"),
        (r"xanthone", "xanthones"),
        (r"coumarin", "coumarins"),
        (r"lignan", "lignans"),
        (r"saponin|saponoside", "saponins"),
        (r"cholest|ergost|stigmast|sterol|sterone", "steroids"),
        (r"caroten|xanthin\b|lycopene", "carotenoids"),
        (r"ceramide|cerebroside", "sphingolipids"),
        (r"peptide", "peptides"),
        (r"cytochalas", "cytochalasans"),
        (r"aconi(?:tine|ne)\b|berberine|carboline", "alkaloids"),
        (r"(?:hexa|octa|tetra)deca\w*oic acid|palmitate|oleate|linole", "fatty acids and esters"),
    )
)


def class_of(chemical: Entity) -> str | None:
    """The class as a plural in lower case ("flavonoids"), or None when nothing tells."""
    given = str(chemical.extra.get("class") or "").strip().lower()
    if given:
        return given if given.endswith("s") else given + "s"
    if chemical.extra.get("type") == "class":
        return None
    return next((name for pattern, name in _BY_NAME if pattern.search(chemical.label)), None)


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
