"""Organisms: names, beliefs, abbreviations, spelling, identifiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.text.organisms import find_organisms, one_edit_apart, resolve_genus
from abroad.text.taxon_names import singular, taxon_identifier

FORMS = {"binomial", "abbreviated", "unnamed", "genus", "higher", "common", "hybrid", "candidatus"}


def labels(text):
    return list(dict.fromkeys(mention.label for mention in find_organisms(text)))


def scientific(text):
    return list(dict.fromkeys(mention.label for mention in find_organisms(text) if mention.form != "common"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alkaloids from Penicillium notatum", ["Penicillium notatum"]),
        ("the marine fungus Penicillium sp. SF-5016", ["Penicillium"]),
        ("strains of Penicillium spp.", ["Penicillium"]),
        ("Corallium rubrum and C. rubrum polyps", ["Corallium rubrum"]),
        ("Dysidea herbacea, P. simplex", ["Dysidea herbacea"]),
        ("Panax pseudo-ginseng subsp. himalaicus", ["Panax pseudo-ginseng"]),
        ("Rosmarinus officinalis L. var. prostratus oil", ["Rosmarinus officinalis"]),
        ("extracts of Xylaria cf. curta", ["Xylaria cf. curta"]),
        ("EUPATORIUM CANNABINUM leaves", ["Eupatorium cannabinum"]),
        ("of the genusNasutitermes", ["Nasutitermes"]),
        ("Amaryllidaceae alkaloids", ["Amaryllidaceae"]),
        ("a new species, Xestospongia fictivensis", ["Xestospongia fictivensis"]),
        ("These compounds were isolated", []),
        ("Alpha was tested in China", []),
        ("ergot alkaloids of Epichloë festucae", ["Epichloë festucae"]),
        ("broths of Aspergillus Niger", ["Aspergillus niger"]),
    ],
)
def test_names_follow_the_convention_of_the_curated_data(text, expected):
    assert labels(text) == expected


@pytest.mark.parametrize(
    ("text", "label", "form"),
    [
        ("Xanthones came from Garcinia mangostana L. fruits.", "Garcinia mangostana", "binomial"),
        ("Cultures of Nocardiopsis sp. CNS-653 were grown.", "Nocardiopsis", "unnamed"),
        ("Metabolites of Streptomyces were isolated.", "Streptomyces", "genus"),
        ("Limonoids occur in Meliaceae and elsewhere.", "Meliaceae", "higher"),
        ("Menthol was isolated from Mentha × piperita.", "Mentha × piperita", "hybrid"),
        ("It is made by Candidatus Endobugula sertula.", "Candidatus Endobugula sertula", "candidatus"),
        ("Allicin was isolated from garlic.", "garlic", "common"),
    ],
)
def test_every_form(text, label, form):
    assert [(m.label, m.form) for m in find_organisms(text)] == [(label, form)]


# Kinds of words that are names of genera as well.
@pytest.mark.parametrize(
    "text",
    [
        "The stem bark of a tree collected in Sri Lanka was extracted.",
        "An orange sponge collected near Santa Barbara gave three alkaloids.",
        "From the bark of a tree collected in Virginia, two quassinoids were isolated.",
        "A red alga from Bahia contained the flavonoids quercetin and rutin.",
        "The sponge was collected near Victoria, Australia.",
        "Plants grown in Montana and in Valencia were extracted.",
        "Saponins with Ara and Glc units were isolated from the root bark.",
        "The absolute configuration of Ala in the new lipopeptide was set by Marfey analysis.",
        "The sugars Xyl and Rha were found; Gal and Fuc were absent.",
        "Electron microscopy showed that berberine from the roots damaged bacteria.",
        "Dialysis of the extract gave a polysaccharide and the alkaloid berberine.",
        "Mania was relieved by hyperforin, isolated from the herb.",
        "Diabetes was treated; Asthma and Anemia were not.",
        "Epilepsy and Psoriasis are treated with the herb.",
        "The oil was analysed on a Roche instrument; carvacrol was its main component.",
        "The enzyme was bought from Merck and Sigma.",
        "Trans and Cis isomers of resveratrol were isolated from the vines.",
        "Meta and Para isomers were separated.",
    ],
)
def test_places_codes_diseases_methods_and_companies_are_no_organisms(text):
    assert scientific(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The stem bark of a tree was extracted.", ["tree"]),
        ("A red alga from Bahia contained quercetin.", ["red alga"]),
        ("An orange sponge gave three alkaloids.", ["sponge"]),
        ("The lipopeptide came from a cyanobacterium.", ["cyanobacterium"]),
        ("Theobromine was measured in Cocoa.", ["Cocoa"]),
        ("Catechins are abundant in green tea.", ["green tea"]),
        ("The soft coral contained diterpenes.", ["soft coral"]),
        ("Lycopene is found in tomatoes.", ["tomatoes"]),
    ],
)
def test_common_names_are_labels_where_a_text_has_no_other(text, expected):
    assert labels(text) == expected


def test_a_common_name_beside_a_scientific_one_is_found_unless_it_stands_directly_before_it():
    text = "The sponge Dysidea avara was collected. Garlic and Dysidea avara were compared."
    assert labels(text) == ["Dysidea avara", "Garlic"]


def test_an_abbreviated_genus_is_the_one_named_for_the_epithet_or_the_last_before_it():
    text = "Geodia corticostylifera and Garcinia mangostana. G. corticostylifera gave X; G. dulcis gave Y."
    found = find_organisms(text)
    assert found[2].label == "Geodia corticostylifera" and found[2].rule == "genus"
    assert found[3].label == "Garcinia dulcis"
    assert resolve_genus("Z. mays", found, 90) is None


@pytest.mark.parametrize(
    ("named", "short", "expected"),
    [
        ("Streptomyces coelicolor and Saccharopolyspora erythraea", "S. avermitilis", "Streptomyces avermitilis"),
        ("Aspergillus fumigatus and Artemisia annua", "A. ochraceus", "Aspergillus ochraceus"),
        ("Salvia officinalis and Scutellaria baicalensis", "S. miltiorrhiza", "Salvia miltiorrhiza"),
        ("Bacillus subtilis and Beauveria bassiana", "B. cereus", "Bacillus cereus"),
        ("Penicillium expansum and Pinus sylvestris", "P. citrinum", "Penicillium citrinum"),
        ("Candida glabrata and Cinnamomum verum", "C. albicans", "Candida albicans"),
        ("Staphylococcus epidermidis and Streptomyces griseus", "St. aureus", "Staphylococcus aureus"),
    ],
)
def test_an_abbreviated_genus_is_the_one_that_has_the_species(named, short, expected):
    assert labels(f"{named} were compared. The compound came from {short}.")[-1] == expected


def test_an_abbreviation_that_all_texts_use_for_one_genus_needs_no_full_name():
    assert labels("Gene clusters were expressed in E. coli.") == ["Escherichia coli"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Sargassum fusiforme-derived extracts", "Sargassum fusiforme"),
        ("Helicobacter pylori-induced gastritis", "Helicobacter pylori"),
        ("Candida albicans-infected mice", "Candida albicans"),
        ("Moringa oleifera-based diets", "Moringa oleifera"),
        ("Zingiber officinale-supplemented feed", "Zingiber officinale"),
        ("Curcuma longa-loaded beads", "Curcuma longa"),
        ("extracts of Panax pseudo-ginseng roots", "Panax pseudo-ginseng"),
        ("extracts of Capsella bursa-pastoris leaves", "Capsella bursa-pastoris"),
        ("extracts of Hibiscus rosa-sinensis leaves", "Hibiscus rosa-sinensis"),
    ],
)
def test_a_word_after_a_hyphen_belongs_to_the_name_only_if_it_is_latin(text, expected):
    assert scientific(text) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Anopheles larvae were killed by azadirachtin.", "Anopheles"),
        ("Fumigaclavine C was found in Aspergillus conidia.", "Aspergillus"),
        ("Berberine was isolated from Coptis rhizoma.", "Coptis"),
        ("Ginsenoside Rb1 was isolated from Panax radix.", "Panax"),
        ("It was obtained from Salinispora taxa of the deep sea.", "Salinispora"),
        ("Aedes pupae were killed by the oil.", "Aedes"),
        ("Paeoniflorin was isolated from Paeonia cortex.", "Paeonia"),
    ],
)
def test_a_latin_noun_after_a_genus_is_no_epithet(text, expected):
    assert set(scientific(text)) <= {expected}


@pytest.mark.parametrize("species", ["Clavispora fructus", "Eubacterium ramulus", "Aspergillus fructus"])
def test_the_name_of_a_plants_part_is_an_epithet_where_a_species_of_the_genus_has_it(species):
    assert scientific(f"Kojic acid was obtained from {species} in culture.") == [species]


def test_genera_that_are_compared_are_two():
    text = "In Aspergillus versus Penicillium, the mycotoxin was compared."
    assert scientific(text) == ["Aspergillus", "Penicillium"]


@pytest.mark.parametrize(
    ("text", "label", "identifier"),
    [
        ("oil of Mentha × piperita.", "Mentha × piperita", "NCBITaxon:34256"),
        ("oil of Mentha x piperita.", "Mentha × piperita", "NCBITaxon:34256"),
        ("the oil of Lavandula ×intermedia.", "Lavandula × intermedia", None),
        ("peel of Citrus ×paradisi Macfad.", "Citrus × paradisi", None),
        ("berries of Fragaria x ananassa", "Fragaria × ananassa", "NCBITaxon:3747"),
        ("flowers of Rosa ×damascena Mill.", "Rosa × damascena", None),
    ],
)
def test_hybrids_keep_their_cross(text, label, identifier):
    assert scientific(text) == [label]
    if identifier:
        assert taxon_identifier(label) == identifier


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('"Candidatus Entotheonella factor" makes onnamide A.', "Candidatus Entotheonella factor"),
        ("isolated from Candidatus Endobugula sertula, a symbiont", "Candidatus Endobugula sertula"),
        ("Ca. Endobugula sertula was found.", "Candidatus Endobugula sertula"),
        ("from Candidatus Endoecteinascidia frumentensis.", "Candidatus Endoecteinascidia frumentensis"),
        ("from Candidatus Endolissoclinum faulkneri.", "Candidatus Endolissoclinum faulkneri"),
        ("Candidatus Entotheonella bacteria were sorted.", "Candidatus Entotheonella"),
    ],
)
def test_candidatus_is_part_of_the_name(text, label):
    assert scientific(text) == [label]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Eupatorium cannabium", "Eupatorium cannabinum"),  # a letter is missing
        ("Stemona peirrei", "Stemona pierrei"),  # two are swapped
        ("Stephania cepharantha", "Stephania cepharantha"),  # another letter: may be another species
        ("Stemona collinsae", "Stemona collinsae"),  # -ae for -iae is style
    ],
)
def test_slips_of_the_pen_get_the_known_spelling(text, label):
    assert labels(f"isolated from {text} roots") == [label]


def test_one_document_spells_a_species_in_one_way():
    assert labels("Sophora subprostrata roots. Roots of Sophora subprostarata.") == ["Sophora subprostrata"]


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_one_edit_is_symmetric_and_never_none(first, second):
    assert one_edit_apart(first, second) == one_edit_apart(second, first)
    assert not one_edit_apart(first, first)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("Saccharomyces cerevisiae", "NCBITaxon:4932"),
        ("Homo sapiens", "NCBITaxon:9606"),
        ("Amaryllidaceae", "NCBITaxon:4668"),
        ("Stemona", "NCBITaxon:85281"),
        ("Candidatus Entotheonella factor", "NCBITaxon:1429438"),
        ("garlic", "NCBITaxon:4682"),
        ("red algae", "NCBITaxon:2763"),
        ("Stemona fictiva", None),
        ("", None),
        (" ", None),
        ("~", None),
    ],
)
def test_identifiers_are_those_of_ncbi(name, identifier):
    assert taxon_identifier(name) == identifier


@pytest.mark.parametrize(
    ("plural", "one"),
    [("red algae", "red alga"), ("fungi", "fungus"), ("berries", "berry"), ("species", "species"), ("moss", "moss")],
)
def test_plurals(plural, one):
    assert singular(plural) == one


PARTS = st.sampled_from(
    """Penicillium notatum P. sp. × x - cf. Candidatus Ca. garlic sponge STREPTOMYCES GRISEUS genusNasutitermes ë ( ) ,
    Á""".split()
)


@given(st.one_of(st.text(max_size=200), st.lists(PARTS, max_size=12).map(" ".join), st.lists(PARTS).map("".join)))
def test_any_text_is_read(text):
    end = 0
    for mention in find_organisms(text):
        assert end <= mention.start < mention.end <= len(text)
        assert 0 <= mention.belief <= 1 and mention.form in FORMS and mention.label
        end = mention.end
