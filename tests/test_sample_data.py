"""The sample in data/sample is what data/README.md says, and passes through the first stages."""

from pathlib import Path

import pytest

from abroad.documents import fetch_documents
from abroad.io import Rejects, read_documents
from abroad.sources.lotus import prepare
from abroad.sources.references import read_references
from abroad.synthesis.select import coverage

SAMPLE = Path(__file__).parents[1] / "data" / "sample"


def test_every_filter_of_prepare_has_something_to_drop(tmp_path):
    report = prepare(SAMPLE / "lotus_metadata.csv", SAMPLE / "doi2pmid.tsv", tmp_path / "relations.tsv")
    assert all(loss.rows_after < loss.rows_before for loss in report.losses)
    assert (report.losses[0].rows_before, report.rows, report.references) == (81, 54, 19)
    assert len(report.rejects) == 0


def test_the_references_become_documents_and_one_has_no_abstract(tmp_path):
    relations = tmp_path / "relations.tsv"
    prepare(SAMPLE / "lotus_metadata.csv", SAMPLE / "doi2pmid.tsv", relations)
    rejects = Rejects()
    references, related = read_references(relations, relations, rejects)
    report = fetch_documents(references, related, tmp_path / "docs.jsonl", rejects, [SAMPLE / "pubmed.xml"])
    assert (report.documents, report.related, report.without_abstract) == (18, 18, ["99000023"])
    documents = {document.id: document for document in read_documents(tmp_path / "docs.jsonl", Rejects())}
    assert "MIC of 2 mg L-1" in documents["99000003"].abstract
    assert "<" not in "".join(document.text for document in documents.values())


@pytest.mark.parametrize(("name", "count", "empty"), [("curated.jsonl", 16, 1), ("curated_valid.jsonl", 6, 1)])
def test_curated_relations_follow_from_their_texts(name, count, empty):
    rejects = Rejects()
    documents = read_documents(SAMPLE / name, rejects)
    assert (len(documents), len(rejects), sum(not d.relations for d in documents)) == (count, 0, empty)
    for document in documents:
        _, missing = coverage(document)
        # What is not there verbatim stands in a list or range: its stem is there as a plural.
        assert all(label.rpartition(" ")[0].lower() + "s" in document.text.lower() for label in missing), document.id


def test_no_document_is_in_two_parts():
    parts = [read_documents(SAMPLE / name, Rejects()) for name in ("curated.jsonl", "curated_valid.jsonl")]
    ids = [document.id for part in parts for document in part]
    assert len(ids) == len(set(ids))
