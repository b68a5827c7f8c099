"""Records with other names of fields, and without ids, become documents; what was assumed is told."""

import json

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_documents
from abroad.core.record_fields import ABSTRACT, ID, PMID, TITLE, DocumentMaker, find_field, read_doi, read_pmid


@pytest.mark.parametrize(
    ("record", "title", "abstract"),
    [
        ({"title": "T", "abstract": "A"}, "T", "A"),
        ({"title": "T", "text": "A"}, "T", "A"),
        ({"text": "A"}, "", "A"),
        ({"Title": "T", "abstractText": "A"}, "T", "A"),
        ({"TI": "T", "AB": "A"}, "T", "A"),
        ({"title": ["T", "U"], "abstract": None}, "T U", ""),
        ({"title": "T", "abstract": float("nan")}, "T", ""),
        ({"ArticleTitle": "T", "abstract": "A"}, "T", "A"),
        ({"ArticleTitle": "T", "AbstractText": "A", "text": "other"}, "T", "A"),
        ({"title": "T", "abstract": "A", "text": "other"}, "T", "A"),
    ],
)
def test_titles_and_abstracts_go_by_many_names(record, title, abstract):
    document = DocumentMaker("docs")({"id": "1", **record})
    assert (document.id, document.title, document.abstract) == ("1", title, abstract)


@pytest.mark.parametrize(
    ("record", "id", "pmid", "doi"),
    [
        ({"pmid": 25706243}, "25706243", "25706243", None),
        ({"PMID": "25706243", "DOI": "https://doi.org/10.1/x"}, "25706243", "25706243", None),
        ({"PubMed ID": "25706243.0", "DOI": "10.1021/np5"}, "25706243", "25706243", "10.1021/np5"),
        ({"DOI": "doi:10.1021/np5"}, "10.1021/np5", None, "10.1021/np5"),
        ({"doc_id": 7}, "7", None, None),
        ({"id": None}, "docs-1", None, None),
        ({"id": "  "}, "docs-1", None, None),
        ({}, "docs-1", None, None),
    ],
)
def test_a_record_without_an_id_goes_by_what_it_has(record, id, pmid, doi):
    document = DocumentMaker("docs")({"text": "A", **record})
    assert (document.id, document.pmid) == (id, pmid)
    assert doi is None or document.doi == doi


def test_numbers_count_all_records_and_are_told(tmp_path):
    path = tmp_path / "docs.jsonl"
    records = [{"text": "one"}, {"nothing": 1}, {"title": "three"}, {"id": "x", "ArticleTitle": "four"}]
    path.write_text("\n".join(map(json.dumps, records)))
    context = Context()
    assert [document.id for document in read_documents(path, context)] == ["docs-1", "docs-3", "x"]
    assert context.rejects.notes == [
        f"{path}: 1 record(s): abstract read from the field 'text'",
        f"{path}: 1 record(s): title read from the field 'title'",
        f"{path}: 2 record(s) without an id are numbered: docs-1, docs-3",
    ]
    assert [item["where"] for item in context.rejects.items] == [f"{path}:2"]


def test_our_own_documents_need_no_word(tmp_path):
    make = DocumentMaker("docs")
    make({"id": "1", "PMID": None, "ArticleTitle": "T", "AbstractText": "", "doi": None, "relations": []})
    assert make.notes() == []


@pytest.mark.parametrize("record", [5, None, "text", {"id": "1"}, {"title": {"a": 1}}, {"text": "  "}, {"doi": []}])
def test_what_is_no_document_is_an_input_error(record):
    with pytest.raises(InputError):
        DocumentMaker("docs")(record)


def test_names_of_fields():
    header = ["PMID", "Title", "Authors", "Citation", "Journal/Book", "PMCID", "NIHMS ID", "DOI"]
    found = [find_field(field, header) for field in (TITLE, ABSTRACT, PMID, ID)]
    assert found == ["Title", None, "PMID", None]
    assert find_field(ABSTRACT, ["text", "Abstract Note"]) == "Abstract Note"


def test_identifiers():
    assert [read_pmid(v) for v in ("1", 1, 1.0, "PMID: 012", "x1", "", None, "0", "123456789", [1])] == [
        *("1", "1", "1", "12"),
        *(None,) * 6,
    ]
    assert [read_doi(v) for v in ("10.1021/a", "https://dx.doi.org/10.1021/a", "doi: 10.1021/a", "11.1/a", None)] == [
        *("10.1021/a",) * 3,
        *(None,) * 2,
    ]


@pytest.mark.parametrize("name", ["year", "Publication Year", "PubYear", "PY", "pub_date", "Published"])
@pytest.mark.parametrize("value", [2019, "2019", "2019 Mar 1", "03/2019", "2019-03-01"])
def test_the_year_of_a_record_is_read_from_whatever_it_stands_in(name, value):
    assert DocumentMaker("d")({"title": "T", name: value}).extra["year"] == 2019


@pytest.mark.parametrize("value", ["", "in press", None, [2019], "12345678"])
def test_what_is_no_year_is_none(value):
    assert DocumentMaker("d")({"title": "T", "PubDate": value}).extra.get("year") is None


@pytest.mark.parametrize("address", ["https://doi.org/", "http://dx.doi.org/", "doi:", ""])
def test_a_doi_is_kept_without_its_address(address):
    document = DocumentMaker("d")({"title": "T", "doi": f"{address}10.1234/x"})
    assert (document.doi, document.id) == ("10.1234/x", "10.1234/x")


@pytest.mark.parametrize(
    "typed",
    [
        *("PMID: 123", "https://pubmed.ncbi.nlm.nih.gov/123/", "pubmed.ncbi.nlm.nih.gov/123"),
        *("https://www.ncbi.nlm.nih.gov/pubmed/123", "http://ncbi.nlm.nih.gov/pubmed/0123/"),
    ],
)
@pytest.mark.parametrize("name", ["PMID", "pmid", "PubMed ID"])
def test_a_pmid_may_be_given_as_an_address(typed, name):
    assert read_pmid(typed) == "123"
    record = {name: typed, "AbstractText": "Usnic acid was isolated from Usnea barbata."}
    assert DocumentMaker("docs")({"id": "1", **record}).pmid == "123"
