"""The index of names that `abroad lotus prepare --index` writes."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.sources.name_index import ChemicalEntry, NameIndex
from abroad.sources.name_index_build import build_index
from abroad.sources.name_keys import name_key, organism_key

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
    context = Context()
    synonyms = tmp_path / "names.tsv"
    synonyms.write_text(f"name\tinchikey\nUsneein\t{KEY_A}\n", encoding="utf-8")
    counts = build_index(metadata, tmp_path / "index.sqlite", context, synonyms)
    assert counts == {"chemical": 5, "organism": 2, "reference": 2, "relation": 4} and len(context.rejects) == 1
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
        build_index(bad, tmp_path / "index.sqlite", Context())
    assert [path.name for path in tmp_path.iterdir()] == ["bad.csv"]


@example("O¯")
@given(st.text(max_size=60))
def test_a_key_is_its_own_key(name):
    for key in (name_key, organism_key):
        assert key(key(name)) == key(name)


APART = [
    ("3'-O-methylquercetin", "3-O-methylquercetin"),
    ("3″-O-methylquercetin", "3'-O-methylquercetin"),
    ("3‴-hydroxyx", "3″-hydroxyx"),
    ("2,4'-dihydroxychalcone", "2',4-dihydroxychalcone"),
    ("1-2-x", "12-x"),
    ("bicyclo[2.2.1]heptane", "bicyclo[22.1]heptane"),
    ("(+)-epicatechin", "(-)-epicatechin"),
    ("(±)-epicatechin", "(+)-epicatechin"),
    ("(R)-linalool", "(S)-linalool"),
    ("ginsenoside Rb(1)", "ginsenoside Rb(2)"),
    ("4'-1''-x", "4'1-x"),
    ("N-butylbenzamide", "n-butylbenzamide"),
    ("O-cresyl acetate", "o-cresyl acetate"),
    ("3-O-methylquercetin", "3-o-methylquercetin"),
    ("D-carvone", "d-carvone"),
    ("S-butyl thiolate", "s-butyl thiolate"),
    ("ferulic acid N-butylamide", "ferulic acid n-butylamide"),
    ("N-[2-(4-hydroxyphenyl)ethyl]x", "n-[2-(4-hydroxyphenyl)ethyl]x"),
    ("N,N-dimethylx", "n,N-dimethylx"),
    ("(1R,4S)-x-diol", "(1r,4s)-x-diol"),
    ("(3aR)-x-diol", "(3ar)-x-diol"),
]
ALIKE = [
    ("β-Carotene", "beta carotene"),
    ("Usnic  acid", "usnic acid"),
    ("2-hydroxyx (3) acid", "2-hydroxyx acid"),
    ("“Usnic acid”", "usnic acid"),
    ("'4'-hydroxyx'", "4’-Hydroxyx"),
    ("ginsenoside Rb(1)", "Ginsenoside-Rb1"),
    ("(1→4)-glucan", "(1->4)-glucan"),
    ("(+/-)-catechin", "(±)-catechin"),
    ("2, 4-dihydroxyx", "2,4-dihydroxyx"),
    ("vitamin B 12", "vitamin B12"),
    ("Vitamin D-3", "vitamin d3"),
    ("N-Butylbenzamide", "N-butylbenzamide"),
    ("N,N dimethyltryptamine", "N,N-dimethyltryptamine"),
    ("N(1)-acetylx", "N1-acetylx"),
    ("\u1d05-glucose", "D-glucose"),
    ("(2R,3S)-Epicatechin", "(2R,3S) epicatechin"),
    ("Gloeophyllin A", "gloeophyllin a"),
    ("Amphotericin B-methyl ester", "amphotericin b methyl ester"),
    ("GINSENOSIDE RG3", "ginsenoside Rg3"),
]
DASHES = "-‐‑‒–—―−﹣－⁃˗"
SINGLE = "'’‘′ʹʼ´`‛"
DOUBLE = '"”“″ʺ'


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_tells_isomers_apart_is_part_of_a_name(one, other):
    assert name_key(one) != name_key(other)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_spellings_of_one_name_share_a_key(one, other):
    assert name_key(one) == name_key(other)


LETTERS = "CDEHLMNOPRSZ"


@given(
    st.lists(st.sampled_from([*LETTERS, *LETTERS.lower()]), min_size=1, max_size=3),
    st.sampled_from(["", "3-", "2'-", "4-methyl-", "beta-", "(-)-"]),
    st.sampled_from(["methylx", "Butylx", "(2-hydroxy)x", "alpha-acetylx"]),
)
def test_the_case_of_a_letter_that_stands_alone_is_part_of_a_name(letters, before, after):
    name = f"{before}{','.join(letters)}-{after}"
    for place, letter in enumerate(letters):
        other = [*letters[:place], letter.swapcase(), *letters[place + 1 :]]
        assert name_key(f"{before}{','.join(other)}-{after}") != name_key(name)
    assert name_key(f"{before}{','.join(letters)}-{after.upper()}") == name_key(name)
    assert name_key(name_key(name)) == name_key(name)


@pytest.mark.parametrize("dash", DASHES)
def test_a_dash_is_a_dash(dash):
    assert name_key(f"({dash})-epicatechin") == name_key("(-)-epicatechin") != name_key("()-epicatechin")
    assert name_key(f"beta{dash}carotene") == name_key("beta-carotene")


def test_a_prime_is_a_prime_and_two_are_another():
    one, two = name_key("3'-O-methylx"), name_key("3''-O-methylx")
    assert {name_key(f"3{sign}-O-methylx") for sign in SINGLE} == {one} != {two}
    assert {name_key(f"3{sign}-O-methylx") for sign in [*DOUBLE, "′′", "’’"]} == {two}
    assert name_key("3‴-O-methylx") == name_key("3'''-O-methylx") == name_key("3″′-O-methylx")


@given(st.lists(st.sampled_from(["1", "2", "3", "'", "''", ",", "-", "(", ")", "R", "S", "a", "O"]), min_size=1))
def test_names_that_differ_in_more_than_hyphens_keep_different_keys(parts):
    """Take any name and add a prime to one of its locants: it is another compound."""
    name = "".join(parts) + "hydroxyx"
    places = [number for number, part in enumerate(parts) if part.isdigit()]
    for place in places:
        other = "".join([*parts[: place + 1], "'", *parts[place + 1 :]]) + "hydroxyx"
        assert name_key(other) != name_key(name)


def test_hybrids_are_written_in_two_ways():
    assert organism_key("Mentha x piperita") == organism_key("Mentha × piperita") != organism_key("Mentha piperita")
    assert organism_key("Aspergillus sp. (3)") == "aspergillussp(3)"


@pytest.mark.parametrize("version", [1, 2])
def test_an_index_of_an_earlier_version_is_refused_with_what_to_do(tmp_path, metadata, version):
    import sqlite3

    path = tmp_path / "old.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
        for table in ("chemical", "organism", "reference", "relation"):
            connection.execute(f"CREATE TABLE {table} (name TEXT)")
    connection.close()
    with pytest.raises(InputError, match=r"old\.sqlite: an index of an earlier version.*build it again"):
        NameIndex(path)
    build_index(metadata, path, Context())  # building it again is all that is needed
    assert NameIndex(path).chemical("usnic acid") is not None


PLAIN = """\
compound\torganism\tfamily\tdoi
3'-O-methylx\tSalvia fictiva\tLamiaceae\thttps://doi.org/10.1000/A1
3-O-methylx\tSalvia fictiva\tLamiaceae\tdoi:10.1000/a2
(−)-epicatechin\tSalvia altera\tLamiaceae\t10.1000/a1
\tSalvia altera\tLamiaceae\t10.1000/a1
scopoletin\tRuta fictiva\tRutaceae\tin a book
too\tfew
"""


@pytest.mark.parametrize("kind", ["tsv", "csv", "gzip"])
def test_a_plain_table_gives_an_index_by_names(tmp_path, kind):
    import gzip

    text = PLAIN.replace("\t", ",") if kind == "csv" else PLAIN
    path = tmp_path / "table"
    path.write_bytes(gzip.compress(text.encode()) if kind == "gzip" else text.encode())
    context = Context()
    counts = build_index(path, tmp_path / "index.sqlite", context)
    assert counts == {"chemical": 4, "organism": 3, "reference": 2, "relation": 4}
    assert [item["where"].rpartition(":")[2] for item in context.rejects.items] == ["5", "7"]
    assert "1 row(s) have no DOI that can be read" in context.rejects.notes[0]
    index = NameIndex(tmp_path / "index.sqlite")
    primed, plain, organism = (
        index.chemical("3′-O-methylx"), index.chemical("3-O-Methylx"), index.organism_entry("Salvia fictiva"),
    )  # fmt: skip
    assert primed.id != plain.id and primed.identifier is None and organism.lineage["family"] == "Lamiaceae"
    assert index.organisms_in("10.1000/a1", primed.id) == {organism.id}
    assert index.is_known(plain.id, organism.id) and not index.is_known(
        index.chemical("(-)-epicatechin").id, organism.id
    )
    assert index.genus_lineage("Salvia") == {"family": "Lamiaceae", "genus": "Salvia"}


def test_a_table_that_is_cut_off_leaves_no_index(tmp_path):
    import gzip

    path = tmp_path / "table.tsv.gz"
    path.write_bytes(gzip.compress(PLAIN.encode() * 100)[:-20])
    with pytest.raises(InputError, match="cut-off gzip"):
        build_index(path, tmp_path / "index.sqlite", Context())
    assert not (tmp_path / "index.sqlite").exists()


def test_a_table_of_other_columns_is_named_with_what_was_expected(tmp_path):
    path = tmp_path / "table.tsv"
    path.write_text("a\tb\n1\t2\n")
    with pytest.raises(InputError, match=r"no column compound, organism, doi \(found: a, b\)"):
        build_index(path, tmp_path / "index.sqlite", Context())
