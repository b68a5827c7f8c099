"""Documents and predictions of the built-in field and of any other: one form in memory, two in files."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_documents, read_predictions
from abroad.core.schema import Document, Entity, Evidence, Prediction, Relation, Triple

PRODUCTS = {
    "id": "1", "PMID": "7", "ArticleTitle": "T", "AbstractText": "Usnea gave flavonoids and rutin.", "doi": None,
    "organisms": [{"id": "x", "label": "Usnea"}],
    "chemicals": [{"id": "x", "label": "flavonoids", "type": "class"}, {"id": "c", "label": "rutin", "class": "a"}],
    "relations": [["x", "x"], ["x", "c"]], "year": 1999,
}  # fmt: skip
GENES = {
    "id": "2", "PMID": None, "ArticleTitle": "HNF-6", "AbstractText": "It binds MODY1 in diabetes.", "doi": None,
    "entities": [
        {"id": "g1", "label": "HNF-6", "type": "gene", "spans": [[0, 5]]},
        {"id": "g2", "label": "MODY1", "type": "gene", "subtype": "class", "ncbi": 3172},
        {"id": "d", "label": "diabetes", "type": "disease"},
    ],
    "relations": [
        {"head": "g1", "type": "binds", "tail": "g2", "novel": True},
        {"head": "g1", "type": "causes", "tail": "d"},
    ],
}  # fmt: skip


@pytest.mark.parametrize("record", [PRODUCTS, GENES], ids=["products", "genes"])
def test_a_record_is_written_as_it_was_read(record):
    assert json.dumps(Document.from_dict(record).to_dict()) == json.dumps(record)


def test_natural_products_are_read_by_their_names_and_by_those_of_any_field():
    document = Document.from_dict(PRODUCTS)
    assert [e.label for e in document.organisms] == ["Usnea"] and document.organisms == document.entities[:1]
    assert [e.label for e in document.chemicals] == ["flavonoids", "rutin"] and document.chemicals[0].is_class
    assert document.relations[1] == Triple("x", "produces", "c") and document.pairs == [("x", "x"), ("x", "c")]
    assert document.label_pairs() == [("Usnea", "flavonoids"), ("Usnea", "rutin")]  # both have the id x


def test_entities_of_another_field_have_types_and_places():
    document = Document.from_dict(GENES)
    assert [e.type for e in document.entities] == ["gene", "gene", "disease"]
    assert document.entities[0].spans == [(0, 5)] and document.entities[1].is_class
    assert document.label_pairs() == [("HNF-6", "MODY1"), ("HNF-6", "diabetes")]
    assert not document.is_built_in
    for name in ("organisms", "chemicals"):
        with pytest.raises(InputError, match=r"document '2': expected natural products .*gene, disease, binds"):
            getattr(document, name)
    assert document.relations[0].extra == {"novel": True}


def test_both_forms_of_natural_products_give_the_same_document():
    entities = [
        {"id": "o", "label": "Usnea", "type": "organism"},
        {"id": "c", "label": "flavonoids", "type": "chemical", "subtype": "class"},
    ]
    typed = {"id": "1", "AbstractText": "A", "entities": entities}
    typed["relations"] = [{"head": "o", "type": "produces", "tail": "c"}]
    bare = Document("1", "", "A")
    products = [Entity("c", "flavonoids", {"type": "class"})]
    assert Document.from_dict(typed) == bare.with_products([Entity("o", "Usnea")], products, [("o", "c")])
    assert "organisms" in Document.from_dict(typed).to_dict()


def test_entities_of_other_peoples_formats_are_kept_as_they_are():
    record = {"id": "1", "AbstractText": "A", "entities": [[0, 1, "Gene", "A", "3175"]]}
    assert Document.from_dict(record).to_dict()["entities"] == record["entities"]


def broken(**changes):
    return {**GENES, **changes}


ENTITY = {"id": "g1", "label": "HNF-6", "type": "gene"}
BAD = {
    "no type": (broken(entities=[{"id": "g1", "label": "HNF-6"}]), "a 'type' of the entity 'HNF-6'"),
    "a type that is no text": (broken(entities=[{**ENTITY, "type": 3}]), "'type' of the entity 'HNF-6'"),
    "one id twice": (broken(entities=[ENTITY, {**ENTITY, "label": "B"}]), "'HNF-6' and 'B' have the same id 'g1'"),
    "spans beyond the text": (broken(entities=[{**ENTITY, "spans": [[3, 900]]}]), "in the spans of 'HNF-6'"),
    "both forms": ({**PRODUCTS, "entities": [ENTITY]}, "found entities and organisms and chemicals"),
    "an unknown id": (broken(relations=[{"head": "g1", "type": "x", "tail": "q"}]), "entity id 'q' as tail"),
    "a missing end": (broken(relations=[{"head": "g1", "type": "x"}]), "found no tail in"),
    "a missing type": (broken(relations=[{"head": "g1", "tail": "d"}]), "found no type in"),
    "pairs beside entities": (broken(relations=[["g1", "d"]]), "in relations beside entities"),
    "relations that are none": (broken(relations={"g1": "d"}), "expected a list of"),
    "relations without entities": (broken(entities=[]), "unknown entity id 'g1' as head"),
}


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_record_says_what_is_wrong_with_it(name):
    record, said = BAD[name]
    with pytest.raises(InputError, match=said):
        Document.from_dict(record)


PRODUCT = (
    '{"organism": "Usnea", "chemical": "rutin", "score": 0.5, "organism_id": null, "chemical_id": "a:1", '
    '"evidence": []}'
)
BINDING = (
    '{"head": "HNF-6", "type": "binds", "tail": "MODY1", "head_type": "gene", "tail_type": "gene", "score": null, '
    '"head_id": "ncbigene:3175", "tail_id": null, "evidence": [{"start": 0, "end": 5, "text": "HNF-6", "role": "head", '
    '"rule": "verbatim"}]}'
)


@pytest.mark.parametrize("text", [PRODUCT, BINDING], ids=["product", "binding"])
def test_a_prediction_is_written_as_it_was_read(text):
    assert json.dumps(Relation.from_dict(json.loads(text)).to_dict()) == text


def test_a_relation_of_another_field_is_taken_for_no_product():
    product, binding = (Relation.from_dict(json.loads(text)) for text in (PRODUCT, BINDING))
    assert (product.organism, product.chemical, product.organism_id, product.chemical_id) == (
        "Usnea", "rutin", None, "a:1",
    )  # fmt: skip
    assert (product.head, product.type, product.tail, product.head_type) == ("Usnea", "produces", "rutin", "organism")
    assert binding.evidence == [Evidence(0, 5, "HNF-6", "head", "verbatim")]
    for name in ("organism", "chemical", "organism_id", "chemical_id"):
        with pytest.raises(InputError, match="gene binds gene"):
            getattr(binding, name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"type": None}, "strings 'head', 'type' and 'tail'"),
        ({"tail": ""}, "strings 'head', 'type' and 'tail'"),
        ({"head_type": 3}, "a string in head_type"),
        ({"organism": "Usnea"}, "found organism beside them"),
    ],
)
def test_a_bad_prediction_says_what_is_wrong_with_it(change, said):
    with pytest.raises(InputError, match=said):
        Relation.from_dict({**json.loads(BINDING), **change})


@pytest.mark.parametrize("order", [1, -1])
def test_records_of_two_fields_in_one_file_are_named(tmp_path, order):
    path = tmp_path / "x.jsonl"
    unlabelled = {"id": "0", "AbstractText": "A"}
    path.write_text("".join(json.dumps(each) + "\n" for each in (unlabelled, *[PRODUCTS, GENES][::order])))
    context = Context()
    first = "12"[::order][0]
    assert [document.id for document in read_documents(path, context)] == ["0", first]
    (reject,) = context.rejects.items
    assert "x.jsonl:3" in str(reject) and "expected one field a file" in str(reject)
    predictions = [Prediction(id, [Relation.from_dict(json.loads(t))]) for id, t in (("a", PRODUCT), ("b", BINDING))]
    path.write_text("".join(json.dumps(each.to_dict()) + "\n" for each in predictions[::order]))
    with pytest.raises(InputError, match="expected one field a file"):
        read_predictions(path)


TYPES = st.sampled_from(["organism", "chemical", "gene"])


@given(st.lists(TYPES, max_size=5), st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.booleans())))
def test_whatever_a_document_states_is_read_back(types, relations):
    entities = [Entity(f"e{n}", f"name {n}", {"type": "class"} if n == 1 else {}, type=t) for n, t in enumerate(types)]
    ids = [(f"e{head}", "produces" if made else "inhibits", f"e{tail}") for head, tail, made in relations]
    known = {entity.id for entity in entities}
    triples = [Triple(*each) for each in dict.fromkeys(ids) if each[0] in known and each[2] in known]
    document = Document("1", "T", "A", entities=entities, relations=triples)
    back = Document.from_dict(json.loads(json.dumps(document.to_dict())))
    assert sorted(back.entities, key=lambda entity: entity.id) == entities and back.relations == triples
    assert back.label_pairs() == document.label_pairs()
