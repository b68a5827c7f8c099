"""Kinds of text that extractors read wrongly, and what is expected of each.

Of each kind there are the cases that were found (their texts lie in ../shared/cases) and two
members of our own, with other names and other sentences, so that a kind is tested and not its
first example. Pairs are (organism, chemical); case, dashes and primes count for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from abroad.core.context import Context
from abroad.core.schema import Document
from abroad.documents.inputs import read_path
from abroad.text.characters import fold

Pairs = tuple[tuple[str, str], ...]

NOT_YET: frozenset[str] = frozenset()
"""Texts that the built-in extractor does not read rightly yet; further ones are in `test_pairs`."""


@dataclass(frozen=True)
class Expected:
    """What may and what must come of a text.

    Attributes:
        there: pairs that must come.
        also: pairs that may come too; None: any.
        organisms: the only ones that may take part; None: any.
        barred_organisms, barred: what must not come.
    """

    there: Pairs = ()
    also: Pairs | None = ()
    organisms: tuple[str, ...] | None = None
    barred_organisms: tuple[str, ...] = ()
    barred: Pairs = ()

    def problems(self, found: Iterable[tuple[str, str]]) -> list[str]:
        """What is wrong with the relations that were found; empty if nothing is."""
        pairs = {_plain(pair) for pair in found}
        there, barred = {_plain(pair) for pair in self.there}, {_plain(pair) for pair in self.barred}
        wrong = pairs & barred
        if self.also is not None:
            wrong |= pairs - there - {_plain(pair) for pair in self.also}
        if self.organisms is not None:
            wrong |= {pair for pair in pairs if pair[0] not in _plain(self.organisms)}
        wrong |= {pair for pair in pairs if pair[0] in _plain(self.barred_organisms)}
        return [
            *(f"missing: {' | '.join(pair)}" for pair in sorted(there - pairs)),
            *(f"wrong: {' | '.join(pair)}" for pair in sorted(wrong)),
        ]


def _plain(labels: Collection[str]) -> tuple[str, ...]:
    return tuple(fold(label).casefold() for label in labels)


def of(organism: str, *chemicals: str) -> Pairs:
    return tuple((organism, chemical) for chemical in chemicals)


def exactly(organism: str, *chemicals: str) -> Expected:
    return Expected(of(organism, *chemicals))


def at_most(*organisms: str) -> Expected:
    return Expected(also=None, organisms=organisms)


def without(*organisms: str) -> Expected:
    return Expected(also=None, barred_organisms=organisms)


def barring(organism: str, *chemicals: str, there: Pairs = ()) -> Expected:
    return Expected(there, also=None, barred=of(organism, *chemicals))


_COPTIS = "Coptis chinensis"

CASES: dict[str, dict[str, Expected]] = {
    "c01_places.jsonl": {
        "a": at_most("tree"),
        "b": at_most("sponge"),
        "c": at_most("tree"),
        "d": at_most("red alga"),
    },
    "c02_words.jsonl": {
        "a": without("Ara"),
        "b": without("Ala"),
        "c": without("Electron"),
        "d": without("Mania"),
        "e": without("Dialysis"),
        "f": without("Roche"),
        "g": without("Cis"),
    },
    "c04_shared_head.jsonl": {
        "a": exactly("Aspergillus terreus", "3-hydroxymellein", "4-hydroxymellein"),
        "b": exactly("Pinus sylvestris", "α-pinene", "β-pinene"),
        "c": exactly("Vitis vinifera", "cis-resveratrol", "trans-resveratrol"),
        "d": exactly("Glycine max", *(f"{letter}-tocopherol" for letter in "αβγδ")),
        "e": exactly("Coffea arabica", "3-caffeoylquinic acid", "5-caffeoylquinic acid"),
        "f": exactly("Usnea barbata", "(+)-usnic acid", "(-)-usnic acid"),
    },
    "c05_trailing_stop.jsonl": {
        "a": exactly("Theonella swinhoei", "theonellamide A", "swinholide B"),
        "b": exactly("Streptomyces albus", "albonoursin", "ikarugamycin B"),
        "c": exactly("Penicillium chrysogenum", "penicillin G"),
        "d": Expected(
            of("Lissoclinum patella", *(f"patellamide {letter}" for letter in "ABC"))
            + of("Palythoa toxica", "palytoxin")
        ),
    },
    "c06_abbreviated_genus.jsonl": {
        "a": exactly("Streptomyces avermitilis", "avermectin B1a"),
        "b": exactly("Aspergillus ochraceus", "ochratoxin A"),
        "c": exactly("Salvia miltiorrhiza", "tanshinone IIA"),
        "d": exactly("Bacillus cereus", "cereulide"),
    },
    "c07_hyphenated_species.jsonl": {
        "a": exactly("Sargassum fusiforme", "fucoxanthin"),
        "b": exactly(_COPTIS, "berberine"),
        "c": exactly("Streptomyces noursei", "nystatin"),
        "d": exactly("Moringa oleifera", "kaempferol"),
    },
    "c08_words_after_genus.jsonl": {
        "a": Expected(),
        "b": exactly("Aspergillus", "fumigaclavine C"),
        "c": exactly("Coptis", "berberine"),
        "d": at_most("Aspergillus", "Penicillium"),
        "e": exactly("Panax", "ginsenoside Rb1"),
        "f": exactly("Salinispora", "salinosporamide A"),
    },
    "c09_glued_italics.xml": {
        "1": exactly("Penicillium griseofulvum", "griseofulvin", "patulin"),
        "2": exactly(_COPTIS, "berberine", "palmatine"),
        "3": exactly("Streptomyces griseus", "bafilomycin A1", "bafilomycin B1"),
    },
    "c13_minus_sign.jsonl": {
        "minus": exactly("Camellia sinensis", "(-)-epicatechin"),
        "hyphen": exactly("Camellia sinensis", "(-)-epicatechin"),
    },
    "c14_otherabstract.xml": {"11": exactly(_COPTIS, "berberine"), "12": exactly(_COPTIS, "palmatine")},
    "c15_hybrids.jsonl": {
        "a": exactly("Mentha × piperita", "menthol", "menthone"),
        "b": exactly("Mentha × piperita", "menthol", "menthone"),
        "c": Expected(of("Lavandula × intermedia", "linalool"), also=None, organisms=("Lavandula × intermedia",)),
        "d": exactly("Citrus × paradisi", "naringin"),
    },
    "c16_invisible.jsonl": {
        "soft": exactly(_COPTIS, "berberine"),
        "zwsp": exactly(_COPTIS, "palmatine"),
        "joiner": exactly("Lissoclinum patella", *(f"patellamide {letter}" for letter in "ABC")),
        "bom": exactly(_COPTIS, "berberine"),
    },
    "c17_markup.jsonl": {
        "epmc": exactly(_COPTIS, "β-sitosterol", "vitamin D3", "cis-zeatin"),
        "crossref": exactly(_COPTIS, "berberine", "N-methylcoclaurine"),
    },
    "c18_negation_controls.jsonl": {
        "neg1": barring("Aspergillus oryzae", "aflatoxin B1"),
        "neg2": barring("Aspergillus oryzae", "aflatoxin B1"),
        "ctrl1": barring("Usnea barbata", "ampicillin", "ciprofloxacin"),
        "ctrl2": barring("Artemisia annua", "chloroquine", "quinine"),
        "induced": barring("Mangifera indica", "streptozotocin"),
        "target": barring("Escherichia coli", "carvacrol", there=of("Origanum vulgare", "carvacrol")),
    },
    "c21_suffix_lists.jsonl": {
        "a": exactly("Microcystis aeruginosa", *(f"microcystin {suffix}" for suffix in ("LR", "RR", "YR"))),
        "b": exactly("Salvia miltiorrhiza", *(f"tanshinone {suffix}" for suffix in ("I", "IIA", "IIB"))),
        "c": exactly("Panax ginseng", *(f"ginsenoside {suffix}" for suffix in ("Rb1", "Rb2", "Rc", "Rg1"))),
        "d": exactly("Aspergillus ochraceus", *(f"ochratoxin {suffix}" for suffix in ("A", "B", "Cα"))),
        "e": exactly("Microcystis aeruginosa", *(f"microcystin-{suffix}" for suffix in ("LR", "RR", "YR"))),
    },
    "c22_title_without_stop.jsonl": {"a": exactly(_COPTIS, "berberine"), "b": exactly(_COPTIS, "berberine")},
    "c23_candidatus.jsonl": {
        "a": exactly("Candidatus Entotheonella factor", "onnamide A", "theopederin A"),
        "b": exactly("Candidatus Endobugula sertula", "bryostatin 1"),
        "c": exactly("Candidatus Endoecteinascidia frumentensis", "trabectedin"),
    },
    "c28_bold_blocks.xml": {"31": exactly(_COPTIS, "berberine"), "32": exactly(_COPTIS, "berberine")},
    "c30_brackets.jsonl": {
        "a": exactly("Bacillus subtilis", "poly(γ-glutamic acid)"),
        "b": exactly("Cupriavidus necator", "poly(3-hydroxybutyric acid)"),
        "c": exactly("Aureobasidium pullulans", "poly(malic acid)"),
    },
}
"""File of ../shared/cases -> id of a document in it -> what is expected. c29 has no file: its members are below."""

# (kind, title, abstract, what is expected)
MEMBERS: tuple[tuple[str, str, str, Expected], ...] = (
    (
        "c01",
        "Sesterterpenes.",
        "A brown sponge dredged off Victoria yielded the sesterterpenes ircinianin and wistarin.",
        at_most("sponge", "brown sponge"),
    ),
    (
        "c01",
        "Cytotoxic lignans from a desert shrub.",
        "Leaves of a shrub gathered in Nevada and near Panama City furnished two lignans, nordihydroguaiaretic acid "
        "and guaiacin.",
        at_most("shrub", "desert shrub"),
    ),
    (
        "c02",
        "Glycosides of an unidentified herb.",
        "After hydrolysis, Gal and Xyl were found by GC; the aglycones of the new saponins were hederagenin and "
        "oleanolic acid. Data were collected with an Argon plasma.",
        without("Gal", "Xyl", "Data", "Argon"),
    ),
    (
        "c02",
        "Steroids.",
        "Candida and Variola were ruled out. Iris recognition was not used. Helix A of the receptor bound the "
        "cardenolide digoxin, which comes from foxglove leaves.",
        without("Variola", "Iris", "Helix"),
    ),
    (
        "c04",
        "Phenolic acids of barley straw.",
        "o- and p-Coumaric acid were detected in the straw of Hordeum vulgare.",
        exactly("Hordeum vulgare", "o-coumaric acid", "p-coumaric acid"),
    ),
    (
        "c04",
        "Prenylflavonoids.",
        "Hop cones (Humulus lupulus) contain 6- and 8-prenylnaringenin as well as (E)- and (Z)-asarone.",
        exactly("Humulus lupulus", "6-prenylnaringenin", "8-prenylnaringenin", "(E)-asarone", "(Z)-asarone"),
    ),
    (
        "c05",
        "Cyanobacterial peptides.",
        "Cultures of Nostoc punctiforme were extracted, and we obtained nostopeptolide A and cryptophycin B.",
        exactly("Nostoc punctiforme", "nostopeptolide A", "cryptophycin B"),
    ),
    (
        "c05",
        "An immunosuppressant.",
        "The fungus Tolypocladium inflatum makes cyclosporin C. We measured it by HPLC. It also makes cyclosporin D! "
        "Mice were not used.",
        exactly("Tolypocladium inflatum", "cyclosporin C", "cyclosporin D"),
    ),
    (
        "c06",
        "Moulds of cheese.",
        "Penicillium chrysogenum and Paecilomyces variotii were grown side by side. Roquefortine C was obtained from "
        "P. roqueforti.",
        exactly("Penicillium roqueforti", "roquefortine C"),
    ),
    (
        "c06",
        "Poisonous plants.",
        "Taxus baccata and Tripterygium wilfordii are poisonous. The bark of T. brevifolia yielded the diterpenoid "
        "paclitaxel.",
        exactly("Taxus brevifolia", "paclitaxel"),
    ),
    (
        "c07",
        "Tablets.",
        "Hyperforin is the active compound of Hypericum perforatum-containing tablets.",
        exactly("Hypericum perforatum", "hyperforin"),
    ),
    (
        "c07",
        "Mildew.",
        "Thymol isolated from Thymus vulgaris protected Botrytis cinerea-infected strawberries.",
        exactly("Thymus vulgaris", "thymol"),
    ),
    (
        "c08",
        "Analysis of a spice.",
        "Capsaicin and dihydrocapsaicin were quantified in Capsicum fructus by HPLC.",
        exactly("Capsicum", "capsaicin", "dihydrocapsaicin"),
    ),
    (
        "c08",
        "Indole alkaloids.",
        "Psilocybin was extracted from Psilocybe mycelia; Culex pupae served as the assay.",
        exactly("Psilocybe", "psilocybin"),
    ),
    (
        "c09",
        "Bisindole alkaloids.",
        "Extracts of<i>Catharanthus roseus</i>contained<b>vinblastine</b>and<b>vincristine</b>as main alkaloids.",
        exactly("Catharanthus roseus", "vinblastine", "vincristine"),
    ),
    (
        "c09",
        "A phytotoxin.",
        "Tentoxin was produced by<em>Alternaria alternata</em>in culture and inhibited<em>Lemna minor</em>fronds.",
        exactly("Alternaria alternata", "tentoxin"),
    ),
    (
        "c13",
        "Mint oil.",
        "(–)-Menthol was isolated from the leaves of Mentha arvensis.",
        exactly("Mentha arvensis", "(-)-menthol"),
    ),
    (
        "c13",
        "A lignan.",
        "From the seeds of Arctium lappa the lignan (−)‑arctigenin was obtained.",
        exactly("Arctium lappa", "(-)-arctigenin"),
    ),
    (
        "c15",
        "Pigments of strawberries.",
        "Pelargonidin 3-glucoside was isolated from the fruits of Fragaria × ananassa.",
        exactly("Fragaria × ananassa", "pelargonidin 3-glucoside"),
    ),
    (
        "c15",
        "Street trees.",
        "The bark of Platanus x acerifolia (Aiton) Willd. afforded betulinic acid and betulin.",
        exactly("Platanus × acerifolia", "betulinic acid", "betulin"),
    ),
    (
        "c16",
        "Flavonols.",
        "Quer\u00adcetin and ruti\u200bn were isolated from the bulbs of Allium\u200d cepa.",
        exactly("Allium cepa", "quercetin", "rutin"),
    ),
    (
        "c16",
        "Fungal metabolites.",
        "\ufeffGliotoxin\u2060 was obtained from cultures of Aspergil\u00adlus fumi\u00adgatus\u200e.",
        exactly("Aspergillus fumigatus", "gliotoxin"),
    ),
    (
        "c17",
        "Monoterpenes of <i>Thymus vulgaris</i>",
        "<h4>Background</h4>&gamma;-Terpinene, <i>p</i>-cymene and &#945;-thujene were isolated from "
        "<i>Thymus vulgaris</i>.",
        exactly("Thymus vulgaris", "γ-terpinene", "p-cymene", "α-thujene"),
    ),
    (
        "c17",
        "Quinones.",
        "<jats:sec><jats:title>Results</jats:title><jats:p>Coenzyme Q<jats:sub>10</jats:sub> was isolated from "
        "<jats:italic>Rhodobacter sphaeroides</jats:italic>.</jats:p></jats:sec>",
        exactly("Rhodobacter sphaeroides", "coenzyme Q10"),
    ),
    (
        "c18",
        "Citrinin.",
        "No penicillin was detected in Penicillium citrinum, which made citrinin instead.",
        barring("Penicillium citrinum", "penicillin", there=of("Penicillium citrinum", "citrinin")),
    ),
    (
        "c18",
        "Turmeric.",
        "Curcumin, isolated from Curcuma longa, was less active than doxorubicin and the reference drug tetracycline "
        "against Staphylococcus aureus.",
        Expected(
            of("Curcuma longa", "curcumin"),
            also=None,
            organisms=("Curcuma longa",),
            barred=of("Curcuma longa", "doxorubicin", "tetracycline"),
        ),
    ),
    (
        "c21",
        "Mycotoxins.",
        "Aflatoxins B(1), B(2) and G(1) were produced by Aspergillus parasiticus.",
        exactly("Aspergillus parasiticus", "aflatoxin B1", "aflatoxin B2", "aflatoxin G1"),
    ),
    (
        "c21",
        "Brackish water.",
        "Nodularia spumigena blooms contained nodularin-R, -Har and -V.",
        exactly("Nodularia spumigena", "nodularin-R", "nodularin-Har", "nodularin-V"),
    ),
    (
        "c22",
        "Terpene trilactones of Ginkgo biloba include ginkgolide B",
        "Bilobalide was isolated from Ginkgo biloba too.",
        exactly("Ginkgo biloba", "ginkgolide B", "bilobalide"),
    ),
    (
        "c22",
        "Isolation of the diterpenoid forskolin",
        "Coleus barbatus roots were extracted with methanol and gave forskolin.",
        exactly("Coleus barbatus", "forskolin"),
    ),
    (
        "c23",
        "A defensive symbiont.",
        "The polyketide diaphorin is made by “Candidatus Profftella armatura”.",
        exactly("Candidatus Profftella armatura", "diaphorin"),
    ),
    (
        "c23",
        "A sponge symbiont.",
        "Renieramycin E was shown to come from Candidatus Endohaliclona renieramycinifaciens.",
        exactly("Candidatus Endohaliclona renieramycinifaciens", "renieramycin E"),
    ),
    (
        "c28",
        "A record.",
        "<b>Species: Vinca minor</b><b>Alkaloid: vincamine</b><b>Yield: low</b> Vincamine was isolated from Vinca "
        "minor.",
        exactly("Vinca minor", "vincamine"),
    ),
    (
        "c28",
        "A yield.",
        "Some <mml:math><mml:mn>5</mml:mn><mml:annotation encoding='application/x-tex'>\\usepackage{amsmath}5\\%"
        "</mml:annotation></mml:math> of colchicine was isolated from the corms of Colchicum autumnale.",
        exactly("Colchicum autumnale", "colchicine"),
    ),
    (
        "c29",
        "",
        "BerberineandpalmatinewereisolatedfromtherhizomesofCoptischinensis.Bothinhibitedthegrowthofbacteria.",
        Expected(also=of(_COPTIS, "berberine", "palmatine")),
    ),
    (
        "c29",
        "",
        "从黄连Coptis chinensis的根茎中分离得到小檗碱和巴马汀(palmatine)，并测定了它们的抗菌活性。",
        Expected(also=of(_COPTIS, "小檗碱", "巴马汀", "palmatine")),
    ),
    (
        "c30",
        "Polysaccharides.",
        "Poly(mannuronic acid) was isolated from Azotobacter vinelandii.",
        exactly("Azotobacter vinelandii", "poly(mannuronic acid)"),
    ),
    (
        "c30",
        "A phthalate.",
        "Cultures of Aspergillus awamori gave bis(2-ethylhexyl) phthalate and [Leu(5)]enkephalin.",
        exactly("Aspergillus awamori", "bis(2-ethylhexyl) phthalate", "[Leu(5)]enkephalin"),
    ),
)

_OTHER_ABSTRACT = (
    '<PubmedArticleSet><PubmedArticle><MedlineCitation><PMID Version="1">{pmid}</PMID><Article><ArticleTitle>{title}'
    '</ArticleTitle></Article><OtherAbstract Type="{kind}" Language="eng"><AbstractText>{text}</AbstractText>'
    "</OtherAbstract></MedlineCitation></PubmedArticle></PubmedArticleSet>"
)
# (PMID, title, type, text, what is expected): c14 can only be told in PubMed's own format
XML_MEMBERS: tuple[tuple[str, str, str, str, Expected], ...] = (
    (
        "21",
        "Yew.",
        "AIDS",
        "Paclitaxel was isolated from the bark of Taxus brevifolia.",
        exactly("Taxus brevifolia", "paclitaxel"),
    ),
    (
        "22",
        "A macrolide.",
        "plain-language-summary",
        "The bacterium <i>Streptomyces hygroscopicus</i> produces rapamycin.",
        exactly("Streptomyces hygroscopicus", "rapamycin"),
    ),
)


def case_ids() -> list[tuple[str, str]]:
    return [(file, key) for file, documents in CASES.items() for key in documents]


def read_case(folder: Path, file: str, key: str) -> Document:
    (document,) = (d for d in read_path(folder / file, Context()) if d.id == key)
    return document


def members(folder: Path) -> Iterator[tuple[str, Document, Expected]]:
    """(name, document, what is expected) of our own members; `folder` takes a file for those in XML."""
    for number, (kind, title, abstract, expected) in enumerate(MEMBERS):
        yield f"{kind}-own{number % 2 + 1}", Document(f"{kind}-own{number % 2 + 1}", title, abstract), expected
    for number, (pmid, title, kind, text, expected) in enumerate(XML_MEMBERS, 1):
        path = folder / f"{pmid}.xml"
        path.write_text(_OTHER_ABSTRACT.format(pmid=pmid, title=title, kind=kind, text=text), encoding="utf-8")
        yield f"c14-own{number}", read_case(folder, path.name, pmid), expected
