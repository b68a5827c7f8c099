"""PubTator3 annotations from a local server that answers with BioC JSON as its API does."""

import json

import pytest
from werkzeug import Request, Response

from abroad.core.io import Rejects, read_documents, write_documents
from abroad.core.schema import Document
from abroad.sources.http import HttpSettings
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
    cache = tmp_path / "cache.jsonl"
    assert fetch_bioc(["11", "404"], cache, settings(pubtator)) == {"11": bioc(), "404": {}}
    assert list(fetch_bioc(["12", "11"], cache, settings(pubtator))) == ["11", "12"]
    assert pubtator.asked == [["11", "404"], ["12"]]


@pytest.mark.parametrize("shift", [0, 7, -5])
def test_offsets_point_at_the_words_in_our_text(shift):
    marks = annotate(DOCUMENT, bioc(shift=shift), Rejects()).extra["annotations"]
    assert [(mark["text"], mark["type"], mark["identifier"]) for mark in marks] == [
        ("Rutin", "Chemical", "MESH:D012431"),
        ("Escherichia coli", "Species", "562"),
    ]
    assert all(DOCUMENT.text[mark["start"] : mark["end"]] == mark["text"] for mark in marks)


def test_a_mention_that_our_text_lacks_is_set_aside():
    rejects = Rejects()
    other = Document("d1", "Another title", "Another abstract.", pmid="11")
    assert annotate(other, bioc(), rejects).extra["annotations"] == [] and len(rejects) == 2


def test_the_command_marks_documents_and_keeps_names_out_of_keywords(cli, pubtator, tmp_path):
    write_documents(tmp_path / "d.jsonl", [DOCUMENT, Document("d2", "T", "No PMID.")])
    url = pubtator.url_for("").rstrip("/")
    result = cli("documents", "annotate", tmp_path / "d.jsonl", "--out", tmp_path / "a.jsonl", "--base-url", url)
    assert result.exit_code == 0 and "2 annotations of 2 documents" in result.stderr and "no PMID" in result.stderr
    marked = read_documents(tmp_path / "a.jsonl")
    assert {"escherichia", "coli", "rutin"} <= name_words(marked[0])
