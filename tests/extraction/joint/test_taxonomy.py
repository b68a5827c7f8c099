"""`linking: [taxonomy]` of a type: every extractor of the field gives NCBI Taxonomy's identifiers, whoever calls it."""

import json

import pytest
import spacy

import abroad
import abroad.extraction.spacy_component  # registers it, as the entry point does
from abroad.core.field import load_field
from abroad.core.field_file import NewField, new_field
from abroad.core.io import write_documents
from abroad.core.linearise import ParsedRelations
from abroad.core.schema import Document, Entity, Triple
from abroad.extraction.generative.notation import Notation
from abroad.extraction.joint.fit import train_joint
from abroad.extraction.joint.from_documents import annotated, schema_of
from abroad.extraction.joint.settings import JointTrainSettings

SPECIES = {
    "Escherichia coli": "NCBITaxon:562",
    "Bacillus subtilis": "NCBITaxon:1423",
    "Pseudomonas putida": "NCBITaxon:303",
    "Rhodococcus ruber": "NCBITaxon:1830",
}
DYES = ("toluene", "benzene", "phenol", "pyrene")
TEXT = "Soil was sampled. Escherichia coli degrades toluene in soil."


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    folder = tmp_path_factory.mktemp("taxonomy")
    text = new_field(NewField(name="biodegradation", head="bacterium", tail="pollutant", verb="degrades"))
    text = text.replace("names: none", "names: taxonomy", 1).replace("linking: []", "linking: [taxonomy]", 1)
    (folder / "field.yaml").write_text(text.replace("names: none", "names: {kind: table, file: dyes.txt}"))
    (folder / "dyes.txt").write_text("\n".join(DYES))
    return folder / "field.yaml"


def documents():
    for number in range(24):
        names = list(SPECIES)
        one, other = names[number % 4], names[(number + 1 + number // 4 % 3) % 4]
        dye, free = DYES[number % 4], DYES[(number + 1 + number // 8) % 4]
        text = f"{one} degrades {dye} in soil. {other} was seen without {free}."
        entities = [Entity(f"b{n}", name, type="bacterium") for n, name in enumerate((one, other))]
        entities += [Entity(f"p{n}", name, type="pollutant") for n, name in enumerate((dye, free))]
        yield Document(str(number), "", text, entities=entities, relations=[Triple("b0", "degrades", "p0")])


@pytest.fixture(scope="module")
def models(field):
    """Of each kind of extractor of a field, its path."""
    trained = train_joint(
        schema_of(load_field(field)), [annotated(d) for d in documents()], JointTrainSettings(folds=2)
    )
    trained[0].save(field.parent / "trained")
    return {"trained": field.parent / "trained", "names": field}


@pytest.mark.parametrize("kind", ["trained", "names"])
def test_names_get_the_identifiers_of_the_taxonomy_wherever_they_are_extracted(models, kind, cli, tmp_path):
    model = models[kind]
    ids = {(r.head, r.head_id, r.tail, r.tail_id) for r in abroad.extract(TEXT, extractor=model)}
    assert ids == {("Escherichia coli", "NCBITaxon:562", "toluene", None)}
    write_documents(tmp_path / "d.jsonl", [Document("1", "", TEXT)])
    done = cli("extract", tmp_path / "d.jsonl", "--model", model, "--out", tmp_path / "p.jsonl")
    assert done.exit_code == 0, done.stderr
    [said] = json.loads((tmp_path / "p.jsonl").read_text())["relations"]
    assert (said["head_id"], said.get("tail_id")) == ("NCBITaxon:562", None)
    nlp = spacy.blank("en")
    nlp.add_pipe("abroad", config={"model": str(model)})
    doc = nlp(TEXT)
    assert [(r.head_id, r.tail_id) for r in doc._.relations] == [("NCBITaxon:562", None)]
    assert ("Escherichia coli", "NCBITaxon:562") in {(s.text, s.kb_id_) for s in doc.spans["bacterium"]}


def test_what_a_language_model_writes_is_linked_too(field):
    parsed = ParsedRelations([(name, "degrades", "toluene") for name in (*SPECIES, "The microbe")], 0, 0)
    found = Notation(load_field(field)).relations(Document("1", "", TEXT), parsed)
    assert {r.head: r.head_id for r in found} == {**SPECIES, "The microbe": None}
    assert {r.tail_id for r in found} == {None}


def test_without_the_key_names_stay_without_identifiers(field):
    bare = field.with_name("bare.yaml")
    bare.write_text(field.read_text().replace("linking: [taxonomy]", "linking: []"))
    assert {r.head_id for r in abroad.extract(TEXT, extractor=bare)} == {None}
