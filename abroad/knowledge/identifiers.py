"""What people type as identifiers: items of Wikidata, taxa, PubChem's numbers, InChIKeys, CURIEs, addresses of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ITEM = re.compile(r"(?:(?:https?://)?(?:www\.)?wikidata\.org/(?:wiki|entity)/|(?:wikidata|wd):)?(Q\d+)", re.IGNORECASE)
_TAXON = re.compile(
    r"(?:https?://\S+(?:/NCBITaxon_|wwwtax\.cgi\?\S*id=|/taxonomy/)|(?:taxid|txid|taxonomy|taxon):?\s*)(\d+)/?",
    re.IGNORECASE,
)
_PUBCHEM = re.compile(
    r"(?:(?:https?://)?pubchem\.ncbi\.nlm\.nih\.gov/compound/|(?:pubchem\s*)?CID:?\s*|pubchem:\s*)(\d+)/?",
    re.IGNORECASE,
)
_REGISTRY = re.compile(r"https?://(?:identifiers\.org|bioregistry\.io)/(\S+:\S+)", re.IGNORECASE)
_INCHIKEY = re.compile(r"(?:InChIKey[:=]\s*)?([A-Z]{14}-[A-Z]{10}(?:-[A-Z])?)", re.IGNORECASE)
_BLOCK = re.compile(r"(?:InChIKey[:=]\s*)?([A-Z]{14})")
_KEY = "inchikey:"


@dataclass(frozen=True)
class Meaning:
    """What a text may mean.

    Attributes:
        item: of Wikidata; "" for none.
        curie: in lower case; the text itself where it is none.
        start: with which a CURIE begins, of an InChIKey that is given in part; "" for none.
    """

    item: str
    curie: str
    start: str = ""

    def condition(self, column: str) -> tuple[str, tuple[str, ...]]:
        """What is true in SQL of a column of entities that have the identifier, and the values of its marks."""
        partly = f" OR substr(curie, 1, {len(self.start)}) = ?" if self.start else ""
        values = (self.curie, *((self.start,) if self.start else ()))
        return f"{column} IN (SELECT entity FROM identifier WHERE curie = ?{partly})", values


def meaning_of(text: str) -> Meaning:
    """What a text may mean; the first block of an InChIKey, 14 capitals, means all isomers that share it."""
    text = text.strip()
    if match := _ITEM.fullmatch(text):
        return Meaning(match[1].upper(), f"wikidata:{match[1].lower()}")
    for pattern, prefix in ((_TAXON, "ncbitaxon"), (_PUBCHEM, "pubchem.compound")):
        if match := pattern.fullmatch(text):
            return Meaning("", f"{prefix}:{match[1]}")
    if match := _REGISTRY.fullmatch(text):
        text = match[1]
    if match := _INCHIKEY.fullmatch(text) or _BLOCK.fullmatch(text):
        key = _KEY + match[1].lower()
        return Meaning("", key, "" if len(match[1]) == 27 else f"{key}-")
    return Meaning("", text.lower())
