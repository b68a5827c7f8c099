"""The sample in data/sample is what data/README.md says, and passes through the first stages."""

import csv
import re
from collections import defaultdict
from pathlib import Path

import pytest

from abroad.core.context import Context
from abroad.core.io import read_documents
from abroad.documents.fetch import fetch_documents
from abroad.sources.lotus import NO_KINGDOM, prepare
from abroad.sources.pubmed import read_xml
from abroad.sources.references import read_references
from abroad.text.evidence import find_evidence
from abroad.text.expand import expand_lists, expand_shared_heads

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
CURATED = ("curated.jsonl", "curated_valid.jsonl")
NO_ABSTRACT = "99000023"


@pytest.fixture(scope="module")
def relations(tmp_path_factory):
    """The relations table of the sample, and the report on it."""
    path = tmp_path_factory.mktemp("sample") / "relations.tsv"
    return path, prepare(SAMPLE / "lotus_metadata.csv", SAMPLE / "doi2pmid.tsv", path)


@pytest.fixture(scope="module")
def fetched(relations):
    """The documents made from pubmed.xml, the report on them and what was set aside."""
    table, _ = relations
    context = Context()
    references, related = read_references(table, table, context)
    out = table.with_name("documents.jsonl")
    report = fetch_documents(references, related, out, context, [SAMPLE / "pubmed.xml"])
    return read_documents(out, context), report, context


def curated():
    return [document for name in CURATED for document in read_documents(SAMPLE / name)]


def lotus_rows():
    with (SAMPLE / "lotus_metadata.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_each_filter_of_prepare_drops_what_was_planted_for_it(relations):
    _, report = relations
    assert [loss.rows_before for loss in report.losses] == [96, 94, 92, 70]
    assert (report.rows, report.references, len(report.rejects)) == (69, 23, 0)


def test_an_empty_or_missing_kingdom_is_written_out(relations):
    table, _ = relations
    with table.open(encoding="utf-8", newline="") as stream:
        kingdoms = {
            row["organism_name"]: row["organism_taxonomy_02kingdom"] for row in csv.DictReader(stream, delimiter="\t")
        }
    assert kingdoms["Streptomyces limicola"] == kingdoms["Sorangium pratense"] == NO_KINGDOM
    assert set(kingdoms.values()) == {NO_KINGDOM, "Fungi", "Archaeplastida", "Metazoa"}


def test_all_references_become_documents_the_one_without_an_abstract_too(fetched):
    documents, report, context = fetched
    assert (report.documents, report.related, report.without_abstract) == (23, 23, [NO_ABSTRACT])
    assert not context.rejects
    assert all(document.relations for document in documents)
    assert [document.id for document in documents if not document.abstract] == [NO_ABSTRACT]


def test_markup_and_labels_of_the_xml_end_up_as_plain_text(fetched):
    text = {document.id: document.text for document in fetched[0]}
    assert (
        "MIC of 2 mg L-1" in text["99000003"] and "RESULTS: The strain, identified as Streptomyces" in text["99000003"]
    )
    assert text["99000013"].startswith("β-Carboline") and "30 μmol L-1" in text["99000013"]
    assert not re.search(r"[<>]|&\w+;", "".join(text.values()))


def test_most_lotus_labels_stand_in_the_fetched_texts(fetched):
    pairs = [(document, *pair) for document in fetched[0] if document.abstract for pair in document.label_pairs()]
    stated = [pair for pair in pairs if {e.role for e in find_evidence(*pair)} == {"organism", "chemical"}]
    assert len(stated) == len(pairs) == 67


@pytest.mark.parametrize(("name", "count", "relations_"), [("curated.jsonl", 16, 52), ("curated_valid.jsonl", 6, 13)])
def test_curated_documents_are_read_without_rejects(name, count, relations_):
    context = Context()
    documents = read_documents(SAMPLE / name, context)
    assert (len(documents), len(context.rejects)) == (count, 0)
    assert sum(len(document.relations) for document in documents) == relations_
    assert sum(not document.relations for document in documents) == 1
    assert {entity.extra["type"] for d in documents for entity in d.chemicals} <= {"chemical", "class"}


@pytest.mark.parametrize("document", curated(), ids=lambda document: document.id)
def test_curated_relations_follow_from_their_texts(document):
    for organism, chemical in document.label_pairs():
        roles = {evidence.role for evidence in find_evidence(document, organism, chemical)}
        assert roles == {"organism", "chemical"}, (organism, chemical)
    used = {entity.id for pair in document.related_entities() for entity in pair}
    assert used == {entity.id for entity in (*document.organisms, *document.chemicals)}


@pytest.mark.parametrize("document", curated(), ids=lambda document: document.id)
def test_a_curated_list_is_there_whole_or_not_at_all(document):
    gold = {entity.label.lower() for entity in document.chemicals}
    for expansion in (*expand_lists(document.text), *expand_shared_heads(document.text)):
        labels = {label.lower() for label in expansion.labels}
        assert labels <= gold or not labels & gold, expansion.labels


def test_the_curated_documents_have_labels_of_every_kind():
    rules = defaultdict(int)
    for document in curated():
        for pair in document.label_pairs():
            for evidence in {e.role: e for e in find_evidence(document, *pair)}.values():
                rules[evidence.rule] += 1
    assert {"verbatim", "genus", "list", "range", "shared head"} <= set(rules)
    assert any(entity.extra["type"] == "class" for d in curated() for entity in d.chemicals)


def test_no_document_organism_or_text_is_in_two_parts(fetched):
    parts = [fetched[0], *(read_documents(SAMPLE / name) for name in CURATED)]
    for value in (
        lambda d: [d.id],
        lambda d: [d.abstract],
        lambda d: [d.doi],
        lambda d: [o.label for o in d.organisms],
    ):
        seen = [{item for document in part for item in value(document)} for part in parts]
        assert len(set.union(*seen)) == sum(map(len, seen))


def test_an_identifier_means_one_thing_in_all_files():
    names = defaultdict(set)
    ids = defaultdict(set)
    for row in lotus_rows():
        for kind, name in (("structure", "structure_nameTraditional"), ("organism", "organism_name")):
            id = row[f"{kind}_wikidata"].rpartition("/")[2]
            names[id].add(row[name].lower())
            ids[row[name].lower()].add(id)
        names[row["reference_doi"]].add(row["reference_wikidata"])
    for document in curated():
        for entity in (*document.organisms, *document.chemicals):
            names[entity.id].add(entity.label.lower())
            ids[entity.label.lower()].add(entity.id)
    assert {key: value for key, value in (names | ids).items() if len(value) > 1} == {}


def test_identifiers_are_placeholders():
    records = list(read_xml([SAMPLE / "pubmed.xml"], Context()))
    documents = curated()
    pmids = [record.pmid for record in records] + [document.pmid for document in documents]
    dois = [record.doi for record in records] + [document.doi for document in documents]
    assert all(re.fullmatch(r"9900[0-2]0\d\d", pmid) for pmid in pmids)
    assert all(doi.startswith("10.5555/abroad.sample.") for doi in dois)
    assert all(document.id == document.pmid for document in documents)
    columns = ("structure_wikidata", "organism_wikidata", "reference_wikidata")
    items = [row[column] for row in lotus_rows() for column in columns]
    assert all(re.fullmatch(r"http://www\.wikidata\.org/entity/Q99[123]\d{5}", item) for item in items)


def test_abstracts_have_the_length_of_abstracts(fetched):
    for document in (*(document for document in fetched[0] if document.id != NO_ABSTRACT), *curated()):
        assert 80 <= len(document.abstract.split()) <= 180, document.id
