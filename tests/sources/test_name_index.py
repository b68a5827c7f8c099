"""The index of names that `abroad lotus prepare --index` writes."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from abroad.core.errors import InputError
from abroad.core.io import Rejects
from abroad.sources.name_index import ChemicalEntry, NameIndex, build_index, name_key

HEADER = (
    "structure_wikidata,structure_inchikey,structure_cid,structure_nameTraditional,structure_nameIupac,"
    "organism_wikidata,organism_name,reference_wikidata,reference_doi"
)
WD = "http://www.wikidata.org/entity/"
KEY_A, KEY_B = "AAAAAAAAAAAAAA-AAAAAAAAAA-A", "BBBBBBBBBBBBBB-BBBBBBBBBB-B"


def row(q, key, cid, name, iupac, organism_q, organism, reference_q, doi):
    return f'{WD}{q},{key},{cid},{name},"{iupac}",{WD}{organism_q},{organism},{WD}{reference_q},{doi}'


@pytest.fixture
def metadata(tmp_path) -> Path:
    rows = [
        row("Q1", KEY_A, "11", "Usnic acid", "2,6-diacetyl-x", "Q10", "Usnea testalis", "Q100", "10.1/A"),
        row("Q1", KEY_A, "11", "Usnic acid", "2,6-diacetyl-x", "Q11", "Evernia fictiva", "Q101", "10.1/B"),
        row("Q2", KEY_B, "NA", "twin", "", "Q10", "Usnea testalis", "Q100", "10.1/A"),
        row("Q3", "NA", "NA", "twin", "", "Q10", "Usnea testalis", "Q100", "10.1/A"),
        "too,few,fields",
    ]
    path = tmp_path / "lotus.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def index(metadata, tmp_path) -> NameIndex:
    rejects = Rejects()
    synonyms = tmp_path / "names.tsv"
    synonyms.write_text(f"name\tinchikey\nUsneein\t{KEY_A}\n", encoding="utf-8")
    counts = build_index(metadata, tmp_path / "index.sqlite", rejects, synonyms)
    assert counts == {"chemical": 5, "organism": 2, "reference": 2, "relation": 4} and len(rejects) == 1
    return NameIndex(tmp_path / "index.sqlite")


def test_names_and_synonyms_give_identifiers(index):
    entry = ChemicalEntry("Q1", "11", KEY_A)
    assert index.chemical("usnic acid (4)") == index.chemical("2,6-Diacetyl-X") == index.chemical("usneein") == entry
    assert entry.identifier == "wikidata:Q1"
    assert ChemicalEntry(None, "5", KEY_A).identifier == "pubchem.compound:5"
    assert ChemicalEntry(None, None, KEY_A).identifier == f"inchikey:{KEY_A}"


def test_a_name_of_two_chemicals_is_of_none(index):
    assert index.chemical("twin") is None and index.chemical("unheard of") is None


def test_relations_and_references_are_those_of_lotus(index):
    assert index.is_known("Q1", "Q10") and not index.is_known("Q2", "Q11")
    assert index.organisms_in("10.1/b", "Q1") == {"Q11"}
    assert index.reference("10.1/A") == "Q100" and index.organism("usnea testalis") == "Q10"


@pytest.mark.parametrize(
    "content", [None, b"not a database at all, but long enough to have a header of its own....", b""]
)
def test_what_is_no_index_is_refused(tmp_path, content):
    path = tmp_path / "index.sqlite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match="index"):
        NameIndex(path)


def test_a_failed_build_leaves_nothing(tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("structure_wikidata\nx\n")
    with pytest.raises(InputError, match="column"):
        build_index(bad, tmp_path / "index.sqlite", Rejects())
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


@example("O¯")
@given(st.text(max_size=60))
def test_a_key_is_its_own_key(name):
    assert name_key(name_key(name)) == name_key(name) or "(" in name


@pytest.mark.parametrize(
    ("one", "other"),
    [("β-Carotene", "beta carotene"), ("Usnic  acid", "usnic acid"), ("2-hydroxyx (3) acid", "2-hydroxyx acid")],
)
def test_spellings_of_one_name_share_a_key(one, other):
    assert name_key(one) == name_key(other)
