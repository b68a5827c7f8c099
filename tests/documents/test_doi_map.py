"""LOTUS without a map of PMIDs: none where none are needed, else from E-utilities or a dump of Wikidata."""

import bz2
import csv
import gzip
from pathlib import Path

import pytest

from abroad.core.io import read_documents
from abroad.sources.lotus import PMID
from tests.sources.servers import Efetch, article_xml

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
METADATA = SAMPLE / "lotus_metadata.csv"


def rows(path):
    with Path(path).open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


@pytest.fixture
def with_map(cli, tmp_path):
    """The rows that the published map gives."""
    out = tmp_path / "mapped.tsv"
    assert cli("lotus", "prepare", METADATA, "--doi2pmid", SAMPLE / "doi2pmid.tsv", "--out", out).exit_code == 0
    return rows(out)


@pytest.fixture
def pubmed(with_map):
    """A PubMed that has the references of the map, and no others."""
    pmids = {row["reference_doi"]: row[PMID] for row in with_map}
    with Efetch({pmid: article_xml(pmid, doi=doi) for doi, pmid in pmids.items()}).serve() as server:
        yield server


def test_without_a_source_there_are_no_pmids_and_the_message_says_what_to_do(cli, tmp_path, with_map):
    out, index = tmp_path / "r.tsv", tmp_path / "i.sqlite"
    result = cli("lotus", "prepare", METADATA, "--out", out, "--index", index)
    assert result.exit_code == 0 and index.is_file()
    for word in ("--eutils", "--wikidata", "--doi2pmid", "data/README.md", "documents fetch"):
        assert word in result.stderr
    assert {row[PMID] for row in rows(out)} == {""}
    keys = [{**row, PMID: ""} for row in with_map]
    assert [row for row in rows(out) if row in keys] == keys


def test_sampling_needs_no_pmids(cli, tmp_path):
    assert cli("lotus", "prepare", METADATA, "--out", tmp_path / "r.tsv").exit_code == 0
    assert cli("sample", tmp_path / "r.tsv", "--n", 3, "--out", tmp_path / "s.tsv").exit_code == 0
    assert len(rows(tmp_path / "s.tsv")) == 3


@pytest.mark.parametrize("how", ["xml", "eutils", "both"])
def test_documents_of_a_sample_without_pmids(cli, tmp_path, pubmed, how):
    sample, relations, out = tmp_path / "s.tsv", tmp_path / "r.tsv", tmp_path / "d.jsonl"
    sample.write_text("reference_doi\n10.5555/ABROAD.sample.001\n10.5555/abroad.sample.020\n")
    cli("lotus", "prepare", METADATA, "--out", relations)
    options = {"xml": ["--xml", SAMPLE / "pubmed.xml"], "eutils": ["--base-url", pubmed.url]}
    options["both"] = [*options["xml"], "--eutils", *options["eutils"]]
    result = cli("documents", "fetch", sample, "--relations", relations, "--out", out, *options[how])
    assert result.exit_code == 0, result.stderr
    [document] = read_documents(out)
    assert document.pmid == "99000001" and len(document.relations) > 1
    assert "10.5555/abroad.sample.020" in result.stderr and "none found" in result.stderr
    assert bool(pubmed.asked) is (how != "xml")


def test_the_map_is_made_from_eutils_once(cli, tmp_path, pubmed, with_map):
    for out in (tmp_path / "r.tsv", tmp_path / "other.tsv"):
        result = cli("lotus", "prepare", METADATA, "--eutils", "--base-url", pubmed.url, "--out", out)
        assert result.exit_code == 0, result.stderr
        assert rows(out) == with_map
        assert str(out) + ".abroad/doi2pmid.tsv" in result.stderr
    fetched = [pmid for batch in pubmed.batches for pmid in batch]
    assert len(fetched) == len(set(fetched))  # the second output asks only for DOIs that PubMed did not have


def test_a_map_that_was_made_is_a_map(cli, tmp_path, pubmed, with_map):
    cli("lotus", "prepare", METADATA, "--eutils", "--base-url", pubmed.url, "--out", tmp_path / "r.tsv")
    made = tmp_path / "r.tsv.abroad" / "doi2pmid.tsv"
    assert cli("lotus", "prepare", METADATA, "--doi2pmid", made, "--out", tmp_path / "again.tsv").exit_code == 0
    assert rows(tmp_path / "again.tsv") == with_map


def test_a_server_that_fails_ends_the_command_and_what_came_is_kept(cli, tmp_path, pubmed, with_map):
    pubmed.search_faults += ["page"] * 2
    command = ("lotus", "prepare", METADATA, "--eutils", "--base-url", pubmed.url, "--out", tmp_path / "r.tsv")
    result = cli(*command, "--batch-size", 5)
    assert result.exit_code == 0, result.stderr  # two bad pages are tried again
    pubmed.faults += [403] * 50
    (tmp_path / "r.tsv.abroad" / "doi2pmid.tsv").unlink()
    assert cli(*command).exit_code == 0  # every article is kept


def dump(with_map, path, opener=open):
    items = {row["reference_wikidata"].rpartition("/")[2]: row[PMID] for row in with_map}
    entity = "http://www.wikidata.org/entity/"
    lines = [f'<{entity}Q1> <http://www.wikidata.org/prop/direct/P698> "12345" .']
    for item, pmid in items.items():
        lines += [
            f'<{entity}{item}> <http://www.wikidata.org/prop/direct/P356> "10.1/X" .',
            f'<{entity}{item}> <http://www.wikidata.org/prop/direct/P698> "{pmid}" .',
        ]
    with opener(path, "wt", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize(("name", "opener"), [("d.nt", open), ("d.nt.gz", gzip.open), ("d.nt.bz2", bz2.open)])
def test_the_map_is_made_from_a_dump_of_wikidata(cli, tmp_path, with_map, name, opener):
    path = dump(with_map, tmp_path / name, opener)
    result = cli("lotus", "prepare", METADATA, "--wikidata", path, "--out", tmp_path / "r.tsv")
    assert result.exit_code == 0, result.stderr
    assert rows(tmp_path / "r.tsv") == with_map


@pytest.mark.parametrize("name", ["d.nt", "d.nt.gz", "d.nt.bz2", "missing.nt"])
def test_a_dump_that_is_none_is_named(cli, tmp_path, name):
    if name != "missing.nt":
        (tmp_path / name).write_bytes(b"BZh9 no dump\n")
    result = cli("lotus", "prepare", METADATA, "--wikidata", tmp_path / name, "--out", tmp_path / "r.tsv")
    assert result.exit_code == 2 and name in result.stderr and "Traceback" not in result.stderr


def test_one_source_of_pmids(cli, tmp_path):
    given = ("--doi2pmid", SAMPLE / "doi2pmid.tsv", "--eutils")
    result = cli("lotus", "prepare", METADATA, *given, "--out", tmp_path / "r.tsv")
    assert result.exit_code == 2 and "one source of PMIDs" in result.stderr


def test_a_run_looks_up_what_it_sampled(cli, tmp_path):
    config = tmp_path / "c.yaml"
    config.write_text(
        f"out: {tmp_path / 'run'}\nlotus: {{metadata: {METADATA}}}\nsample: {{n: 4}}\n"
        f"documents: {{xml: [{SAMPLE / 'pubmed.xml'}]}}\nextract: {{model: builtin}}\n"
        f"evaluate: {{gold: {SAMPLE / 'curated_valid.jsonl'}}}\n"
    )
    result = cli("run", config)
    assert result.exit_code == 0, result.stderr
    assert all(document.pmid for document in read_documents(tmp_path / "run" / "documents.jsonl"))
