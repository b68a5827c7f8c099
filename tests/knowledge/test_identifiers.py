"""Compounds and organisms are found by every identifier that they have, in every form that people type."""

import pytest

from abroad.knowledge.browse.views import search
from abroad.knowledge.query import PairFilter, find_pairs
from abroad.knowledge.store import readable, writable
from tests.knowledge.world import LOTUS, World, document

BLOCK = "ABCDEFGHIJKLMN"
KEYS = {"usnic acid": f"{BLOCK}-UHFFFAOYSA-N", "(+)-usnic acid": f"{BLOCK}-OAHLLOKOSA-N"}
ISOMERS = LOTUS.splitlines()[0] + "\n" + "\n".join(
    f"{item},{10 + n},{key},{name},http://www.wikidata.org/entity/Q10,Usnea barbata,Parmeliaceae,,10.1000/a,Polyketides"
    for n, item, (name, key) in zip((1, 2), ("http://www.wikidata.org/entity/Q1", ""), KEYS.items(), strict=True)
)  # fmt: skip
FULL = KEYS["usnic acid"]
FORMS = {
    "usnic acid": [
        *("Q1", "q1", "wikidata:Q1", "wd:Q1", "http://www.wikidata.org/entity/Q1", "https://www.wikidata.org/wiki/Q1"),
        *("pubchem.compound:11", "PubChem:11", "CID 11", "CID:11", "https://pubchem.ncbi.nlm.nih.gov/compound/11"),
        *("https://identifiers.org/pubchem.compound:11", FULL, FULL.lower(), f"inchikey:{FULL}", f"InChIKey={FULL}"),
        *(f"https://identifiers.org/inchikey:{FULL}", FULL[:-2], f" {FULL} "),
    ],
    "(+)-usnic acid": [
        "pubchem.compound:12",
        "CID12",
        KEYS["(+)-usnic acid"],
        f"inchikey:{KEYS['(+)-usnic acid'].lower()}",
    ],
    "both": [BLOCK, f"InChIKey:{BLOCK}"],
    "none": [
        "Q999",
        "CID 999",
        "pubchem.compound:1",
        FULL.replace("A", "Z"),
        BLOCK.lower(),
        BLOCK[:13],
        "inchikey:",
        "%",
        "Q1 "[:1],
    ],
}
ORGANISM = [
    *("Q10", "wikidata:Q10", "ncbitaxon:192174", "NCBITaxon:192174", "taxid:192174", "txid192174"),
    *("http://purl.obolibrary.org/obo/NCBITaxon_192174", "https://identifiers.org/ncbitaxon:192174"),
    "https://www.ncbi.nlm.nih.gov/Taxonomy/Browser/wwwtax.cgi?id=192174",
]


@pytest.fixture(scope="module")
def isomers(tmp_path_factory):
    """A database of two isomers, of which one has no item of Wikidata."""
    from abroad.core.context import Context
    from abroad.sources.name_index_build import build_index

    world = World(tmp_path_factory.mktemp("isomers"))
    (world.folder / "isomers.csv").write_text(ISOMERS, encoding="utf-8")
    world.index.unlink()
    build_index(world.folder / "isomers.csv", world.index, Context())
    made = [document(f"i{n}", f"{name} was isolated from Usnea barbata.") for n, name in enumerate(KEYS)]
    world.write(made, {d.id: [("Usnea barbata", name, 0.9)] for d, name in zip(made, KEYS, strict=True)})
    path = world.folder / "np.sqlite"
    world.build(path, "sqlite")
    return world, path


@pytest.mark.parametrize(("found", "form"), [(name, form) for name, forms in FORMS.items() for form in forms])
def test_a_compound_is_found_by_all_that_it_has(isomers, found, form):
    names = {"both": sorted(KEYS), "none": []}.get(found, [found])
    with readable(isomers[1]) as store:
        assert sorted(p.tail.name for p in find_pairs(store, PairFilter(compound=form))) == names
        if names:
            assert sorted(each.name for each in search(store, form)[0]) == names


@pytest.mark.parametrize("form", ORGANISM)
def test_an_organism_is_found_by_all_that_it_has(isomers, form):
    with readable(isomers[1]) as store:
        assert len(find_pairs(store, PairFilter(organism=form))) == 2
        assert not find_pairs(store, PairFilter(compound=form))


def test_a_database_of_before_answers_and_the_next_build_fills_it(world, base, format):
    """Its table of identifiers is missing."""
    before = _pairs(base, "CCCCCCCCCCCCCC-CCCCCCCCCC-C")
    assert before == 1
    with writable(base, format) as store:
        store.query("DROP TABLE identifier")
        store.query("UPDATE meta SET value = replace(value, ', \"identifiers\": true', '') WHERE name = 'index'")
    assert _pairs(base, "CCCCCCCCCCCCCC-CCCCCCCCCC-C") == 0 and _pairs(base, "wikidata:Q3") == 1
    world.build(base, format)
    assert _pairs(base, "CCCCCCCCCCCCCC-CCCCCCCCCC-C") == 1


def _pairs(path, compound):
    with readable(path) as store:
        return len(find_pairs(store, PairFilter(compound=compound)))
