"""`prepare`: each filter drops what it should, in order, and bad tables are named."""

import gzip

import pytest

from abroad.core.errors import InputError
from abroad.sources.lotus import COLUMNS, NO_KINGDOM, PrepareSettings, prepare


def row(structure="S1", organism="O1", doi="10.1/a", kingdom="Fungi", name="alpin A", species="Ruta ficta"):
    return [structure, "17", name, organism, species, kingdom, "R" + doi, doi]


def write(path, rows, columns=COLUMNS, opener=open):
    lines = [",".join(columns), *(",".join(f'"{field}"' for field in fields) for fields in rows)]
    with opener(path, "wt", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    return path


@pytest.fixture
def pmids(tmp_path):
    path = tmp_path / "map.tsv"
    path.write_text(
        "reference_doi\treference_pubmed_id\n10.1/a\t1\n10.1/A\t1\n10.1/b\t2\n10.1/two\t3\n10.1/two\t4\n10.1/na\tNA\n"
    )
    return path


def prepared(tmp_path, pmids, rows, **settings):
    """(the table written, as rows of fields; the report)."""
    report = prepare(write(tmp_path / "lotus.csv", rows), pmids, tmp_path / "out.tsv", PrepareSettings(**settings))
    header, *lines = (tmp_path / "out.tsv").read_text(encoding="utf-8").splitlines()
    assert header == "\t".join([*COLUMNS, "reference_pubmed_id"])
    return [line.split("\t") for line in lines], report


def lost(report):
    return [loss.rows_before - loss.rows_after for loss in report.losses]


def test_rows_that_repeat_in_the_eight_columns_count_once(tmp_path, pmids):
    rows, report = prepared(tmp_path, pmids, [row(), row(), row("S2")])
    assert [fields[0] for fields in rows] == ["S1", "S2"]
    assert lost(report) == [1, 0, 0, 0]


def test_other_columns_are_ignored(tmp_path, pmids):
    path = write(tmp_path / "l.csv", [["x", *row()], ["y", *row()]], columns=("structure_smiles", *COLUMNS))
    assert prepare(path, pmids, tmp_path / "out.tsv").rows == 1


def test_an_empty_kingdom_gets_its_name(tmp_path, pmids):
    rows, _ = prepared(tmp_path, pmids, [row(kingdom=""), row("S2", kingdom="NA"), row("S3")])
    assert [fields[5] for fields in rows] == [NO_KINGDOM, NO_KINGDOM, "Fungi"]
    assert NO_KINGDOM == "Not Attributed (Bacteria or Algae)"


def test_only_references_with_exactly_one_pmid_stay(tmp_path, pmids):
    rows, report = prepared(tmp_path, pmids, [row(doi=f"10.1/{d}") for d in ("a", "two", "none", "na", "b")])
    assert [fields[-1] for fields in rows] == ["1", "2"]
    assert lost(report) == [0, 3, 0, 0]


def test_dois_are_compared_without_regard_to_case(tmp_path, pmids):
    rows, _ = prepared(tmp_path, pmids, [row(doi="10.1/B")])
    assert rows[0][-2:] == ["10.1/B", "2"]


@pytest.mark.parametrize("prefix", ["https://doi.org/", "http://dx.doi.org/", "doi:", "DOI: "])
def test_a_doi_given_as_an_address_is_that_doi(tmp_path, prefix):
    pmids = tmp_path / "map.tsv"
    pmids.write_text(f"reference_doi\treference_pubmed_id\n{prefix}10.1/A\t1\n10.1/b\t2\n")
    rows, _ = prepared(tmp_path, pmids, [row(), row("S2", doi=f"{prefix}10.1/B")])
    assert [(fields[0], fields[-1]) for fields in rows] == [("S1", "1"), ("S2", "2")]


@pytest.mark.parametrize(("relations", "kept"), [(20, 20), (21, 0)])
def test_references_with_more_than_twenty_relations_go(tmp_path, pmids, relations, kept):
    rows, _ = prepared(tmp_path, pmids, [row(f"S{n}") for n in range(relations)])
    assert len(rows) == kept


def test_relations_are_counted_before_names_are_looked_at(tmp_path, pmids):
    many = [row(f"S{n}", name="x" * (61 if n else 5)) for n in range(21)]
    rows, report = prepared(tmp_path, pmids, many)
    assert rows == []
    assert lost(report) == [0, 0, 21, 0]


def test_the_same_pair_under_two_names_is_one_relation(tmp_path, pmids):
    rows, _ = prepared(tmp_path, pmids, [row("S1", name=f"alpin {n}") for n in range(25)])
    assert len(rows) == 25


@pytest.mark.parametrize(("length", "kept"), [(0, 0), (1, 1), (60, 1), (61, 0)])
def test_names_have_one_to_sixty_characters(tmp_path, pmids, length, kept):
    assert len(prepared(tmp_path, pmids, [row(name="ä" * length)])[0]) == kept
    assert len(prepared(tmp_path, pmids, [row(species="ä" * length)])[0]) == kept


def test_limits_can_be_set(tmp_path, pmids):
    rows, _ = prepared(tmp_path, pmids, [row("S1"), row("S2"), row(doi="10.1/b")], max_relations=1)
    assert [fields[-1] for fields in rows] == ["2"]
    assert prepared(tmp_path, pmids, [row()], max_name_length=3)[0] == []


def test_gzip_and_plain_files_give_the_same(tmp_path, pmids):
    rows = [row(), row("S2", doi="10.1/b")]
    plain = write(tmp_path / "a.csv", rows)
    packed = write(tmp_path / "b.csv.gz", rows, opener=gzip.open)
    for path, out in ((plain, "a.tsv"), (packed, "b.tsv")):
        prepare(path, pmids, tmp_path / out)
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()


def test_a_broken_row_is_set_aside_with_its_line(tmp_path, pmids):
    path = write(tmp_path / "lotus.csv", [row()])
    with path.open("ab") as stream:
        stream.write(b"one,two\n" + ",".join(row("S2")).encode().replace(b"alpin", b"\xff\xfe") + b"\n")
    report = prepare(path, pmids, tmp_path / "out.tsv")
    assert report.rows == 1
    assert [item["where"].rpartition(":")[2] for item in report.rejects.items] == ["3", "4"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "empty"),
        (b"a,b\n1,2\n", "no column structure_wikidata"),
        (b"\xff\xff\xff\n", "UTF-8"),
        (gzip.compress(b"x" * 10_000, mtime=0)[:30], "gzip"),
    ],
)
def test_tables_that_cannot_be_read_are_named_in_one_line(cli, tmp_path, pmids, content, message):
    path = tmp_path / "lotus.csv"
    if content is not None:
        path.write_bytes(content)
    result = cli("lotus", "prepare", path, "--doi2pmid", pmids, "--out", tmp_path / "out.tsv")
    assert result.exit_code == 2
    assert "lotus.csv" in result.stderr
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out.tsv").exists()


def test_a_map_with_other_columns_is_refused_before_the_table_is_read(tmp_path):
    path = tmp_path / "map.tsv"
    path.write_text("doi\tpmid\n10.1/a\t1\n")
    with pytest.raises(InputError, match=r"map\.tsv: no column reference_doi"):
        prepare(tmp_path / "not-there.csv", path, tmp_path / "out.tsv")


def test_the_command_prints_what_each_filter_lost(cli, tmp_path, pmids):
    path = write(tmp_path / "lotus.csv", [row(), row(), row("S2", doi="10.1/two")])
    result = cli("lotus", "prepare", path, "--doi2pmid", pmids, "--out", tmp_path / "out.tsv")
    assert result.exit_code == 0
    for name in ("distinct rows", "exactly one PMID", "at most 20 relations", "names of 1 to 60 characters"):
        assert name in result.stdout
    assert (tmp_path / "out.tsv.abroad" / "run.json").exists()
