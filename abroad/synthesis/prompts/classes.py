"""The chemical class of a compound: what its record says (`abroad.documents.superclasses`), else its name's ending."""

from __future__ import annotations

import re

from abroad.core.schema import Entity

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
