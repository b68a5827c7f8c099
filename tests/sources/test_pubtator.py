"""PubTator3 annotations from a local server that answers with BioC JSON as its API does."""

import json

import pytest
from werkzeug import Request, Response

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.core.http import HttpSettings
from abroad.core.io import read_documents, write_documents
from abroad.core.schema import Document
from abroad.sources.kept import KeptAnswers
from abroad.sources.pubtator import annotate, fetch_bioc
from abroad.synthesis.prompts.keywords import name_words

TITLE, ABSTRACT = "Rutin from Ruta graveolens", "Rutin was tested on Escherichia coli."
DOCUMENT = Document("d1", TITLE, ABSTRACT, pmid="11")


def mention(text, start, type, identifier):
    infons = {"type": type, "identifier": identifier, "valid": True}
    return {"id": "1", "infons": infons, "text": text, "locations": [{"offset": start, "length": len(text)}]}


def bioc(pmid="11", shift=0):
    ecoli = len(TITLE) + 1 + ABSTRACT.index("Escherichia") + shift
    return {
        "_id": f"{pmid}|None",
        "id": pmid,
        "pmid": int(pmid),
        "passages": [
            {
                "infons": {"type": "title"},
                "offset": 0,
                "text": TITLE,
                "annotations": [mention("Rutin", 0, "Chemical", "MESH:D012431")],
            },
            {
                "infons": {"type": "abstract"},
                "offset": len(TITLE) + 1,
                "text": ABSTRACT,
                "annotations": [mention("Escherichia coli", ecoli, "Species", "562")],
            },
        ],
    }


@pytest.fixture
def pubtator(httpserver):
    httpserver.asked = []

    def answer(request: Request) -> Response:
        pmids = request.args["pmids"].split(",")
        httpserver.asked.append(pmids)
        return Response(json.dumps({"PubTator3": [bioc(pmid) for pmid in pmids if pmid != "404"]}))

    httpserver.expect_request("/publications/export/biocjson").respond_with_handler(answer)
    return httpserver


def settings(server):
    return HttpSettings(base_url=server.url_for("").rstrip("/"), rate=1000, first_wait=0.01)


def test_answers_are_asked_for_once(pubtator, tmp_path):
    kept = KeptAnswers("PubTator3")
    assert fetch_bioc(["11", "404"], kept, settings(pubtator)) == {"11": bioc()}
    assert list(fetch_bioc(["12", "11"], kept, settings(pubtator))) == ["12", "11"]
    assert pubtator.asked == [["11", "404"], ["12"]]


def test_that_there_is_no_such_article_is_never_kept(pubtator):
    for _ in range(2):
        assert fetch_bioc(["404"], KeptAnswers("PubTator3"), settings(pubtator)) == {}
    assert pubtator.asked == [["404"]] * 2


def strict(httpserver, known):
    """A PubTator3 that answers 404 to any request of a PMID that it does not know."""
    httpserver.asked = []

    def answer(request: Request) -> Response:
        pmids = request.args["pmids"].split(",")
        httpserver.asked.append(pmids)
        if not known.issuperset(pmids):
            return Response('{"detail": "Not Found"}', status=404)
        return Response(json.dumps({"PubTator3": [bioc(pmid) for pmid in pmids]}))

    httpserver.expect_request("/publications/export/biocjson").respond_with_handler(answer)


@pytest.mark.parametrize("unknown", ["15", "18", "15 16", "13 18"])
def test_a_404_costs_the_pmids_that_are_unknown_and_no_other(httpserver, unknown):
    pmids = [str(number) for number in range(11, 19)]
    known = set(pmids) - set(unknown.split())
    strict(httpserver, known)
    assert set(fetch_bioc(pmids, KeptAnswers("PubTator3"), settings(httpserver))) == known
    strict(httpserver, set(pmids))
    fetch_bioc(pmids, KeptAnswers("PubTator3"), settings(httpserver))
    assert {pmid for asked in httpserver.asked for pmid in asked} <= set(pmids) - known


def test_nothing_but_404_is_told_as_a_wrong_address_after_few_requests(httpserver):
    strict(httpserver, set())
    with pytest.raises(AbroadError, match="404"):
        fetch_bioc([str(number) for number in range(1, 101)], KeptAnswers("PubTator3"), settings(httpserver))
    assert len(httpserver.asked) <= 8


@pytest.mark.parametrize("shift", [0, 7, -5])
def test_offsets_point_at_the_words_in_our_text(shift):
    marks = annotate(DOCUMENT, bioc(shift=shift), Context()).extra["annotations"]
    assert [(mark["text"], mark["type"], mark["identifier"]) for mark in marks] == [
        ("Rutin", "Chemical", "MESH:D012431"),
        ("Escherichia coli", "Species", "562"),
    ]
    assert all(DOCUMENT.text[mark["start"] : mark["end"]] == mark["text"] for mark in marks)


def test_a_mention_that_our_text_lacks_is_set_aside():
    context = Context()
    other = Document("d1", "Another title", "Another abstract.", pmid="11")
    assert annotate(other, bioc(), context).extra["annotations"] == [] and len(context.rejects) == 2


def test_the_command_marks_documents_and_keeps_names_out_of_keywords(cli, pubtator, tmp_path):
    write_documents(tmp_path / "d.jsonl", [DOCUMENT, Document("d2", "T", "No PMID.")])
    url = pubtator.url_for("").rstrip("/")
    result = cli("documents", "annotate", tmp_path / "d.jsonl", "--out", tmp_path / "a.jsonl", "--base-url", url)
    assert result.exit_code == 0 and "2 annotations of 2 documents" in result.stderr and "no PMID" in result.stderr
    marked = read_documents(tmp_path / "a.jsonl")
    assert {"escherichia", "coli", "rutin"} <= name_words(marked[0])
