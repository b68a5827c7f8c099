"""Names of organisms without authors and in the usual case; what is no citation stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.sources.name_keys import organism_key
from abroad.text.scientific_names import organism_identifier, scientific_name

SAME = {
    "Salvia miltiorrhiza": [
        *("Salvia miltiorrhiza Bunge", "Salvia  miltiorrhiza Bge.", "SALVIA MILTIORRHIZA BUNGE", "salvia miltiorrhiza"),
        *("Salvia Miltiorrhiza", "Salvia miltiorrhiza (Bunge) Briq."),
    ],
    "Panax ginseng": ["Panax ginseng C. A. Meyer", "Panax ginseng C.A.Mey.", "PANAX GINSENG"],
    "Apis mellifera": ["Apis mellifera Linnaeus, 1758", "Apis mellifera (Linnaeus, 1758)", "Apis mellifera L."],
    "Usnea barbata": ["Usnea barbata (L.) Weber ex F.H. Wigg."],
    "Tripterygium wilfordii": ["Tripterygium wilfordii Hook. f.", "Tripterygium wilfordii Hook.f."],
    "Streptomyces griseus": ["Streptomyces griseus (Krainsky 1914) Waksman and Henrici 1948"],
    "Aspergillus niger": ["Aspergillus niger van Tieghem"],
    "Mentha × piperita": ["Mentha x piperita L.", "Mentha × piperita L.", "MENTHA X PIPERITA"],
    "Camellia sinensis var. assamica": ["Camellia sinensis (L.) Kuntze var. assamica (Royle ex Hook.) Steenis"],
    "Salvia": ["Salvia L.", "SALVIA"],
}
ITS_OWN = [
    *("Escherichia coli K-12", "Escherichia coli Nissle 1917", "Aspergillus fumigatus CBS 101355", "Cancer Cell"),
    *("Vitis vinifera 'Merlot'", "Vitis vinifera cv. Merlot", "Streptomyces sp. MK-30", "Green Tea", "human", "garlic"),
    *("Salvia miltiorrhiza f. alba", "Candidatus Entotheonella factor", "Aspergillus niger ATCC"),
]


@pytest.mark.parametrize(("name", "label"), [(name, label) for name, labels in SAME.items() for label in labels])
def test_authors_and_case_are_no_part_of_a_name(name, label):
    assert scientific_name(label) == name
    assert organism_key(label) == organism_key(name)
    assert organism_identifier(label) == organism_identifier(name)


@pytest.mark.parametrize("name", [*ITS_OWN, *SAME])
def test_what_is_no_citation_stays(name):
    assert scientific_name(name) == name


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Panthera leo (Linnaeus, 1758)", "Panthera leo"),
        ("Bacillus subtilis (Ehrenberg 1835) Cohn 1872", "Bacillus subtilis"),
        ("Rosa canina var. dumetorum (Thuill.) Poir.", "Rosa canina var. dumetorum"),
        ("Vitis vinifera L. subsp. sylvestris (C.C.Gmel.) Hegi", "Vitis vinifera subsp. sylvestris"),
        ("Cinchona officinalis Linn. f.", "Cinchona officinalis"),
        ("Laurencia obtusa (Hudson) J.V. Lamouroux", "Laurencia obtusa"),
        ("Glycyrrhiza uralensis Fisch. ex DC.", "Glycyrrhiza uralensis"),
        ("Piper methysticum G. Forst.", "Piper methysticum"),
        ("Taxus × media Rehder", "Taxus × media"),
        ("Lactobacillus plantarum (Orla-Jensen 1919) Bergey et al. 1923", "Lactobacillus plantarum"),
        *((name, name) for name in ("Coffea arabica 'Bourbon'", "Penicillium expansum NRRL 976")),
        *((name, name) for name in ("Streptomyces coelicolor A3(2)", "Saccharomyces cerevisiae S288C")),
        *((name, name) for name in ("Citrus sinensis cv. Valencia", "Pseudomonas fluorescens Pf-5")),
        *(
            pytest.param(name, name, marks=pytest.mark.xfail(reason="read as an author", strict=True))
            for name in ("Nicotiana tabacum Samsun", "Arabidopsis thaliana Columbia", "Oryza sativa Japonica")
        ),
    ],
)
def test_names_that_were_not_at_hand_when_the_words_of_citations_were_written(label, name):
    assert scientific_name(label) == name


@given(
    st.text(max_size=60) | st.lists(st.sampled_from(["Salvia", "alba", "L.", "x", "Bunge", "var.", "12"])).map(" ".join)
)
def test_a_scientific_name_is_its_own(label):
    assert scientific_name(scientific_name(label)) == scientific_name(label)
