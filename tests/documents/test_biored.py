"""Annotated documents of BioRED's form, as documents of a field."""

import json
from pathlib import Path

import pytest

from abroad.core.errors import InputError
from abroad.core.field import load_field
from abroad.core.io import read_documents
from abroad.core.schema import Document
from abroad.documents.biored import biored_documents

FIELD = Path(__file__).parents[2] / "configs" / "fields" / "biored.yaml"
RECORD = {
    "pmid": "1",
    "title": "MODY genes and diabetes.",
    "abstract": "MODY1 caused diabetes in patients with c|SUB|A|1,2|G.",
    "entities": [
        [0, 4, "GeneOrGeneProduct", "MODY", "3172, 6927"],
        [15, 23, "DiseaseOrPhenotypicFeature", "diabetes", "D003920"],
        [25, 30, "GeneOrGeneProduct", "MODY1", "3172"],
        [38, 46, "DiseaseOrPhenotypicFeature", "diabetes", "D003920"],
        [50, 58, "OrganismTaxon", "patients", "9606"],
        [64, 77, "SequenceVariant", "c|SUB|A|1,2|G", "c|SUB|A|1,2|G"],
        [47, 49, "Unheard", "in", "x"],
        [25, 29, "GeneOrGeneProduct", "MODY", "-"],
    ],
    "relations": [
        ["Association", "D003920", "3172", "No"],
        ["Association", "c|SUB|A|1,2|G", "D003920", "No"],
        ["Association", "3172", "3172", "No"],
        ["Association", "9606", "3172", "No"],
        ["Association", "unknown", "3172", "No"],
    ],
}


@pytest.fixture(scope="module")
def field():
    return load_field(FIELD)


def test_entities_have_types_databases_and_spans_and_pairs_follow_the_field(field):
    [document] = biored_documents([RECORD], field)
    assert [(e.id, e.type, e.label, e.spans) for e in document.entities] == [
        ("NCBIGene:3172", "gene", "MODY1", [(0, 4), (25, 30)]),
        ("NCBIGene:6927", "gene", "MODY", [(0, 4)]),
        ("MESH:D003920", "disease", "diabetes", [(15, 23), (38, 46)]),
        ("NCBITaxon:9606", "organism", "patients", [(50, 58)]),
        ("variant:c|SUB|A|1,2|G", "variant", "c|SUB|A|1,2|G", [(64, 77)]),
    ]
    assert [(t.head, t.type, t.tail) for t in document.relations] == [
        ("NCBIGene:3172", "gene_disease", "MESH:D003920"),
        ("variant:c|SUB|A|1,2|G", "variant_disease", "MESH:D003920"),
    ]
    field.check_documents([document], "here")
    assert Document.from_dict(json.loads(json.dumps(document.to_dict()))) == document


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": None}, "record 2: expected an object with texts 'title'"),
        ({"entities": [[0, 99, "CellLine", "x", "1"]]}, "record 2: expected .* within the 78 characters"),
        ({"entities": [[0, 4, "CellLine"]]}, "record 2: expected .*start, end, type, text, identifiers"),
        ({"entities": {}, "relations": "x"}, "record 2: expected a list in 'relations'"),
        ({"relations": [["Association", "1"]]}, "record 2: expected .*type, identifier, identifier"),
        ({"pmid": None}, "record 2: expected a 'pmid' or an 'id'"),
    ],
)
def test_a_record_of_another_form_is_named_with_what_was_expected(field, change, message):
    with pytest.raises(InputError, match=message):
        list(biored_documents([RECORD, {**RECORD, **change}], field))


def test_the_command_writes_one_part(cli, tmp_path):
    lines = [{**RECORD, "pmid": str(number), "split": split} for number, split in enumerate(("Train", "Dev", "Train"))]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    out = tmp_path / "docs.jsonl"
    result = cli("documents", "biored", tmp_path / "in.jsonl", "--field", FIELD, "--part", "Train", "--out", out)
    assert result.exit_code == 0, result.stderr
    assert [document.id for document in read_documents(out)] == ["0", "2"]
    result = cli(
        "documents", "biored", tmp_path / "in.jsonl", "--field", FIELD, "--part", "Other", "--out", tmp_path / "o.jsonl"
    )
    assert result.exit_code == 2 and "no documents of the part 'Other'" in result.stderr
