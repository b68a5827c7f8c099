"""Names of a field's sources in texts: which are found, whole; strains; and that a trained extractor keeps them."""

import json

import pytest

import abroad
from abroad.core.errors import InputError
from abroad.core.field import load_field
from abroad.core.schema import Document
from abroad.extraction.builtin.manifest import MANIFEST
from abroad.extraction.joint.extractor import MODEL, JointExtractor
from abroad.extraction.joint.fit import KnownNames, train_joint
from abroad.extraction.joint.from_documents import annotated, schema_of
from abroad.extraction.joint.names import NameFinder
from abroad.extraction.joint.settings import JointTrainSettings
from abroad.extraction.joint.strains import end_of_strain, strain_of, whole_strains
from abroad.extraction.joint.texts import Mention, Text
from tests.extraction.joint.remedies import DRUGS, FIELD, remedies

LISTED = NameFinder({"pollutant": ["phenol", "bisphenol A", "2-methyl naphthalene", "naphthalene", "DDT"]})
BACTERIA = NameFinder(taxa=["bacterium"], strains=["bacterium"])


def found(names, text, title=""):
    given = Text("1", f"{title} {text}" if title else text, len(title))
    return [given.given[mention.start : mention.end] for mention in names.find(given)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Phenol and PHENOL were lost.", ["Phenol", "PHENOL"]),
        ("Bisphenol  A, not bisphenol S, was lost.", ["Bisphenol  A"]),
        ("2-methyl naphthalene and naphthalene", ["2-methyl naphthalene", "naphthalene"]),
        ("4-phenol, phenols and biphenol are none; phenol-grown cells are.", ["phenol"]),
        ("DDT, and no ddt", ["DDT"]),
        ("Bisphenol A (BPA) is bound. BPA is not degraded, BPAF neither.", ["Bisphenol A", "BPA", "BPA"]),
        ("", []),
    ],
)
def test_names_of_a_table_are_found_whole_and_the_longest_first(text, expected):
    assert found(LISTED, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pseudomonas putida F1 grew.", ["Pseudomonas putida F1"]),
        ("Sphingobium sp. strain KK22 grew; KK22 and strain KK22 are one.", 3),
        ("Escherichia coli ATCC 25922 was killed.", ["Escherichia coli ATCC 25922"]),
        ("Rhodococcus ruber and cotton plants", ["Rhodococcus ruber"]),
        ("Pseudomonas putida (F1) and DNA", ["Pseudomonas putida"]),
    ],
)
def test_bacteria_are_those_of_the_taxonomy_with_their_strains(text, expected):
    names = found(BACTERIA, text)
    assert names == expected or len(names) == expected


def test_a_name_does_not_run_over_the_end_of_the_title():
    assert found(BACTERIA, "Toluene was lost.", "A Thauera aromatica strain") == ["Thauera aromatica"]


def test_types_without_strains_have_none():
    assert found(NameFinder(taxa=["bacterium"]), "Pseudomonas putida F1 grew.") == ["Pseudomonas putida"]


@pytest.mark.parametrize("name", ["Pseudomonas putida F1", "Sphingobium sp. strain KK22", "E. coli ATCC 25922"])
def test_the_designation_of_a_strain_is_told_from_its_name(name):
    assert strain_of(name) and name.endswith(strain_of(name))
    species = " ".join(name.split()[:2]).removesuffix(" sp.")
    assert end_of_strain(f"{name} grew", len(species)) == len(name)


_A_NUMBER = pytest.mark.xfail(reason="a number alone may count anything", strict=True)


@pytest.mark.parametrize(
    ("species", "rest"),
    [
        *[("Rhodococcus jostii", " RHA1"), ("Sphingomonas wittichii", " RW1"), ("Ideonella sakaiensis", " 201-F6")],
        *[("Cupriavidus necator", " JMP134"), ("Escherichia coli", " K-12"), ("Mycobacterium vanbaalenii", " PYR-1")],
        *[("Acinetobacter", " sp. ADP1"), ("Pseudomonas", " sp. strain NCIB 9816-4"), ("Arthrobacter", " sp. nov. 3R")],
        pytest.param("Dehalococcoides mccartyi", " 195", marks=_A_NUMBER),
        pytest.param("Bacillus subtilis", " subsp. subtilis str. 168", marks=_A_NUMBER),
    ],
)
def test_strains_that_were_not_at_hand_when_their_form_was_written(species, rest):
    assert end_of_strain(f"{species}{rest} grew", len(species)) == len(species + rest)


@pytest.mark.parametrize("rest", [" degraded 5 dyes", " grew at 30 C", " (n = 3)", " and 2,4-D", " 30 min", " 5 mM"])
def test_what_follows_a_species_and_was_not_at_hand_is_no_strain(rest):
    assert end_of_strain(f"Pseudomonas putida{rest} later", len("Pseudomonas putida")) == len("Pseudomonas putida")


def test_a_species_has_no_designation():
    assert strain_of("Pseudomonas putida") == "" and end_of_strain("Pseudomonas putida grew", 18) == 18


def test_mentions_of_one_strain_are_one_thing_and_two_strains_are_two():
    text = Text("1", "A Bacillus: Bacillus cereus B4 and B4; Gordonia sp. X1, Gordonia sp. X2 and Gordonia.", 0)
    spans = [(2, 10), (12, 30), (35, 37), (39, 54), (56, 71), (76, 84)]
    mentions = [Mention(*span, "bacterium", (text.given[slice(*span)],)) for span in spans]
    whole = [mention.identifiers[0] for mention in whole_strains(text, mentions, ("bacterium",))]
    assert whole == ["Bacillus cereus B4"] * 3 + ["Gordonia sp. X1", "Gordonia sp. X2", "Gordonia"]
    assert whole_strains(text, mentions, ()) == mentions


def field_with(folder, source):
    drug = f"drug: {{singular: drug, plural: drugs, names: {source}}}"
    lines = FIELD.replace("drug: {singular: drug, plural: drugs}", drug)
    (folder / "field.yaml").write_text(lines)
    return load_field(folder / "field.yaml")


def test_annotated_documents_give_labels_and_what_their_spans_name(tmp_path):
    entity = {"id": "d", "label": "Tavozine", "type": "drug", "spans": [[0, 3]]}
    other = {"id": "s", "label": "nausea", "type": "symptom"}
    record = {"id": "1", "ArticleTitle": "TVZ.", "AbstractText": "", "entities": [entity, other], "relations": []}
    (tmp_path / "texts.jsonl").write_text(json.dumps(record) + "\n")
    field = field_with(tmp_path, "{kind: annotated, file: texts.jsonl}")
    assert found(NameFinder.of_field(field, tmp_path), "Tavozine, TVZ or nausea") == ["Tavozine", "TVZ"]


def test_chemicals_of_the_built_in_tagger_are_names_of_a_type_with_ranges(tmp_path):
    field = field_with(tmp_path, "builtin, ranges: true")
    text = "Usnic acid was isolated from the lichen Usnea barbata."
    assert found(NameFinder.of_field(field, tmp_path), text) == ["Usnic acid"]


def test_entities_of_a_pipeline_of_spacy_are_names(tmp_path):
    spacy = pytest.importorskip("spacy")
    pipeline = spacy.blank("en")
    patterns = [{"label": "CHEMICAL", "pattern": "pyrene"}, {"label": "PLACE", "pattern": "Paris"}]
    pipeline.add_pipe("entity_ruler").add_patterns(patterns)
    pipeline.to_disk(tmp_path / "pipeline")
    source = f"{{kind: spacy, pipeline: {tmp_path / 'pipeline'}, label: CHEMICAL}}"
    names = NameFinder.of_field(field_with(tmp_path, source), tmp_path)
    assert found(names, "pyrene in Paris") == ["pyrene"]
    missing = NameFinder.of_field(field_with(tmp_path, "{kind: spacy, pipeline: nowhere}"), tmp_path)
    with pytest.raises(InputError, match="pipeline 'nowhere'"):
        missing.find(Text("1", "pyrene", 0))


def test_an_extractor_keeps_the_names_that_its_field_gave_and_finds_them_where_no_document_had_them(tmp_path):
    (tmp_path / "drugs.txt").write_text("\n".join([*DRUGS, "Xyrol"]))
    field = field_with(tmp_path, "{kind: table, file: drugs.txt}")
    texts = [annotated(each) for each in remedies(30)]
    sources = NameFinder.of_field(field, tmp_path)
    extractor, _ = train_joint(schema_of(field), texts, JointTrainSettings(folds=2), KnownNames(sources=sources))
    extractor.save(tmp_path / "model")
    (tmp_path / "drugs.txt").unlink()
    document = Document.from_text("A trial.", "Xyrol relieved nausea in most patients.")
    read, kept = (list(one.extract([document])) for one in (extractor, abroad.load_extractor(tmp_path / "model")))
    assert read == kept and [relation.head for relation in kept[0].relations] == ["Xyrol"]


def test_an_extractor_of_before_has_no_sources(tmp_path):
    texts = [annotated(each) for each in remedies(20)]
    (tmp_path / "remedies.yaml").write_text(FIELD)
    schema = schema_of(load_field(tmp_path / "remedies.yaml"))
    extractor, _ = train_joint(schema, texts, JointTrainSettings(folds=2))
    extractor.save(tmp_path / "model")
    record = json.loads((tmp_path / "model" / MODEL).read_text())
    assert record.pop("sources") == NameFinder().to_dict() and record["schema"].pop("strains") == []
    (tmp_path / "model" / MODEL).write_text(json.dumps(record))
    (tmp_path / "model" / MANIFEST).unlink()
    assert not JointExtractor.load(tmp_path / "model").tagger.names


def test_synthetic_documents_are_learnt_from_and_not_measured(tmp_path):
    schema = schema_of(load_field(_written(tmp_path)))
    curated, further = ([annotated(each) for each in remedies(n, seed=seed)] for n, seed in ((12, 0), (20, 1)))
    extractor, measured = train_joint(schema, curated, JointTrainSettings(folds=3), further=further)
    assert len(measured.judged) == 12 and extractor.facts["documents"] == 12
    assert extractor.facts["synthetic documents"] == 20
    assert extractor.facts["relations"] == sum(len(text.relations) for text in curated)


def test_few_curated_documents_are_enough_beside_synthetic_ones(tmp_path):
    schema = schema_of(load_field(_written(tmp_path)))
    curated, further = ([annotated(each) for each in remedies(n, seed=seed)] for n, seed in ((3, 0), (20, 1)))
    _, measured = train_joint(schema, curated, JointTrainSettings(folds=5), further=further)
    assert len(measured.judged) == 3


def _written(folder):
    (folder / "remedies.yaml").write_text(FIELD)
    return folder / "remedies.yaml"
