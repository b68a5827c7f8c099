"""What 500 synthetic abstracts shall say: relations drawn by greedy maximum entropy, and phenomena that the text shows.

Run: python benchmarks/draw_synthetic.py ../shared/data benchmarks/results/synthetic_specs.jsonl [specs]

300 references of the LOTUS table of plants and 200 documents of NPAtlas, of each number of relations (1 to 8) its share,
so that long lists are not preferred; with the folder, the specs are also written there in four parts. No reference has the
DOI of a labelled, locked or curated document or is validated on, and no compound is one of the curated relations. Some
phenomena change the draw (an animal, a family or a common name for its organism, congeners for its compound): what the
abstracts will say is invented, and no literature.
"""

# ruff: noqa: E501 - pools of names and the lines of phenomena read best as text
from __future__ import annotations

import csv
import gzip
import json
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from gme_sampler import GreedyMaximumEntropySampler, RelationTable

SEED = 20
SHARES = {"lotus": 300, "npatlas": 200}
RESERVE = 0.6  # partners for draws that need a second organism, as a share of the draws
MAX_RELATIONS, MAX_NAME, MAX_ORGANISMS, PRESAMPLE = 8, 80, 4, 20_000
EMPTY, TITLE_ONLY, PARTS = 40, 25, 4
IDENTIFIER = re.compile(r"CHEMBL|CID\b|SCHEMBL|NSC|[A-Z]{14}-|Q\d|\d+-\d\d-\d$|[A-Z]{2,}\d{3,}$|https?:")


@dataclass
class Draw:
    """The relations of one reference and what else of it may be named."""

    source: str
    relations: list[tuple[str, str]]
    families: dict[str, str] = field(default_factory=dict)
    other_organisms: list[str] = field(default_factory=list)

    @property
    def organisms(self) -> list[str]:
        return list(dict.fromkeys(organism for organism, _ in self.relations))

    @property
    def chemicals(self) -> list[str]:
        return list(dict.fromkeys(chemical for _, chemical in self.relations))


@dataclass
class Spec:
    """One abstract to be written."""

    draw: Draw
    relations: list[tuple[str, str]]
    other_organisms: list[str]
    other_chemicals: list[str] = field(default_factory=list)
    phenomena: list[str] = field(default_factory=list)

    @property
    def organisms(self) -> list[str]:
        return list(dict.fromkeys(organism for organism, _ in self.relations))

    @property
    def chemicals(self) -> list[str]:
        return list(dict.fromkeys(chemical for _, chemical in self.relations))

    def replace_organism(self, old: str, new: str) -> None:
        self.relations = list(dict.fromkeys((new if o == old else o, c) for o, c in self.relations))


# Pools: what the phenomena need beside the draw.
INSECTS = """Zygaena transalpina|Utetheisa bella|Danaus gilippus|Chrysomela populi|Aphis nerii|Longitarsus jacobaeae|Tyria jacobaeae|
Papilio machaon|Rhodobaenus tredecimpunctatus|Oncopeltus cingulifer|Athalia rosae|Poekilocerus bufonius""".replace(
    "\n", ""
).split("|")
MARINE = [
    tuple(pair.split("<"))
    for pair in (
        "Hypselodoris jacksoni<Dysidea fragilis|Phyllidiella pustulosa<Acanthella cavernosa|Aplysia dactylomela<Laurencia obtusa|"
        "Elysia rufescens<Bryopsis pennata|Tritonia hamnerorum<Gorgonia ventalina|Tambja ceutae<Bugula dentata|"
        "Oxynoe olivacea<Caulerpa prolifera|Cyphoma gibbosum<Briareum asbestinum|Drupella cornus<Acropora formosa|"
        "Peronia peronii<Ulva lactuca|Stylocheilus striatus<Lyngbya majuscula|Glossodoris atromarginata<Hyrtios erectus|"
        "Armina maculata<Veretillum cynomorium|Acanthaster planci<Porites lobata|Philinopsis speciosa<Bulla striata|"
        "Synalpheus regalis<Xestospongia muta|Ovula ovum<Sarcophyton glaucum|Felimare picta<Ircinia variabilis"
    ).split("|")
]
TEST = """Staphylococcus aureus|Escherichia coli|Candida albicans|Pseudomonas aeruginosa|Bacillus subtilis|Mycobacterium smegmatis|
Plasmodium falciparum|Leishmania donovani|Trypanosoma cruzi|Artemia salina|Cryptococcus neoformans|Klebsiella pneumoniae|Fusarium oxysporum|
Botrytis cinerea|Spodoptera litura|Aedes aegypti|Danio rerio|Caenorhabditis elegans|Enterococcus faecalis|Vibrio harveyi""".replace(
    "\n", ""
).split("|")
CELLS = "HeLa|MCF-7|A549|HepG2|K562|HL-60|RAW 264.7|P388|HCT-116|PC-3|Vero|SH-SY5Y".split("|")
CONTROLS = """doxorubicin|ciprofloxacin|amphotericin B|vancomycin|acarbose|etoposide|chloroquine|indomethacin|ketoconazole|cisplatin|
gentamicin|dexamethasone|paclitaxel|galantamine|ascorbic acid|nystatin|benznidazole|kojic acid""".replace(
    "\n", ""
).split("|")
REAGENTS = """methanol|ethyl acetate|chloroform|n-butanol|acetonitrile|pyridine|acetic anhydride|trifluoroacetic acid|DPPH|MTT|
sodium borohydride|diazomethane|formic acid|n-hexane|dimethyl sulfoxide|Sephadex LH-20|pentane|deuterated methanol""".replace(
    "\n", ""
).split("|")
PRODUCTS = """D-glucose|L-rhamnose|D-xylose|glycerol|L-arabinose|D-galactose|methyl palmitate|acetone|vanillic acid|isovaleric acid|
D-fucose|L-alanine|dimethyl malonate|oleandrose|phthalic anhydride""".replace("\n", "").split("|")
SUBSTRATES = """progesterone|testosterone|artemisinin|cedrol|sclareol|naringenin|betulin|geraniol|L-tryptophan|nootkatone|
hydrocortisone|limonene|ginsenoside Rd|cinnamic acid|stevioside""".replace("\n", "").split("|")
DERIVATIVES = (
    "{} acetate|{} methyl ether|{} p-bromobenzoate|dihydro-{}|{} MTPA ester|{} oxime|N-methyl-{}|{} acetonide".split(
        "|"
    )
)
COMMON = """garlic|green tea|a red alga>red alga|a brown seaweed>brown seaweed|a marine sponge>marine sponge|black pepper|ginger|hops|
licorice|carrot|tomato|sweet basil|soybean|grapevine|a liverwort>liverwort|a soft coral>soft coral|a tree fern>tree fern|wild oregano|
cocoa beans>cocoa|red clover|a blue-green alga>blue-green alga|rapeseed|saffron|pomegranate|a lichen>lichen|rosemary|tobacco|
apricot kernels>apricot|onion|an earthworm>earthworm""".replace("\n", "").split("|")
CANDIDATUS = """Candidatus Entotheonella factor|Candidatus Endobugula sertula|Candidatus Didemnitutus mandela|Candidatus Prochloron didemni|
Candidatus Synechococcus spongiarum|Candidatus Endolissoclinum faulkneri|Candidatus Burkholderia kirkii|Candidatus Magnetobacterium bavaricum|
Candidatus Endohaliclona renieramycinifaciens|Candidatus Profftella armatura|Candidatus Photodesmus katoptron|Candidatus Accumulibacter phosphatis|
Candidatus Desulforudis audaxviator|Candidatus Endoecteinascidia frumentensis|Candidatus Streptomyces philanthi""".replace(
    "\n", ""
).split("|")
EXPRESSION = "Streptomyces coelicolor|Streptomyces albus|Streptomyces lividans|Escherichia coli|Aspergillus nidulans|Aspergillus oryzae|Saccharomyces cerevisiae".split(
    "|"
)
FED = "rats>Rattus norvegicus|mice>Mus musculus|broiler chickens>Gallus gallus|lactating cows>Bos taurus|rabbits>Oryctolagus cuniculus|piglets>Sus scrofa|volunteers>Homo sapiens".split(
    "|"
)
FED_CHEMICALS = "quercetin|β-carotene|hippuric acid|cholesterol|curcumin|α-tocopherol|butyrate|urolithin A".split("|")
HOMONYMS = """May (the month)|Cancer (the disease, or the institute or the journal)|Electron (electron microscopy or the method)|Victoria (the place)|
Ara (arabinose)|Java (the island)|Iris (a person or a program)|Laguna (the province)|Glycine (the amino acid)|Helix (α-helix)|Florida (the state)|
Guinea (the country, or guinea pigs)|Box (Box-Behnken design)|Lens (a lens)|Beta (the letter)|Cis (the prefix)|Sigma (the company)|Merck (the company)|
Aurora (a kinase or the city)|Anemia (the disease)|Hippocampus (of the brain)|Thymus (the organ)|Dialysis (the method)|Delta (the river's delta)|
Spectrum (spectra)|Axis (the axis)|Iron (the metal)|Vanilla (the flavour)|Cassia (a surname)|Mercury (the metal or a program)|
Ser, Thr, Val and Leu (amino acid codes)|Rha, Glc and Xyl (sugar codes)|Marfey (the method)|Mosher (the method)|San Diego (the place)|
Lima (the city)|Arena (an exhibition or a stadium)|Rosario (the city)|Bruker (the company)|Santa Cruz (the company)|Paris (the city)|
Virginia (the state)|Panama (the country)|Sephadex (the medium)|Octopus (a software)|Tuber (a plant's tuber)|Corpus (corpus luteum)|Pan (Pan-African)""".replace(
    "\n", ""
).split("|")
ODD = "locants with spaces|primes|brackets|arrows in glycosides|several-word names|trailing compound numbers without brackets".split(
    "|"
)
SUFFIXES = {
    "A-C": ("A", "B", "C"), "I-III": ("I", "II", "III"), "LR, RR and YR": ("LR", "RR", "YR"), "Rb(1)-Rb(3)": ("Rb(1)", "Rb(2)", "Rb(3)"),
    "1a-c": ("1a", "1b", "1c"), "A(1)-A(4)": ("A(1)", "A(2)", "A(3)", "A(4)"), "D and E": ("D", "E"), "A, C and F-H": ("A", "C", "F", "G", "H"),
    "1-4": ("1", "2", "3", "4"), "A1, A2 and B1": ("A1", "A2", "B1"), "α-γ": ("α", "β", "γ"), "Ia, Ib and IIa": ("Ia", "Ib", "IIa"),
    "W-Z": ("W", "X", "Y", "Z"), "E to G": ("E", "F", "G"), "Y, Z, AA and AB": ("Y", "Z", "AA", "AB"), "VII-IX": ("VII", "VIII", "IX"),
}  # fmt: skip
SHAPES = list(SUFFIXES)
HEADS = {
    "3- and 4-hydroxy{}": ("3-hydroxy{}", "4-hydroxy{}"), "3- and 4-methoxy{}": ("3-methoxy{}", "4-methoxy{}"),
    "2'- and 3'-O-acetyl{}": ("2'-O-acetyl{}", "3'-O-acetyl{}"), "6- and 8-prenyl{}": ("6-prenyl{}", "8-prenyl{}"),
    "5- and 7-O-methyl{}": ("5-O-methyl{}", "7-O-methyl{}"), "(E)- and (Z)-{}": ("(E)-{}", "(Z)-{}"),
    "epi- and nor-{}": ("epi-{}", "nor-{}"), "11- and 12-oxo{}": ("11-oxo{}", "12-oxo{}"),
    "7α- and 7β-acetoxy{}": ("7α-acetoxy{}", "7β-acetoxy{}"), "{} methyl and ethyl ethers": ("{} methyl ether", "{} ethyl ether"),
    "cis- and trans-{}": ("cis-{}", "trans-{}"), "α-, β- and γ-{}": ("α-{}", "β-{}", "γ-{}"),
}  # fmt: skip
SHARED = list(HEADS)
GLYCOSIDES = "{} 3-O-β-D-xylopyranosyl-(1→2)-β-D-glucopyranoside|{} 3-O-α-L-rhamnopyranosyl-(1-->6)-β-D-galactopyranoside|{} 28-O-β-D-glucopyranosyl-(1→4)-α-L-arabinopyranoside".split(
    "|"
)
TEMPTING = """a new species is described by its morphology and fatty acids are only planned|the compounds were bought and tested|
total synthesis of the compounds|the extract is active but nothing was isolated|the compounds were tested against the organism|
the organism is a host on which the compounds were given|sought by HPLC and not found in any sample|
genome mining predicts a cluster, no product was seen|the compounds are standards of an analytical method|
pest control: the compounds kill or repel the organism|the organism degrades the compounds|docking of the compounds to an enzyme of the organism|
a drug is metabolised in an animal|the abstract announces a study ("constituents are discussed") and names compounds of a model only|
the compounds induce resistance when sprayed on the plant""".replace("\n", "").split("|")

WITHOUT = "no X|free of X|devoid of X|without X|X-free|neither X nor Y|lacks X".split("|")
NEGATIONS = "was not detected|could not be found|was absent|did not occur|was below the limit of detection|has not been isolated|failed to appear".split(
    "|"
)
CONTRASTS = [
    "Unlike {0}, {1} produces ...",
    "Unlike {1}, {0} lacks ...",
    "In contrast to {1}, {0} contained none of ...",
    "... of {1} but not of {0}",
    "{0}, collected at the same place as {1}, did not produce ...",
    "... were found in {1} and not in {0}",
]
CLAUSES = "whereas|while|the former ..., the latter|; in the second species|only in|in contrast|both contain the first, but one alone".split(
    "|"
)

PLAIN = {
    "review": "review statements: what the relations say is reported as known (\"X is known to contain ...\"), in a review or an introduction",
    "old-short-title": "old style: a short title as of the 1960s or 1970s (\"The alkaloids of X. Part IV\") and a short, dry text",
    "structured": "structured abstract with labels (BACKGROUND: ... METHODS: ... RESULTS: ... CONCLUSIONS: ...)",
    "abbreviations": "the species is abbreviated after its first mention (also two letters, \"St.\"), and compounds have abbreviations in brackets that are used later",
}  # fmt: skip
REPLACING = {"animal", "common-name", "family", "hybrid", "candidatus", "endophyte"}
LAYOUT = {"old-short-title", "structured", "title-only", "review"}
SHARING = {"respectively", "clauses"}
RENAMING = {"ranges", "shared-heads", "odd-names"}
SOURCES = {
    "endophyte": "npatlas",
    "candidatus": "npatlas",
    "family": "lotus",
    "hybrid": "lotus",
    "food": "lotus",
    "gene-cluster": "npatlas",
}
WITH_TITLE_ONLY = [
    "respectively",
    "common-name",
    "hybrid",
    "family",
    "shared-heads",
    "ranges",
    "odd-names",
    "animal",
    "endophyte",
    "homonyms",
]
KEYS = """animal|endophyte|test-strains|positive-controls|reagents|negation-verb|negation-organism|negation-compound|respectively|clauses|homonyms|
odd-names|ranges|shared-heads|degradation|semi-synthetic|common-name|hybrid|candidatus|old-short-title|gene-cluster|food|abbreviations|family|review|
structured""".replace("\n", "").split("|")


class Writer:
    """Gives specs their phenomena; every pool is dealt out like a pack of cards, so that it is used evenly."""

    def __init__(self, rng: random.Random, partners: dict[str, list[Draw]], species: set[str]):
        self.rng, self.partners = rng, partners
        self.hosts = [o for d in partners["lotus"] for o in d.organisms]
        self.genera = defaultdict(list)
        for organism in sorted(species):
            if " " in organism:
                self.genera[organism.split()[0]].append(organism)
        self.packs: dict[int, list] = {}

    def deal(self, pool: list, n: int = 1) -> list:
        pack = self.packs.setdefault(id(pool), [])
        while len(pack) < n:
            pack += self.rng.sample(pool, len(pool))
        taken, self.packs[id(pool)] = pack[:n], pack[n:]
        return [card for n, card in enumerate(taken) if card not in taken[:n]]

    def beside(self, pool: list, n: int, spec: Spec) -> list:
        """Up to n names that are none of the relations' own."""
        named = {name.lower() for relation in spec.relations for name in relation}
        return [name for name in self.deal(pool, n + 2) if name.lower() not in named][:n]

    def one(self, pool: list):
        return self.deal(pool)[0]

    def partner(self, source: str) -> Draw:
        return self.one(self.partners[source])

    def simple(self, spec: Spec) -> str | None:
        """A compound of the spec with a plain one-word name (with a suffix at most), that others can be built on."""
        names = [re.sub(r" ([A-Z]\d?|[IVX]+|\d+)$", "", c) for c in spec.chemicals]
        names = [n.lower() for n in names if re.fullmatch(r"[A-Za-z]{5,22}", n)]
        return self.rng.choice(names) if names else None

    def fits(self, key: str, spec: Spec, chosen: list[str]) -> bool:
        if key in chosen or SOURCES.get(key, spec.draw.source) != spec.draw.source:
            return False
        if any(len({key, *chosen} & group) > 1 for group in (REPLACING, LAYOUT, SHARING, RENAMING)):
            return False
        if {key, *chosen} >= {"gene-cluster", "candidatus"} or len(
            {key, *chosen} & {"family", "food", "abbreviations"}
        ) > 1:
            return False
        if {key, *chosen} & {"common-name", "family"} and {key, *chosen} & {"abbreviations", "negation-organism"}:
            return False
        if "family" in (key, *chosen) and (len(spec.organisms) > 1 or {key, *chosen} & SHARING):
            return False
        if "common-name" in (key, *chosen) and len(spec.organisms) > 2:
            return False
        if key in ("shared-heads", "ranges", "semi-synthetic"):
            return self.simple(spec) is not None
        if key == "hybrid":
            return any(re.fullmatch(r"[A-Z]\w+ [a-z-]+", o) for o in spec.organisms)
        return True

    def apply(self, key: str, spec: Spec) -> None:
        """Add the phenomenon to the spec: its line, and the names that it needs."""
        text = PLAIN.get(key) or getattr(self, "_" + key.replace("-", "_"))(spec)
        spec.phenomena.append(f"{key}: {text}")

    def merge(self, spec: Spec) -> None:
        """Two or three organisms, each with compounds, out of two or three draws."""
        while len(spec.organisms) < 2 or (
            len(spec.organisms) == 2 and len(spec.relations) < 6 and self.rng.random() < 0.3
        ):
            other = self.partner(spec.draw.source)
            organism = other.organisms[0]
            if organism not in spec.organisms:
                spec.relations += [(organism, c) for o, c in other.relations if o == organism][:4]

    def _animal(self, spec: Spec) -> str:
        organism = spec.organisms[0]
        if spec.draw.source == "lotus" and (len(spec.organisms) > 1 or self.rng.random() < 0.5):
            animal, beside = self.one(INSECTS), organism
            role = "an insect that feeds on the plant; the text states the compounds of the insect only"
        else:
            animal, beside = self.one(MARINE)
            role = "a marine invertebrate; its prey or host is named and not said to contain the compounds"
        spec.replace_organism(organism, animal)
        spec.other_organisms.append(beside)
        return f"{animal} is the producer, named beside {beside}: {role}"

    def _endophyte(self, spec: Spec) -> str:
        host = self.one(self.hosts)
        spec.other_organisms.append(host)
        return f"{spec.organisms[0]} is an endophyte or symbiont (or from the rhizosphere) of {host}, which makes none of the compounds"

    def _test_strains(self, spec: Spec) -> str:
        strains, cells = self.beside(TEST, self.rng.choice((2, 3)), spec), self.deal(CELLS, 2)
        spec.other_organisms += strains
        return f"tested on strains or pathogens (other_organisms, some abbreviated) and on {' and '.join(cells)} cells"

    def _positive_controls(self, spec: Spec) -> str:
        controls = self.beside(CONTROLS, self.rng.choice((1, 2)), spec)
        spec.other_chemicals += controls
        return f"positive control or reference drug: {', '.join(controls)}"

    def _reagents(self, spec: Spec) -> str:
        reagents = self.beside(REAGENTS, 3, spec)
        spec.other_chemicals += reagents
        return f"solvents and reagents: {', '.join(reagents)}"

    def _negation_verb(self, spec: Spec) -> str:
        absent = self.absent(spec)
        return f'negate the verb: {" and ".join(absent)} "{self.one(NEGATIONS)}" in {spec.organisms[0]}'

    def _negation_compound(self, spec: Spec) -> str:
        return f'negate the compound: "{self.one(WITHOUT)}" with {" and ".join(self.absent(spec))}'

    def absent(self, spec: Spec) -> list[str]:
        """One or two compounds of another draw, that the organisms do not contain."""
        named = {name.lower() for name in (*spec.chemicals, *spec.other_chemicals)}
        while not (absent := [c for c in self.partner(spec.draw.source).chemicals if c.lower() not in named][:2]):
            pass
        spec.other_chemicals += absent
        return absent

    def _negation_organism(self, spec: Spec) -> str:
        organism = spec.organisms[0]
        related = [
            o
            for o in self.genera.get(organism.split()[0], [])
            if o not in (*spec.organisms, organism.replace("× ", ""))
        ]
        other = self.rng.choice(related) if related else self.beside(self.hosts, 1, spec)[0]
        spec.other_organisms.append(other)
        return f'negate the organism in a contrast: "{self.one(CONTRASTS).format(other, organism)}"'

    def _respectively(self, spec: Spec) -> str:
        self.merge(spec)
        return f'"respectively" shares out the compounds among the {len(spec.organisms)} organisms'

    def _clauses(self, spec: Spec) -> str:
        self.merge(spec)
        return f'clauses share out the compounds among the {len(spec.organisms)} organisms: "{self.one(CLAUSES)}"'

    def _homonyms(self, spec: Spec) -> str:
        words = self.deal(HOMONYMS, 2)
        return f"words that are or look like genus names and stand here for something else: {'; '.join(words)}"

    def _odd_names(self, spec: Spec) -> str:
        kind, relations = self.one(ODD), spec.relations
        marks = {
            "locants with spaces": r"\d,\s?\d",
            "primes": r"\d['′]",
            "brackets": r"[(\[]",
            "arrows in glycosides": "→|->",
        }
        marks |= {"several-word names": r"[a-z]{3} [a-z]{3}", "trailing compound numbers without brackets": ""}
        if not any(re.search(marks[kind], c) for c in spec.chemicals):
            base = self.simple(spec) or "quercetagetin"
            made = {
                "locants with spaces": f"5, 7-dihydroxy-6, 8-dimethyl{base}",
                "primes": f"2',3''-di-O-galloyl{base}",
                "brackets": f"(+)-[(2R)-hydroxy]{base}",
                "arrows in glycosides": self.one(GLYCOSIDES).format(base),
                "several-word names": f"{base} methyl ester acetate",
            }[kind]
            kept = relations[:-1] if Counter(o for o, _ in relations)[relations[-1][0]] > 1 else relations
            spec.relations = [*kept, (relations[-1][0], made)]
        forms = {
            "locants with spaces": 'write one name with a space after the comma of its locants ("5, 7-dihydroxy")',
            "trailing compound numbers without brackets": 'write compound numbers after names without brackets ("fooin 1 and barin 2")',
        }
        return f"odd names: {forms.get(kind, kind)}"

    def _ranges(self, spec: Spec) -> str:
        base, shape = self.simple(spec), self.one(SHAPES)
        self.rename(spec, base, [f"{base} {suffix}" for suffix in SUFFIXES[shape]])
        return f"list or range with suffixes: {base}s {shape}"

    def _shared_heads(self, spec: Spec) -> str:
        base, shared = self.simple(spec), self.one(SHARED)
        self.rename(spec, base, [head.format(base) for head in HEADS[shared]])
        return f'shared head: "{shared.format(base)}"'

    def rename(self, spec: Spec, base: str, made: list[str]) -> None:
        """Put the made names in place of the compound they are built on; of the rest, other organisms stay first."""
        organism = next(o for o, c in spec.relations if c.lower().startswith(base))
        kept = [(o, c) for o, c in spec.relations if o != organism or not c.lower().startswith(base)]
        kept = sorted(kept, key=lambda pair: pair[0] == organism)[: MAX_RELATIONS + 2 - len(made)]
        spec.relations = [*((organism, c) for c in made), *kept]

    def _degradation(self, spec: Spec) -> str:
        if self.rng.random() < 0.5:
            made = self.beside(PRODUCTS, 2, spec)
            spec.other_chemicals += made
            return f"hydrolysis or degradation of a compound gave {' and '.join(made)}: no relations"
        substrate = self.beside(SUBSTRATES, 1, spec)[0]
        spec.other_chemicals.append(substrate)
        return f"biotransformation: the substrate {substrate} was fed to a culture; it is no relation"

    def _semi_synthetic(self, spec: Spec) -> str:
        derivative = self.one(DERIVATIVES).format(self.simple(spec) or spec.chemicals[0])
        spec.other_chemicals.append(derivative)
        return f"a semi-synthetic derivative, made by the authors and no relation: {derivative}"

    def _common_name(self, spec: Spec) -> str:
        words = []
        for organism in spec.organisms:
            written, _, label = self.one(COMMON).partition(">")
            spec.replace_organism(organism, label or written)
            words.append(written)
        return f"common names only, no Latin name of the producer: {', '.join(words)}"

    def _family(self, spec: Spec) -> str:
        organism = spec.organisms[0]
        family = spec.draw.families[organism]
        spec.replace_organism(organism, family)
        return f'a family as producer: "the {family} contain ..."; no species of it is named as the source'

    def _hybrid(self, spec: Spec) -> str:
        organism = next(o for o in spec.organisms if re.fullmatch(r"[A-Z]\w+ [a-z-]+", o))
        genus, epithet = organism.split()
        spec.replace_organism(organism, f"{genus} × {epithet}")
        return f"a hybrid: {genus} × {epithet}, its parents may be named"

    def _candidatus(self, spec: Spec) -> str:
        new = self.one(CANDIDATUS)
        host = self.one(MARINE)[1]
        spec.replace_organism(spec.organisms[0], new)
        spec.other_organisms.append(host)
        return f"'{new}' is the producer (also \"Ca.\"), the symbiont of {host}"

    def _gene_cluster(self, spec: Spec) -> str:
        organism = spec.organisms[0]
        made = [c for o, c in spec.relations if o == organism]
        host = self.beside(EXPRESSION, 1, spec)[0]
        if self.rng.random() < 0.5:
            spec.relations += [(host, c) for c in made[: self.rng.choice((1, 2))]]
            named = ", ".join(c for o, c in spec.relations if o == host)
            return f"a gene cluster of {organism}, expressed in {host}, which made {named}"
        spec.other_organisms.append(host)
        return f"a gene cluster of {organism}; {host} is only the host of the expression of single enzymes or the attempt failed"

    def _food(self, spec: Spec) -> str:
        written, _, label = self.one(FED).partition(">")
        given = self.beside(FED_CHEMICALS, 1, spec)[0]
        spec.other_organisms.append(label)
        spec.other_chemicals.append(given)
        return f"food or feeding: the constituents of the food are stated; {written} were fed and {given} was given or measured in them"

    def empty(self, draw: Draw) -> Spec:
        spec = Spec(draw, [], [*draw.organisms[:3], *draw.other_organisms], draw.chemicals[:5])
        spec.phenomena.append(f"no-production: tempting words and no relation at all: {self.one(TEMPTING)}")
        for key in self.rng.sample(
            ["homonyms", "test-strains", "positive-controls", "reagents"], self.rng.choice((0, 1))
        ):
            self.apply(key, spec)
        if self.rng.random() < 0.3:
            self.apply(self.rng.choice(("structured", "old-short-title")), spec)
        return spec


def read_lotus(path: Path, banned: set[str], forbidden: set[str], rng: random.Random) -> dict[str, Draw]:
    rows: dict[str, dict[tuple[str, str], str]] = defaultdict(dict)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            rows[row["doi"].lower()][row["organism"], row["compound"]] = row["family"]
    dois = sorted(doi for doi, pairs in rows.items() if doi not in banned and len(pairs) <= MAX_RELATIONS)
    draws = {}
    for doi in rng.sample(dois, min(PRESAMPLE, len(dois))):
        relations = _usable(rows[doi], forbidden)
        draws[doi] = Draw("lotus", relations, {o: rows[doi][o, c] for o, c in relations})
    return draws


def read_npatlas(documents: dict, banned: set[str], forbidden: set[str]) -> dict[str, Draw]:
    draws = {}
    for key, document in documents.items():
        if document["doi"].lower() in banned or key.lower() in banned or len(document["relations"]) > MAX_RELATIONS:
            continue
        names = {e["id"]: e["label"] for side in ("organisms", "chemicals") for e in document[side]}
        relations = _usable(((names[o], names[c]) for o, c in document["relations"]), forbidden)
        draws[key] = Draw("npatlas", relations, other_organisms=list(document["negative_organisms"]))
    return draws


def _usable(relations: Iterable[tuple[str, str]], forbidden: set[str]) -> list[tuple[str, str]]:
    """Without names that are long, identifiers or of a curated relation, without a second spelling of one or a bare genus beside its species."""
    kept = {}
    for organism, chemical in relations:
        if (
            max(len(organism), len(chemical)) <= MAX_NAME
            and chemical.lower() not in forbidden
            and not IDENTIFIER.match(chemical)
        ):
            kept.setdefault((organism, chemical.lower()), (organism, chemical))
    species = {organism.split()[0] for organism, _ in kept.values() if " " in organism}
    return [pair for pair in kept.values() if pair[0] not in species]


def by_entropy(draws: dict[str, Draw], n: int) -> list[str]:
    """n references, of each number of relations its share, by greedy maximum entropy over organisms and chemicals."""
    strata = defaultdict(list)
    for key, draw in draws.items():
        if draw.relations and len(draw.organisms) <= MAX_ORGANISMS:
            strata[len(draw.relations)].append(key)
    total, chosen = sum(map(len, strata.values())), []
    for _, keys in sorted(
        strata.items(), reverse=True
    ):  # the largest stratum, of one relation, takes what rounding left
        share = round(n * len(keys) / total) if keys is not strata[1] else n - len(chosen)
        rows = [(key, organism, chemical.lower()) for key in keys for organism, chemical in draws[key].relations]
        items, organisms, chemicals = zip(*rows, strict=True)
        table = RelationTable.from_columns(items, {"organism": organisms, "chemical": chemicals})
        chosen += list(GreedyMaximumEntropySampler().rank(table, share).items) if share else []
    return chosen


def make_specs(draws: dict[str, list[Draw]], species: set[str], rng: random.Random) -> list[Spec]:
    """All specs in a drawn order; each phenomenon goes to as many as the others, as far as the draws fit it."""
    first = [d for source, n in SHARES.items() for d in draws[source][:n]]
    writer = Writer(rng, {source: draws[source][n:] for source, n in SHARES.items()}, species)
    rng.shuffle(first)
    specs = [writer.empty(draw) for draw in first[:EMPTY]]
    rest = [Spec(draw, list(draw.relations), list(draw.other_organisms)) for draw in first[EMPTY:]]
    short = [spec for spec in rest if len(spec.relations) <= 3 and len(spec.organisms) <= 2][:TITLE_ONLY]
    used: Counter[str] = Counter()
    for spec in rest:
        title = any(spec is other for other in short)
        chosen = ["title-only"] if title else []
        wanted = rng.choice((1, 2)) if title else rng.choice((1, 2, 2, 3))
        while len(chosen) < wanted:
            keys = [k for k in (WITH_TITLE_ONLY if title else KEYS) if writer.fits(k, spec, chosen)]
            if not keys:
                break
            key = min(keys, key=lambda k: (used[k], rng.random()))
            chosen.append(key)
            used[key] += 1
        if title:
            spec.phenomena.append("title-only: a title that states the relations, AbstractText is empty")
        for key in sorted((key for key in chosen if key != "title-only"), key=_order):
            writer.apply(key, spec)
        specs.append(spec)
    rng.shuffle(specs)
    return specs


def _order(key: str) -> int:
    """Merged draws first, then new names of compounds and organisms, then what speaks of them."""
    groups = [SHARING, RENAMING, REPLACING]
    return next((n for n, group in enumerate(groups) if key in group), len(groups))


def as_records(specs: list[Spec], forbidden: set[str]) -> list[dict]:
    records = []
    for number, spec in enumerate(specs, 1):
        made = {name.lower() for relation in spec.relations for name in relation}
        records.append({
            "id": f"s{number:03d}",
            "relations": [list(pair) for pair in dict.fromkeys(spec.relations)],
            "other_organisms": [o for o in dict.fromkeys(spec.other_organisms) if o.lower() not in made],
            "other_chemicals": [c for c in dict.fromkeys(spec.other_chemicals) if c.lower() not in made],
            "phenomena": spec.phenomena,
        })  # fmt: skip
        assert not made & forbidden and all(len(name) <= MAX_NAME for name in made), records[-1]
        assert 1 <= len(spec.phenomena) <= 3, records[-1]
    return records


def main(shared: Path, out: Path, parts: Path | None = None) -> None:
    rng = random.Random(SEED)
    field_folder = shared / "field"
    curated, labelled, locked, silver = (
        json.loads(path.read_text(encoding="utf-8"))
        for path in (
            shared / "curated_dev.json",
            *(field_folder / f"{name}.json" for name in ("labelled", "labelled_locked", "npatlas_silver")),
        )
    )
    banned = {d["doi"].lower() for group in (curated, labelled, locked) for d in group.values() if d.get("doi")}
    split = json.loads((Path(__file__).parent / "results" / "split.json").read_text(encoding="utf-8"))
    banned |= {key.lower() for keys in split.values() if isinstance(keys, list) for key in keys}
    forbidden = set()
    for document in curated.values():
        names = {e["id"]: e["label"].lower() for e in document["chemicals"]}
        forbidden |= {names[chemical] for _, chemical in document["relations"]}
    tables = {
        "lotus": read_lotus(field_folder / "lotus_wikidata_plants.tsv.gz", banned, forbidden, rng),
        "npatlas": read_npatlas(silver, banned, forbidden),
    }
    draws = {}
    for source, n in SHARES.items():
        chosen = by_entropy(tables[source], n)
        left = {key: draw for key, draw in tables[source].items() if key not in set(chosen)}
        draws[source] = [tables[source][key] for key in (*chosen, *by_entropy(left, round(n * RESERVE)))]
    species = {organism for table in tables.values() for draw in table.values() for organism in draw.organisms}
    records = as_records(make_specs(draws, species, rng), forbidden)
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    out.write_text("".join(lines), encoding="utf-8")
    if parts:
        parts.mkdir(exist_ok=True)
        size = len(lines) // PARTS
        for n in range(PARTS):
            (parts / f"part{n + 1}.jsonl").write_text("".join(lines[n * size : (n + 1) * size]), encoding="utf-8")
    print(f"{len(records)} specs, {sum(len(r['relations']) for r in records)} relations")
    for key, n in Counter(p.split(":")[0] for r in records for p in r["phenomena"]).most_common():
        print(f"{n:4d} {key}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
