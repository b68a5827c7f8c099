"""Relations of any field as text and back, by the field's templates."""

import yaml
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.field import Field, load_field, write_field
from abroad.core.linearise import linearise
from abroad.core.schema import Document, Entity, Relation, Triple
from abroad.engines.base import Generation
from abroad.extraction.generative.extractor import read_generation
from abroad.extraction.generative.load import FIELD_FILE, notation_of
from abroad.extraction.generative.notation import Notation
from abroad.models.source import ModelSource
from tests.conftest import make_document

FIELD = Field.model_validate(
    {
        "name": "genes",
        "title": "Genes",
        "entities": {
            "gene": {"singular": "gene", "plural": "genes", "names": {"kind": "table", "file": "genes.txt"}},
            "drug": {"singular": "drug", "plural": "drugs", "ranges": True},
        },
        "relations": {
            "binds": {"head": "gene", "tail": ["gene", "drug"], "template": "{head} binds {tail}"},
            "binds_to": {"head": "drug", "tail": "gene", "template": "{head} binds to {tail}"},
            "inhibits": {"head": "drug", "tail": "drug", "template": "{head} inhibits {tail}"},
        },
    }
)
NOTATION = Notation(FIELD)
TEXT = "HNF-6 binds MODY1, and examplin A binds to it; examplins A-C are drugs."


def document(*triples):
    entities = [Entity(str(n), label, type=type) for n, (label, type) in enumerate(ENTITIES)]
    return Document("1", "", TEXT, entities=entities, relations=[Triple(*triple) for triple in triples])


ENTITIES = (("HNF-6", "gene"), ("MODY1", "gene"), ("examplin A", "drug"), ("examplin B", "drug"))


def test_each_type_is_written_by_its_template_and_read_back():
    stated = document(("0", "binds", "1"), ("2", "binds_to", "1"), ("2", "inhibits", "3"))
    text = NOTATION.write(stated)
    assert text == "HNF-6 binds MODY1; examplin A binds to MODY1; examplin A inhibits examplin B"
    assert NOTATION.parse(text).triples == [
        ("HNF-6", "binds", "MODY1"),
        ("examplin A", "binds_to", "MODY1"),  # of two verbs that begin alike, the longer
        ("examplin A", "inhibits", "examplin B"),
    ]


IDS, TYPES = st.sampled_from("0123"), st.sampled_from(sorted(FIELD.relations))


@given(st.lists(st.tuples(IDS, TYPES, IDS), max_size=6, unique=True))
def test_what_is_written_is_read_back(triples):
    labels = [label for label, _ in ENTITIES]
    wanted = [(labels[int(head)], type, labels[int(tail)]) for head, type, tail in triples]
    assert NOTATION.parse(NOTATION.write(document(*triples))).triples == wanted


@given(st.text() | st.lists(st.sampled_from(["a", " binds ", " binds to ", ";", "("])).map("".join))
def test_any_text_gives_relations_and_counts_but_no_exception(text):
    parsed = NOTATION.parse(text)
    assert all(head and tail and type in FIELD.relations for head, type, tail in parsed.triples)


def test_predictions_have_types_and_evidence_and_lists_where_the_field_has_them():
    text = "HNF-6 binds MODY1; examplin A inhibits examplins B and C; nonsense"
    prediction = read_generation(document(), Generation("1", text, "stop", 9), NOTATION)
    assert [(r.head, r.type, r.tail) for r in prediction.relations] == [
        ("HNF-6", "binds", "MODY1"),
        ("examplin A", "inhibits", "examplin B"),
        ("examplin A", "inhibits", "examplin C"),
    ]
    first, second, _ = prediction.relations
    assert (first.head_type, first.tail_type) == ("gene", "") and second.tail_type == "drug"
    assert [(e.role, e.text) for e in first.evidence] == [("head", "HNF-6"), ("tail", "MODY1")]
    assert prediction.extra["malformed"] == 1


def test_natural_products_are_written_as_ever():
    pairs = [("Ruta fictiva", "scopoletin"), ("R. alba", "rutin")]
    stated = make_document("1", "T", "Ruta fictiva gave scopoletin.", pairs)
    assert Notation().write(stated) == linearise(pairs) and Notation().parse(linearise(pairs)).pairs == pairs
    (relation,) = read_generation(stated, Generation("1", linearise(pairs[:1]), "stop", 9)).relations
    assert relation == Relation("Ruta fictiva", "scopoletin", evidence=relation.evidence) and relation.is_built_in
    assert [e.role for e in relation.evidence] == ["organism", "chemical"]


def test_the_field_lies_beside_the_adapter_without_its_files_of_names(tmp_path):
    write_field(tmp_path / FIELD_FILE, FIELD)
    assert load_field(tmp_path / FIELD_FILE).relations == FIELD.relations
    assert notation_of(ModelSource("base", tmp_path)).field.name == "genes"
    (tmp_path / FIELD_FILE).unlink()
    assert notation_of(ModelSource("base", tmp_path)).field.is_built_in
    assert yaml.safe_load(yaml.safe_dump(FIELD.model_dump(mode="json")))["entities"]["gene"]["names"]["file"]
