"""Scientific names of organisms in a text: binomials, genera, abbreviated genera, higher taxa.

Known genera and epithets are looked up; new species are told by the Latin form of
their two words. Labels follow the convention of the curated data: "Genus epithet", or
"Genus" for "Genus sp." and the like; strains, varieties and authorities are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from abroad.text.taxon_names import epithets, genera, higher_taxa, species_of, taxon_identifier


@dataclass(frozen=True, slots=True)
class OrganismMention:
    """An organism named in a text.

    Attributes:
        start, end: offsets (code points, end exclusive).
        label: the name it stands for.
        form: "binomial", "abbreviated" ("P. notatum"), "unnamed" ("Penicillium sp."), "genus", "higher" or "common".
    """

    start: int
    end: int
    label: str
    form: str

    @property
    def rule(self) -> str:
        """How the label follows from the text: "verbatim" or "genus"."""
        return "genus" if self.form == "abbreviated" else "verbatim"


# A capital starts a word, or a name glued to the word before it, as PubMed texts have ("genusNasutitermes").
_WORD = re.compile(r"(?:(?<![A-Za-z])|(?<=[a-z]))[A-Z][a-z]{2,}(?:-[a-z]+)?(?![A-Za-z])")
_UPPER = re.compile(r"(?<![A-Za-z-])([A-Z]{4,}) ([A-Z]{4,})(?![A-Za-z-])")
_LOWER = re.compile(r"(?<![A-Za-z-])([a-z]{4,}) ([a-z]{4,}(?:-[a-z]+)?)(?![A-Za-z])")
_ABBREVIATED = re.compile(r"(?<![A-Za-z.-])([A-Z][a-z]{0,2})\. ?([a-z]{3,}(?:-[a-z]+)?)(?![A-Za-z])")
_NEXT = re.compile(r"(?: \([A-Z][a-z]+\))?[ \u00a0]([a-z]{3,}(?:-[a-z]+)?)(?![A-Za-z])")
_UNNAMED = re.compile(r"[ \u00a0](?:(?:n\. ?)?spp?\b\.?|(?:species|strains?|genus)\b)")
_COMMON = re.compile(
    r"(?<![\w-])(?:cyanobacteri(?:um|a)|(?:puffer)?fish(?:es)?|sponges?|fung(?:us|i)|gorgonians?|termites?|ants?|"
    r"ascidians?|dinoflagellates?|yeasts?|bacteri(?:um|a)|actinomycetes?|lichens?|soft corals?|tea|algae?|seaweeds?|"
    r"mosses|liverworts?)"
    r"(?![\w-])",
    re.IGNORECASE,
)

_NO_EPITHET = frozenset(
    """and are bacteria bacterium based been both but cell cells collected compound compounds containing cultivated
    culture cultures derived does endophyte endophytic essential ethanol extract extracts family fermentation
    flower flowers for found fractions fruit fruits fungal fungus gen genome genus group grown had has have herb
    host important infection isolate isolated isolates latex leaf leaves many marine metabolites methanol
    methanolic mushroom mutant nov novel oil plant plants producing produced produces rhizome root roots seed
    seeds several should showed sp species spp stem strain strains such symbiont tea that the these this tree
    two type using var was were which wild with yeast virus phage vector strain culture tissue associated
    against also plays may can not new red white black green brown yellow major minor production secondary
    natural chemical genes gene cluster biosynthetic biosynthesis pathway exhibited revealed led afforded
    yielded resulted contains contain contained being from into during after before enzyme proteins protein
    peptide peptides toxins toxin alkaloids alkaloid flavonoids terpenoids saponins polyketides lineage clade
    complex region island coast sea bay river province county university medium agar broth powder tuber bark
    wood heartwood bulbs bulb whole fresh dried aerial parts part fruiting bodies body mycelia mycelium data
    media thus genus thesis basis plus area via analysis""".split()
)
_NO_GENUS = frozenset(
    """Beta Alpha Gamma Delta Data Argentina China Mexico India Japan Brazil Central Columbia California Florida Africa
    America Australia Victoria Paris Atlantic Pacific Here Their This These Both Major Minor Chemical Cancer
    Circe Media Ultra Total Extra Inter Para Meta Ortho Iso Epi Via Theta Iota Zeta Omega Eta Sigma Lambda Kappa
    Phi Psi Chi Omicron Anti Auto Bio Cyclo Mono Poly Tri Tetra Penta Hexa Hepta Octa Nova Area Idea Aura Era
    Aroma Drama Panorama Radar Echo Electra Ion Iris Nana Cora Aria Pan Titan Pluto Mars Venus Vega Luna Lima
    Riga Roma Java Cuba Genova Asia Europa Saturn Orion Phoenix Hydra Medusa Sirius Castor Pollux Plasma Lactone
    Bacteria Fungi Formosa Serum Homo Mus Sea""".split()
)
_LATIN_EPITHET = re.compile(
    r"[a-z-]+(?:ensis|ense|icola|oides|oideum|oidea|at(?:um|a|us)|orum|arum|ic(?:um|us|a)|an(?:um|us|a)|os(?:um|a|us)|ii|"
    r"ifer(?:um|a|us)?|form(?:is|e)|al(?:is|e)|ar(?:is|e)|in(?:um|us|a)|escens|ensium|ut(?:um|us|a)|ian(?:um|us|a)|"
    r"ophil(?:um|us|a)|yi|ei|ni|tis|ger|fer|ceps|color|ns|tum|ta|ra|la|lum|lus|ris|rum|cum|ae)"
)
_LATIN_ENDING = re.compile(r"(?:us|um|a|is|ae|i|ens|ans|ense|oides)$")  # enough after a known genus
_LATIN_GENUS = re.compile(r"[A-Z][a-z]{3,}(?:a|um|us|is|on|es|ma|ys|ix|ax|ium|oides|ces|ter|opsis|phora|spora|ella)")
_LONG_EPITHET = 7  # letters; shorter ones of different species differ by one letter
_LONGEST = 400  # mentions looked at; beyond it a text is a catalogue of species


def find_organisms(text: str) -> list[OrganismMention]:
    """Every scientific name in the text, in order; abbreviated genera are resolved."""
    found = [*_upper_case(text), *_lower_case(text), *_names(text)]
    found = _without_overlaps(found)[:_LONGEST]
    full = _one_spelling(_without_overlaps([*found, *_abbreviated(text, found)]))
    return [*full, *_common(text)][:_LONGEST] if not full else full[:_LONGEST]


def resolve_genus(name: str, mentions: Sequence[OrganismMention], position: int) -> str | None:
    """The full name for "P. notatum": the genus named for that epithet, else the last one before it, else any.

    Args:
        name: an abbreviated name.
        mentions: names in the same document, genus in full.
        position: where the abbreviation stands.
    Returns:
        None when no genus of the document fits, or several do and none was named before.
    """
    match = _ABBREVIATED.match(name)
    if match is None:
        return None
    initial, epithet = match[1], match[2]
    fits = [m for m in mentions if m.label.startswith(initial) and m.form not in ("higher", "common")]
    same = [m for m in fits if m.label.split(" ")[1:] == [epithet]]
    if same:
        return same[0].label
    before = [m for m in fits if m.start < position]
    chosen = before[-1:] or (fits if len({m.label.split(" ")[0] for m in fits}) == 1 else [])
    return f"{chosen[0].label.split(' ')[0]} {epithet}" if chosen else None


def _names(text: str) -> Iterator[OrganismMention]:
    for match in _WORD.finditer(text):
        word, start, end = match[0], match.start(), match.end()
        glued = start > 0 and text[start - 1].isalpha()
        known = word in genera() and word not in _NO_GENUS
        if glued and not known:
            continue
        following = _NEXT.match(text, end)
        epithet = following[1] if following else ""
        if _UNNAMED.match(text, end) and (known or text.startswith((" sp.", " spp."), end)):
            stop = end
            yield OrganismMention(start, stop, word, "unnamed")
        elif following and _is_binomial(word, epithet, known):
            yield OrganismMention(start, following.end(), f"{word} {epithet}", "binomial")
        elif known:
            yield OrganismMention(start, end, word, "genus")
        elif word in higher_taxa() and word not in _NO_GENUS:
            yield OrganismMention(start, end, word, "higher")


def _is_binomial(genus: str, epithet: str, known: bool) -> bool:
    if epithet in _NO_EPITHET:
        return False
    if known:
        return "-" in epithet or epithet in epithets() or _LATIN_ENDING.search(epithet) is not None
    latin = _LATIN_GENUS.fullmatch(genus) is not None and genus not in _NO_GENUS
    return latin and _LATIN_EPITHET.fullmatch(epithet) is not None and epithet in epithets()


def _upper_case(text: str) -> Iterator[OrganismMention]:
    """ "EUPATORIUM CANNABINUM", as old records have it."""
    for match in _UPPER.finditer(text):
        genus, epithet = match[1].capitalize(), match[2].lower()
        if genus in genera() and epithet in epithets() and epithet not in _NO_EPITHET:
            yield OrganismMention(match.start(), match.end(), f"{genus} {epithet}", "binomial")


def _lower_case(text: str) -> Iterator[OrganismMention]:
    """ "didemnum chartaceum": both words known, and neither a word of everyday use."""
    for match in _LOWER.finditer(text):
        genus = match[1].capitalize()
        if genus not in genera() or genus in _NO_GENUS or match[1] in _NO_EPITHET:
            continue
        if match[2] in epithets() and match[2] not in _NO_EPITHET and _LATIN_EPITHET.fullmatch(match[2]):
            yield OrganismMention(match.start(), match.end(), f"{genus} {match[2]}", "binomial")


def _abbreviated(text: str, named: list[OrganismMention]) -> Iterator[OrganismMention]:
    for match in _ABBREVIATED.finditer(text):
        if match[2] in _NO_EPITHET:
            continue
        label = resolve_genus(match[0], named, match.start())
        if label is None and (match[2] not in epithets() or not _LATIN_EPITHET.fullmatch(match[2])):
            continue
        yield OrganismMention(match.start(), match.end(), label or f"{match[1]}. {match[2]}", "abbreviated")


def _common(text: str) -> Iterator[OrganismMention]:
    """Groups by their common name: looked for only where no scientific name stands."""
    for match in _COMMON.finditer(text):
        yield OrganismMention(match.start(), match.end(), match[0], "common")


def _one_spelling(mentions: list[OrganismMention]) -> list[OrganismMention]:
    """Misspelt species get the known spelling, or the first one of the text: "subprostarata" -> "subprostrata"."""
    chosen: dict[str, str] = {}
    in_order = dict.fromkeys(m.label for m in mentions)
    for label in sorted(in_order, key=lambda label: taxon_identifier(label) is None):
        genus, _, epithet = label.partition(" ")
        if len(epithet) < _LONG_EPITHET or epithet in species_of(genus):
            chosen[label] = label
            continue
        same = [other for other in chosen.values() if other.startswith(genus + " ") and one_edit_apart(label, other)]
        chosen[label] = same[0] if same else _known_spelling(genus, epithet)
    return [m if chosen[m.label] == m.label else replace(m, label=chosen[m.label]) for m in mentions]


def _known_spelling(genus: str, epithet: str) -> str:
    """The one species of the genus that a slip of the pen explains; the name itself if there is none.

    A letter left out, doubled or swapped is a slip; another letter in its place may be another species,
    and -i for -ii is a matter of style.
    """
    slips = [known for known in species_of(genus) if one_edit_apart(epithet, known) and not _variant(epithet, known)]
    return f"{genus} {slips[0]}" if len(slips) == 1 and "-" not in epithet else f"{genus} {epithet}"


def _variant(first: str, second: str) -> bool:
    replaced = len(first) == len(second) and sorted(first) != sorted(second)
    return replaced or re.sub("i(i|ae)$", r"\1", first) == re.sub("i(i|ae)$", r"\1", second)


def one_edit_apart(first: str, second: str) -> bool:
    """Whether one letter left out, put in, replaced, or swapped with its neighbour makes one word the other."""
    if abs(len(first) - len(second)) > 1 or first == second:
        return False
    if len(first) > len(second):
        first, second = second, first
    start = 0
    while start < len(first) and first[start] == second[start]:
        start += 1
    rest, other = first[start:], second[start:]
    if len(rest) < len(other):
        return rest == other[1:]
    return rest[1:] == other[1:] or (rest[:2] == other[1::-1] and rest[2:] == other[2:])


def _without_overlaps(mentions: list[OrganismMention]) -> list[OrganismMention]:
    kept: list[OrganismMention] = []
    for mention in sorted(mentions, key=lambda m: (m.start, m.start - m.end)):
        if not kept or mention.start >= kept[-1].end:
            kept.append(mention)
    return kept
