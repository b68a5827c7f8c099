"""Identifiers, what LOTUS knows, and QuickStatements."""

import json

import pytest

from abroad.core.context import Context
from abroad.core.schema import Document, Prediction, Relation
from abroad.linking import opsin
from abroad.linking.link import Linker
from abroad.linking.quickstatements import write_quickstatements
from abroad.sources.name_index import NameIndex
from abroad.sources.name_index_build import build_index
from tests.sources.test_name_index import HEADER, KEY_A, KEY_B, row


@pytest.fixture
def index(tmp_path) -> NameIndex:
    rows = [
        row("Q1", KEY_A, "11", "Usnic acid", "", "Q10", "Usnea barbata", "Q100", "10.1/A"),
        row("Q2", KEY_B, "12", "Saxitoxin", "", "Q11", "Alexandrium tamarense", "Q101", "10.1/B"),
    ]
    (tmp_path / "lotus.csv").write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    build_index(tmp_path / "lotus.csv", tmp_path / "index.sqlite", Context())
    return NameIndex(tmp_path / "index.sqlite")


def link(index, relation, document=None, opsin=False):
    document = document or Document("d", "", "text", pmid="7", doi="10.1/X")
    (prediction,) = Linker(index, opsin=opsin).link([document], [Prediction("d", [Relation(*relation)])])
    return prediction.relations[0]


def test_organisms_get_ncbi_taxa_without_any_index():
    relation = link(None, ("Usnea barbata", "usnic acid"))
    assert relation.organism_id.startswith("NCBITaxon:") and relation.status is None


@pytest.mark.parametrize(
    ("organism", "chemical", "doi", "status"),
    [
        ("Usnea barbata", "usnic acid", "10.1/X", "known"),
        ("Alexandrium tamarense", "usnic acid", "10.1/X", "new"),
        ("Alexandrium tamarense", "usnic acid", "10.1/a", "disputed"),  # LOTUS has it of Usnea from this paper
        ("Usnea barbata", "unheard-of acid", "10.1/a", "not linked"),
        ("Ruta fictiva", "usnic acid", "10.1/X", "not linked"),  # what LOTUS has of it, by which name, nobody can tell
    ],
)
def test_a_relation_is_known_new_disputed_or_not_linked(index, organism, chemical, doi, status):
    assert link(index, (organism, chemical), Document("d", "", "x", doi=doi)).status == status


def test_an_abbreviation_that_the_text_defines_is_looked_up_in_full(index):
    document = Document("d", "", "The toxin saxitoxin (STX) was found; STX is toxic.")
    assert link(index, ("Alexandrium tamarense", "STX"), document).chemical_id == "wikidata:Q2"
    assert link(index, ("Alexandrium tamarense", "STX")).chemical_id is None


@pytest.mark.skipif(not opsin.available(), reason="needs Java and py2opsin")
def test_systematic_names_get_an_inchikey_from_opsin(index):
    relation = link(index, ("Usnea barbata", "2,6-dimethoxybenzoic acid"), opsin=True)
    assert relation.chemical_id == "inchikey:MBIZFBDREVRUHY-UHFFFAOYSA-N"


def test_without_opsin_names_stay_without_structure(monkeypatch):
    monkeypatch.setattr(opsin.shutil, "which", lambda name: None)
    assert opsin.inchikeys(["2,6-dimethoxybenzoic acid"]) == {}


def test_quickstatements_hold_what_wikidata_lacks_and_can_hold(index, tmp_path):
    documents = [
        Document("1", "", "x", pmid="7", doi="10.1/A"),
        Document("2", "", "x", pmid="8"),
        Document("3", "", "x"),
    ]
    relations = [
        Relation("Alexandrium tamarense", "usnic acid", tail_id="wikidata:Q1", status="new"),
        Relation("Usnea barbata", "usnic acid", tail_id="wikidata:Q1", status="known"),
        Relation("Usnea barbata", "mystery", tail_id=None, status="new"),
    ]
    predictions = [Prediction(document.id, relations) for document in documents]
    report = write_quickstatements(tmp_path / "qs.txt", [(documents, predictions)], index)
    assert (tmp_path / "qs.txt").read_text().splitlines() == ["Q1\tP703\tQ11\tS248\tQ100", 'Q1\tP703\tQ11\tS698\t"8"']
    assert (report.written, report.known, report.without_item, report.without_reference) == (2, 3, 3, 1)


@pytest.mark.parametrize("table", ["lotus", "plain"])
@pytest.mark.parametrize(
    ("pmid", "status", "source"),
    [("0501", "disputed", ""), ("502", "new", "S248\tQ101"), ("503", "new", 'S698\t"503"')],
)
def test_a_publication_is_known_by_its_pmid_too(tmp_path, index, table, pmid, status, source):
    if table == "lotus":
        index.close()
        pmids = {"10.1/a": "501", "10.1/b": "502", "10.1/unheard": "503"}
        build_index(tmp_path / "lotus.csv", tmp_path / "index.sqlite", Context(), pmids=pmids)
    else:
        rows = [
            "compound,organism,doi,pmid,wikidata,organism wikidata",
            "Usnic acid,Usnea barbata,10.1000/a,501,Q1,Q10",
            "Saxitoxin,Alexandrium tamarense,10.1000/b,502,Q2,Q11",
        ]
        (tmp_path / "plain.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        build_index(tmp_path / "plain.csv", tmp_path / "index.sqlite", Context())
        source = source.replace("S248\tQ101", 'S698\t"502"')  # it has no items of publications
    index = NameIndex(tmp_path / "index.sqlite")
    document = Document("d", "", "text", pmid=pmid)
    relation = link(index, ("Alexandrium tamarense", "usnic acid"), document)
    assert relation.status == status
    write_quickstatements(tmp_path / "qs.txt", [([document], [Prediction("d", [relation])])], index)
    assert (tmp_path / "qs.txt").read_text() == (f"Q1\tP703\tQ11\t{source}\n" if source else "")


def test_a_disputed_relation_is_held_back_for_a_curator(index, tmp_path):
    """That LOTUS has the chemical of another organism from this very paper is a question, and no statement."""
    document = Document("1", "", "x", pmid="7", doi="10.1/A")
    relation = Relation("Alexandrium tamarense", "usnic acid", tail_id="wikidata:Q1", status="disputed")
    report = write_quickstatements(tmp_path / "qs.txt", [([document], [Prediction("1", [relation])])], index)
    assert (tmp_path / "qs.txt").read_text() == "" and (report.written, report.disputed) == (0, 1)


def test_isomers_of_what_the_index_has_get_no_item_and_make_no_statement(cli, shared_cases, tmp_path):
    index, out, statements = tmp_path / "lotus.sqlite", tmp_path / "out.jsonl", tmp_path / "qs.txt"
    made = cli(
        *("lotus", "prepare", shared_cases / "lotus_small.csv", "--doi2pmid", shared_cases / "lotus_small_map.tsv"),
        *("--out", tmp_path / "r.tsv", "--index", index),
    )
    assert made.exit_code == 0, made.output
    case = shared_cases / "c03_primes.jsonl"
    done = cli("extract", case, "--out", out, "--index", index, "--quickstatements", statements)
    assert done.exit_code == 0, done.output
    assert statements.read_text().splitlines() == ['Q1001\tP703\tQ9003\tS698\t"4005"']
    done = cli("extract", shared_cases / "c13_minus_sign.jsonl", "--out", out, "--index", index, "--force")
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(r["chemical_id"], r["status"]) for record in records for r in record["relations"]] == [
        ("wikidata:Q1003", "known")
    ] * 2


def test_relations_of_other_fields_stay_as_they_are(index):
    binding = Relation("HNF-6", "MODY1", head_id="ncbigene:3175", type="binds", head_type="gene", tail_type="gene")
    product = Relation("Usnea barbata", "usnic acid")
    (found,) = Linker(index, opsin=False).link([], [Prediction("1", [binding, product])])
    assert found.relations[0] == binding and found.relations[1].organism_id is not None
