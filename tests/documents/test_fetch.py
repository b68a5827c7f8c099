"""Documents from local XML and from a server, with their relations; and their division into parts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_documents, write_documents
from abroad.core.schema import Document
from abroad.documents.splitting import split_documents
from abroad.sources.lotus import COLUMNS
from tests.sources.servers import Efetch, article_set, article_xml


@pytest.fixture
def relations(tmp_path):
    path = tmp_path / "relations.tsv"
    entity = "http://www.wikidata.org/entity/"
    rows = [
        [entity + "Q1", "11", "alpin A", entity + "Q5", "Ruta ficta", "Plants", entity + "Q9", "10.1/A", "1"],
        [entity + "Q2", "", "alpin B", entity + "Q5", "Ruta ficta", "Plants", entity + "Q9", "10.1/A", "1"],
        [entity + "Q1", "11", "alpin A", entity + "Q6", "Salix nova", "Plants", entity + "Q8", "10.1/B", "2"],
        [entity + "Q1", "11", "alpin A", entity + "Q6", "Salix nova", "Plants", entity + "Q7", "10.1/C", "3"],
    ]
    lines = ["\t".join([*COLUMNS, "reference_pubmed_id"]), *("\t".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def sample(tmp_path):
    path = tmp_path / "sample.tsv"
    path.write_text("reference_doi\torganism_wikidata\n10.1/B\t0.0\n10.1/a\t0.6\n10.1/C\t0.7\n")
    return path


def test_references_become_documents_with_their_relations(cli, tmp_path, sample, relations):
    xml, out = tmp_path / "pubmed.xml", tmp_path / "docs.jsonl"
    xml.write_bytes(article_set(article_xml("1", "On <i>Ruta</i>."), article_xml("2"), article_xml("3", abstract=None)))
    result = cli("documents", "fetch", sample, "--relations", relations, "--xml", xml, "--out", out)
    assert result.exit_code == 0
    second, first, third = read_documents(out, Context())
    assert (second.id, first.id, first.title, first.doi) == ("2", "1", "On Ruta.", "10.1/A")
    assert first.label_pairs() == [("Ruta ficta", "alpin A"), ("Ruta ficta", "alpin B")]
    assert first.chemicals[0].extra == {"pubchem_id": "11"}
    assert (third.id, third.title, third.abstract) == ("3", "A title.", "")
    assert "(1 without an abstract, 0 not found)" in result.stderr
    assert json.loads((tmp_path / "docs.jsonl.abroad" / "run.json").read_text())["without_abstract"] == ["3"]


def test_a_record_without_any_text_is_set_aside_with_its_reason(cli, tmp_path, sample, relations):
    xml, out = tmp_path / "pubmed.xml", tmp_path / "docs.jsonl"
    xml.write_bytes(article_set(article_xml("1"), article_xml("2", title=" ", abstract=None), article_xml("3", "")))
    result = cli("documents", "fetch", sample, "--relations", relations, "--xml", xml, "--out", out)
    assert result.exit_code == 0
    assert [document.id for document in read_documents(out)] == ["1", "3"]
    assert "PMID 2: no abstract and no title" in result.stderr


def test_what_a_run_fetched_is_not_fetched_again(cli, tmp_path, sample, relations):
    out = tmp_path / "docs.jsonl"
    arguments = ("documents", "fetch", sample, "--relations", relations, "--out", out, "--batch-size", 1)
    with Efetch({pmid: article_xml(pmid) for pmid in "123"}).serve() as server:
        assert cli(*arguments, "--base-url", server.url).exit_code == 0
        asked = len(server.starts)
        result = cli(*arguments, "--base-url", server.url)
        assert result.exit_code == 0
        assert len(server.starts) == asked
    assert "3 of 3 abstracts were fetched by an earlier run" in result.stderr


def test_no_document_at_all_is_an_error(cli, tmp_path, sample, relations):
    xml = tmp_path / "pubmed.xml"
    xml.write_bytes(article_set(article_xml("77")))
    out = tmp_path / "docs.jsonl"
    result = cli("documents", "fetch", sample, "--relations", relations, "--xml", xml, "--out", out)
    assert result.exit_code == 2
    assert "3 not found" in result.stderr
    assert not out.exists()


def publication(number, id=None, doi=None):
    return Document(id or str(number), f"Title {number}", "Text.", pmid=str(number), doi=doi)


@given(
    st.lists(st.integers(0, 20), min_size=1, max_size=40),
    st.floats(0, 0.5),
    st.floats(0, 0.45),
    st.integers(0, 3),
)
def test_no_publication_is_in_two_parts_and_none_is_lost(numbers, test_share, valid_share, seed):
    documents = [publication(number, id=f"{number}-{n}") for n, number in enumerate(numbers)]
    split = split_documents(documents, test_share=test_share, valid_share=valid_share, seed=seed)
    parts = [split.train, split.valid, split.test]
    assert sorted(d.id for part in parts for d in part) == sorted(d.id for d in documents)
    of_part = [{d.pmid for d in part} for part in parts]
    assert not of_part[0] & of_part[1] and not of_part[0] & of_part[2] and not of_part[1] & of_part[2]


def test_a_seed_decides_a_random_split():
    documents = [publication(n) for n in range(40)]
    splits = [split_documents(documents, test_share=0.25, seed=seed) for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]
    assert len(splits[0].test) == 10


@pytest.mark.parametrize(("test_share", "valid_share"), [(1.0, 0.0), (0.6, 0.5), (-0.1, 0.0)])
def test_shares_that_leave_nothing_to_train_on_are_refused(test_share, valid_share):
    with pytest.raises(InputError, match="shares"):
        split_documents([publication(1)], test_share=test_share, valid_share=valid_share)


def test_the_first_of_each_stratum_make_the_test_part(cli, tmp_path):
    docs, ranking = tmp_path / "docs.jsonl", tmp_path / "sample.tsv"
    write_documents(docs, [publication(n, doi=f"10.1/{n}") for n in range(6)])
    ranking.write_text(
        "kingdom\treference_doi\th\nf\t10.1/3\t0\nf\t10.1/1\t0\np\t10.1/9\t0\np\t10.1/5\t0\np\t10.1/0\t0\n"
    )
    train, test = tmp_path / "train.jsonl", tmp_path / "test.jsonl"
    result = cli(
        *("documents", "split", docs, "--out-train", train, "--out-test", test, "--by-entropy", ranking, "--top", 1)
    )
    assert result.exit_code == 0
    assert [d.id for d in read_documents(test, Context())] == ["3", "5"]
    assert [d.id for d in read_documents(train, Context())] == ["0", "1", "2", "4"]
