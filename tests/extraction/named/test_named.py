"""Relations of names alone: those in one sentence, whole strains; and what a field must have for it."""

import json

import pytest

import abroad
from abroad.core.errors import InputError
from abroad.core.field_file import NewField, new_field
from abroad.core.schema import Document

TEXT = (
    "Pseudomonas putida strain F1 grows on toluene. Benzene is not degraded by F1. "
    "Rhodococcus ruber C208 was found. Phenol was lost."
)


@pytest.fixture
def field(tmp_path):
    text = new_field(NewField(name="biodegradation", head="bacterium", tail="pollutant", verb="degrades"))
    text = text.replace("names: none", "names: taxonomy", 1).replace("strains: false", "strains: true", 1)
    (tmp_path / "field.yaml").write_text(text.replace("names: none", "names: {kind: table, file: pollutants.txt}"))
    (tmp_path / "pollutants.txt").write_text("toluene\tCHEBI:17578\nbenzene\nphenol\n")
    return tmp_path / "field.yaml"


def pairs(prediction):
    return [(relation.head, relation.tail, relation.score) for relation in prediction.relations]


def test_names_of_one_sentence_are_related_and_a_strain_is_one_thing(field):
    [prediction] = abroad.load_extractor(field).extract([Document.from_text("Soil.", TEXT)])
    strain = "Pseudomonas putida strain F1"
    assert pairs(prediction) == [(strain, "toluene", None), (strain, "Benzene", None)]
    relation = prediction.relations[0]
    assert (relation.type, relation.head_type, relation.tail_type) == ("degrades", "bacterium", "pollutant")
    assert relation.tail_id == "CHEBI:17578"
    assert [e.text for e in relation.evidence] == [strain, "F1", "toluene"]


def test_names_of_one_document_are_related_where_it_is_asked_for(field):
    [prediction] = abroad.load_extractor(field, within="document").extract([Document.from_text("Soil.", TEXT)])
    assert len(prediction.relations) == 6


def test_a_field_without_names_of_a_type_says_which(field, cli):
    field.write_text(field.read_text().replace("names: taxonomy", "names: none"))
    with pytest.raises(InputError, match="no names of bacterium to look for"):
        abroad.load_extractor(field)
    with pytest.raises(InputError, match="expected the file of a field"):
        abroad.load_extractor("names")
    (field.parent / "docs.jsonl").write_text(json.dumps({"id": "1", "ArticleTitle": "T", "AbstractText": TEXT}))
    result = cli("extract", field.parent / "docs.jsonl", "--model", field, "--out", field.parent / "p.jsonl")
    assert result.exit_code == 2 and "no names of bacterium" in result.stderr


@pytest.mark.parametrize("ranges", [False, True], ids=["as written", "expanded"])
def test_a_list_of_names_is_its_members_where_the_field_says_so(field, ranges):
    (field.parent / "pollutants.txt").write_text("examplins A-C\n")
    text = field.read_text()
    assert text.count("ranges: false") == 2
    if ranges:
        field.write_text(text.replace("ranges: false", "ranges: true"))
    [prediction] = abroad.load_extractor(field).extract([Document.from_text("Soil.", "F1 lost Examplins A-C.")])
    assert not prediction.relations
    own = Document.from_text("Soil.", "Pseudomonas putida lost Examplins A-C.")
    [prediction] = abroad.load_extractor(field).extract([own])
    names = [f"Examplin {letter}" for letter in "ABC"] if ranges else ["Examplins A-C"]
    assert [relation.tail for relation in prediction.relations] == names
    assert {e.text for r in prediction.relations for e in r.evidence if e.role == "tail"} == {"Examplins A-C"}
