"""Labels joined to their texts: local XML and a server, by PMID, DOI and words; texts that are others."""

import json

import pytest

from abroad.core.context import Context
from abroad.core.helpers import helper
from abroad.core.io import read_documents, write_jsonl
from abroad.core.schema import Entity
from abroad.documents.curated.labels import Labels, text_sha256, words_sha256
from abroad.documents.curated.locate import Locator
from tests.sources.servers import Efetch, article_set, article_xml

TITLE, ABSTRACT = "Alpins of Ruta.", "Ruta ficta gave alpins A and B. R. ficta is new."


def make_labels(
    id, pmid=None, doi=None, title=TITLE, abstract=ABSTRACT, organism="Ruta ficta", chemicals=("alpin A", "alpin B")
):
    locator = Locator(f"{title} {abstract}")
    o = [Entity("O0", organism, {"spans": [list(span) for span in locator.organism(organism)]})] if chemicals else []
    c = [
        Entity(f"C{n}", label, {"type": "chemical", "spans": [list(span) for span in locator.chemical(label)]})
        for n, label in enumerate(chemicals)
    ]
    hashes = (text_sha256(title, abstract), words_sha256(title), words_sha256(abstract))
    return Labels(id, pmid, doi, "journal", *hashes, o, c, [("O0", entity.id) for entity in c])


@pytest.fixture
def fetch(cli, tmp_path):
    """Call `abroad documents fetch --labels` with the labels and articles given."""
    out = tmp_path / "docs.jsonl"

    def call(labels, *arguments, articles=None):
        write_jsonl(tmp_path / "labels.jsonl", (item.to_dict() for item in labels))
        if articles is not None:
            (tmp_path / "pubmed.xml").write_bytes(article_set(*articles))
            arguments = ("--xml", tmp_path / "pubmed.xml", *arguments)
        return cli("documents", "fetch", "--labels", tmp_path / "labels.jsonl", "--out", out, *arguments)

    call.out = out
    return call


def documents_of(fetch):
    return {document.id: document for document in read_documents(fetch.out, Context())}


def rejects_of(fetch):
    path = helper(fetch.out, "rejects.jsonl")
    return {item["where"]: item["reason"] for item in map(json.loads, path.read_text().splitlines())}


def marked(document):
    """Label -> the stretches of text that its spans mark."""
    entities = (*document.organisms, *document.chemicals)
    return {e.label: [document.text[start:end] for start, end in e.extra["spans"]] for e in entities}


def test_local_xml_joins_by_pmid_by_doi_and_by_words(fetch):
    labels = [
        make_labels("a", pmid="1"),
        make_labels("b", doi="10.1/b"),
        make_labels("c", abstract=f"Third. {ABSTRACT}"),
    ]
    articles = [
        article_xml("3", TITLE, f"Third. {ABSTRACT}"),
        article_xml("1", TITLE, ABSTRACT.replace("ficta gave", "ficta\n   gave")),
        article_xml("2", TITLE, ABSTRACT, "10.1/B"),
        article_xml("9", "Another.", "Text."),
    ]
    assert fetch(labels, articles=articles).exit_code == 0
    documents = documents_of(fetch)
    assert {id: document.pmid for id, document in documents.items()} == {"a": "1", "b": "2", "c": "3"}
    assert all(document.extra["text_match"] == "exact" for document in documents.values())
    assert documents["a"].label_pairs() == [("Ruta ficta", "alpin A"), ("Ruta ficta", "alpin B")]
    assert marked(documents["a"]) == {
        "Ruta ficta": ["Ruta ficta", "R. ficta"],
        "alpin A": ["alpins A and B"],
        "alpin B": ["alpins A and B"],
    }
    record = json.loads(helper(fetch.out, "run.json").read_text())
    assert (record["documents"], record["exact"], record["not_found"]) == (3, 3, [])


def test_a_server_joins_by_pmid_and_by_doi_alone(fetch):
    labels = [make_labels("a", pmid="1"), make_labels("b", doi="10.1/b"), make_labels("c", doi="10.1/c(2)")]
    records = {
        pmid: article_xml(pmid, TITLE, ABSTRACT, doi) for pmid, doi in (("1", ""), ("2", "10.1/B"), ("3", "10.1/C(2)"))
    }
    with Efetch(records).serve() as server:
        assert fetch(labels, "--base-url", server.url).exit_code == 0
        assert (server.batches, server.searches) == ([["1"], ["2", "3"]], [["10.1/b", "10.1/c(2)"]])
    assert {id: d.pmid for id, d in documents_of(fetch).items()} == {"a": "1", "b": "2", "c": "3"}


def test_ncbi_is_asked_for_what_the_files_lack(fetch):
    labels = [make_labels("a", pmid="1"), make_labels("b", pmid="2")]
    with Efetch({"2": article_xml("2", TITLE, ABSTRACT)}).serve() as server:
        articles = [article_xml("1", TITLE, ABSTRACT)]
        assert fetch(labels, "--eutils", "--base-url", server.url, articles=articles).exit_code == 0
        assert server.batches == [["2"]]
    assert list(documents_of(fetch)) == ["a", "b"]


def test_offsets_are_found_again_in_a_text_that_is_formatted_differently(fetch):
    abstract = "RESULTS: Ruta ficta gave alpins A and B . R. ficta is new."
    result = fetch([make_labels("a", pmid="1")], articles=[article_xml("1", TITLE, abstract)])
    assert result.exit_code == 0 and "0 with the labelled text, 1 formatted differently" in result.stderr
    document = documents_of(fetch)["a"]
    assert document.extra["text_match"] == "found again" and "labels_lost" not in document.extra
    assert marked(document)["alpin B"] == ["alpins A and B"]


def test_a_label_that_is_no_longer_in_the_text_is_reported_and_its_relation_kept(fetch):
    labels = make_labels("a", pmid="1", abstract="Ruta ficta gave alpin A and betin.", chemicals=("alpin A", "betin"))
    result = fetch([labels], articles=[article_xml("1", TITLE, "Ruta ficta gave alpin A and &#946;-tin.")])
    assert "1 labels of 1 documents are no longer in the text" in result.stderr
    document = documents_of(fetch)["a"]
    assert document.extra["labels_lost"] == ["betin"] and len(document.relations) == 2
    assert marked(document)["betin"] == []


def test_another_text_goes_to_the_rejects_with_its_reason(fetch):
    labels = [
        make_labels("good", pmid="1"),
        make_labels("other", pmid="2"),
        make_labels("empty", pmid="3", chemicals=(), abstract="We compare readers."),
        make_labels("bare", pmid="4"),
        make_labels("gone", pmid="5"),
        make_labels("nameless", abstract="Nowhere."),
    ]
    articles = [
        article_xml("1", TITLE, ABSTRACT),
        article_xml("2", "On Ruta ficta.", "Nothing else of it is here."),
        article_xml("3", "Other.", "Others."),
        article_xml("4", TITLE, None),
    ]
    result = fetch(labels, articles=articles)
    assert result.exit_code == 0 and list(documents_of(fetch)) == ["good"]
    assert "2 not found, 1 without an abstract, 2 with another text" in result.stderr
    reasons = rejects_of(fetch)
    assert reasons["document other (PMID 2)"] == "PMID 2: another text than was labelled: it names 1 of 3 labels"
    assert "no label to know it by" in reasons["document empty (PMID 3)"]
    assert reasons["document bare (PMID 4)"] == "no abstract"
    assert reasons["document gone (PMID 5)"] == "not found"
    assert "--xml" in reasons["document nameless"]


def test_a_document_without_labels_is_known_by_its_title(fetch):
    labels = make_labels("a", pmid="1", title="Plate readers", abstract="We compare.", chemicals=())
    assert fetch([labels], articles=[article_xml("1", "Plate readers.", "AIM: We compare.")]).exit_code == 0
    assert documents_of(fetch)["a"].relations == []


def test_a_wrong_pmid_is_mended_by_the_doi(fetch):
    records = {"1": article_xml("1", "Other.", "Nothing."), "2": article_xml("2", TITLE, ABSTRACT, "10.1/b")}
    with Efetch(records).serve() as server:
        assert fetch([make_labels("a", pmid="1", doi="10.1/b")], "--base-url", server.url).exit_code == 0
    assert documents_of(fetch)["a"].extra["text_match"] == "exact"


def test_what_was_read_without_its_title_is_joined_without_it(fetch):
    labels = make_labels("a", pmid="1", title="")
    assert fetch([labels], articles=[article_xml("1", "Alpin C of Salvia.", ABSTRACT)]).exit_code == 0
    document = documents_of(fetch)["a"]
    assert (document.title, document.extra["text_match"]) == ("", "exact")
    assert marked(document)["Ruta ficta"] == ["Ruta ficta", "R. ficta"]


def test_a_record_that_pubmed_withdrew_is_not_joined(fetch, tmp_path):
    deleted = "<DeleteCitation><PMID Version='1'>1</PMID></DeleteCitation>"
    labels = [make_labels("a", pmid="1"), make_labels("b", pmid="2")]
    articles = [article_xml("1", TITLE, ABSTRACT), article_xml("2", TITLE, ABSTRACT), deleted]
    assert fetch(labels, articles=articles).exit_code == 0
    assert list(documents_of(fetch)) == ["b"]


def test_what_a_run_fetched_is_not_fetched_again(fetch):
    labels = [make_labels("a", pmid="1", title=""), make_labels("b", doi="10.1/b"), make_labels("c", pmid="1")]
    records = {"1": article_xml("1", TITLE, ABSTRACT), "2": article_xml("2", TITLE, ABSTRACT, "10.1/b")}
    with Efetch(records).serve() as server:
        assert fetch(labels, "--base-url", server.url).exit_code == 0
        first, asked = fetch.out.read_bytes(), len(server.asked)
        result = fetch(labels, "--base-url", server.url)
        assert len(server.asked) == asked
    assert "3 of 3 abstracts were fetched by an earlier run" in result.stderr
    assert fetch.out.read_bytes() == first


def test_an_interrupted_run_goes_on_where_it_stopped(fetch):
    labels = [make_labels("a", pmid="1"), make_labels("b", doi="10.1/b"), make_labels("c", doi="10.1/c")]
    records = {
        pmid: article_xml(pmid, TITLE, ABSTRACT, doi) for pmid, doi in (("1", ""), ("2", "10.1/b"), ("3", "10.1/c"))
    }
    with Efetch(records).serve() as server:
        server.faults = [None, None, 403]
        result = fetch(labels, "--base-url", server.url, "--batch-size", 1)
        assert result.exit_code == 1 and not fetch.out.exists()
        result = fetch(labels, "--base-url", server.url, "--batch-size", 1)
        assert result.exit_code == 0 and "2 of 3 abstracts were fetched by an earlier run" in result.stderr
        assert server.batches == [["1"], ["2"], ["3"], ["3"]]
    assert list(documents_of(fetch)) == ["a", "b", "c"]
    assert not list(fetch.out.parent.rglob("*articles.jsonl"))


def test_no_document_at_all_is_an_error(fetch):
    result = fetch([make_labels("a", pmid="1")], articles=[article_xml("7")])
    assert result.exit_code == 2 and "1 not found" in result.stderr
    assert not fetch.out.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected either SAMPLE.tsv or --labels"),
        (["s.tsv", "--labels", "l.jsonl"], "expected either SAMPLE.tsv or --labels"),
        (["--labels", "l.jsonl", "--relations", "r.tsv"], "--relations goes with SAMPLE.tsv"),
        (["--labels", "absent.jsonl"], "no such file"),
    ],
)
def test_wrong_usage_is_said_in_one_line(cli, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = cli("documents", "fetch", *arguments, "--out", "docs.jsonl")
    assert result.exit_code == 2 and message in result.stderr


def test_the_labels_are_not_overwritten(cli, tmp_path):
    labels = tmp_path / "labels.jsonl"
    labels.write_text("labels")
    result = cli("documents", "fetch", "--labels", labels, "--out", labels)
    assert result.exit_code == 2 and "which this command reads" in result.stderr
    assert labels.read_text() == "labels"


def test_the_shipped_labels_join_exactly_to_the_labelled_texts(shared_data, tmp_path, fetch, cli):
    """All 3,523 texts as PubMed XML: every document comes back as it was labelled."""
    from xml.sax.saxutils import escape

    from tests.documents.curated.test_shipped import LABELS

    source = json.loads((shared_data / "field" / "labelled.json").read_text("utf-8"))
    articles = [
        article_xml(str(number), escape(r["ArticleTitle"]), escape(r["AbstractText"]), escape(r["doi"]))
        for number, r in enumerate(source.values(), 90_000_000)
    ]
    (tmp_path / "all.xml").write_bytes(article_set(*articles))
    result = cli("documents", "fetch", "--labels", LABELS, "--xml", tmp_path / "all.xml", "--out", fetch.out)
    assert result.exit_code == 0
    documents = documents_of(fetch)
    assert set(documents) == set(source)
    exact = sum(document.extra["text_match"] == "exact" for document in documents.values())
    assert exact > 0.99 * len(source)  # a few texts hold escaped markup, which reading PubMed XML removes
    for id, document in documents.items():
        assert len(document.relations) == len(source[id]["relations"])
