"""A name of an organism as somebody wrote it -> as taxonomies write it: without authors, in the usual case.

Botanists, zoologists and bacteriologists cite who gave a name ("Salvia miltiorrhiza Bunge", "Apis mellifera Linnaeus,
1758", "Camellia sinensis (L.) Kuntze var. assamica (Royle ex Hook.) Steenis"). The citation follows the name and is
made of capitalised names and abbreviations, particles, the words that the codes of nomenclature join them by, and
years; what is anything else (a strain's number, a cultivar) belongs to the name and stays, with all that stands beside
it. A cultivar or ecotype of one bare capitalised word ("Nicotiana tabacum Samsun") cannot be told from an author.

Ranks and joining words are closed sets, those of the International Code of Nomenclature for algae, fungi, and plants
(Shenzhen Code, 2018, articles 24 and 46) and the International Code of Zoological Nomenclature (4th edition, 1999,
article 51).
"""

from __future__ import annotations

import re
from functools import lru_cache

from abroad.text.taxon_names import CANDIDATUS, HYBRID, common_names, genera, higher_taxa, species_of, taxon_identifier

_EPITHET = re.compile(r"[^\W\d_]{2,}(?:-[^\W\d_]+)*")
_RANKS = frozenset("subsp subspecies ssp var varietas subvar f fo forma subf pv bv".split())
_JOINING = frozenset("ex et & and in al apud emend f fil bis auct non nec sensu nom cons nud illeg corrig".split())
_PARTICLES = frozenset("de da do dos del della di du la le van von vom zu den der ter ten af".split())
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d[a-z]?")
_AROUND = "()[],;"


@lru_cache(maxsize=1 << 16)
def scientific_name(label: str) -> str:
    """The name without its authors, genus and species in the usual case where the taxonomy knows them.

    What is no name of a known genus or higher taxon comes back as it is, but for its spaces.
    """
    return without_authors(_cased(" ".join(label.split())))


def organism_identifier(label: str) -> str | None:
    """ "NCBITaxon:226208" for "Salvia miltiorrhiza", "SALVIA MILTIORRHIZA" and "Salvia miltiorrhiza Bunge"."""
    return taxon_identifier(label) or taxon_identifier(scientific_name(label))


def without_authors(name: str) -> str:
    """A name without the citation of its authors; infraspecific parts stay, and so does what is no citation."""
    words = name.split()
    if len(words) < 2 or name.startswith(CANDIDATUS) or not _is_taxon(words[0]):
        return name
    cross = 1 if words[1] in (HYBRID, "x") else 0
    if len(words) > 1 + cross and _is_epithet(words[1 + cross]):
        kept = _kept(words[2 + cross :])
        return name if kept is None else " ".join([*words[: 2 + cross], *kept])
    plain = any(_is_plainly_an_author(word) for word in words[1:])
    return words[0] if plain and _kept(words[1:]) == [] else name


def _kept(rest: list[str]) -> list[str] | None:
    """What of the words after a name is no citation: its infraspecific parts; None where there is anything else."""
    kept: list[str] = []
    citation: list[str] = []
    number = 0
    while number < len(rest):
        bare, following = rest[number].rstrip("."), rest[number + 1] if number + 1 < len(rest) else ""
        if bare in _RANKS and _is_epithet(following):
            kept += [rest[number], following]
            number += 2
            continue
        citation.append(rest[number])
        number += 1
    return kept if not citation or _is_citation(citation) else None


def _is_citation(words: list[str]) -> bool:
    """Whether words cite authors: one name at least, and of a lone name no bare year, as strains have it."""
    bare = [word.strip(_AROUND) for word in words]
    names = [word for word in bare if _is_author(word)]
    years = [word for word in bare if _YEAR.fullmatch(word)]
    usual = {*names, *years, ""}
    others = [word for word in bare if word not in usual and word.rstrip(".") not in _JOINING | _PARTICLES]
    divided = len(names) > 1 or any(sign in word for word in words for sign in _AROUND)
    return bool(names) and not others and (not years or divided)


def _is_author(word: str) -> bool:
    """ "Bunge", "L.", "DC.", "C.Y.Wu", "Müll.Arg."; no acronym of a collection, and nothing with a digit."""
    if not word[:1].isupper() or any(sign.isdigit() for sign in word):
        return False
    if not all(sign.isalpha() or sign in ".-'’&" for sign in word):
        return False
    return word == "L" or "." in word or any(sign.islower() for sign in word)


def _is_plainly_an_author(word: str) -> bool:
    """Whether a word can hardly be part of a name: it is abbreviated, or stands in brackets."""
    return _is_author(word.strip(_AROUND)) and ("." in word or word.startswith("(") or word == "L")


def _is_taxon(word: str) -> bool:
    return word in genera() or word in higher_taxa()


def _is_epithet(word: str) -> bool:
    return word.islower() and _EPITHET.fullmatch(word) is not None and word not in _JOINING | _PARTICLES


def _cased(name: str) -> str:
    """The first letter alone is a capital, in a genus, a species and what belongs to it that the taxonomy knows."""
    words = name.split(" ")
    genus = words[0].capitalize()
    if genus not in genera() or (words[0] == genus and (len(words) < 2 or _is_epithet(words[1]))):
        return name
    if len(words) == 1:
        return name if name.lower() in common_names() else genus
    cross = 1 if words[1] in (HYBRID, "x", "X") and len(words) > 2 else 0
    epithet = words[1 + cross].lower()
    if epithet not in species_of(genus) and f"{HYBRID}{epithet}" not in species_of(genus):
        return name
    rest = words[2 + cross :]
    if name.isupper():
        rest = [word if any(sign.isdigit() for sign in word) else _lowered(word) for word in rest]
    return " ".join([genus, *(HYBRID for _ in range(cross)), epithet, *rest])


def _lowered(word: str) -> str:
    """A word of a name in capitals: ranks are small, names of authors are not."""
    return word.lower() if word.lower().rstrip(".") in _RANKS | _JOINING | _PARTICLES else word.capitalize()
