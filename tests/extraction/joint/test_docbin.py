"""DocBins of another field than natural products: spans by types, relations, and labels to train on."""

import pytest
import spacy
from spacy.tokens import DocBin

from abroad.core.io import write_documents
from abroad.core.schema import Document, Entity, Triple
from abroad.extraction.builtin.spacy_pipeline.docbin import write_docbin, write_labelled_docbin
from abroad.extraction.joint.extractor import JointExtractor
from abroad.extraction.joint.fit import train_joint
from abroad.extraction.joint.from_documents import annotated, schema_of
from abroad.extraction.joint.settings import JointTrainSettings
from tests.extraction.joint.remedies import document, field_file, remedies

TEXT = "Tavozine relieves headache, and Tavozine interacts with Melipril."


@pytest.fixture(scope="module")
def extractor(tmp_path_factory) -> JointExtractor:
    from abroad.core.field import load_field

    schema = schema_of(load_field(field_file(tmp_path_factory.mktemp("field"))))
    return train_joint(schema, [annotated(each) for each in remedies(24)], JointTrainSettings(folds=2))[0]


def docs_of(path):
    return list(DocBin(store_user_data=True).from_disk(path).get_docs(spacy.blank("en").vocab))


def test_predictions_of_a_field_have_spans_by_type_and_relations(extractor, tmp_path):
    read = remedies(4, seed=1)
    predictions = list(extractor.extract(read))
    write_docbin(tmp_path / "p.spacy", read, predictions)
    for doc, prediction in zip(docs_of(tmp_path / "p.spacy"), predictions, strict=True):
        assert doc._.relations == prediction.relations and prediction.relations
        assert set(doc.spans) <= {"drug", "symptom"}
        for type, spans in doc.spans.items():
            for span in spans:
                assert span.label_ == type.upper() and span._.labels and 0 < span._.score <= 1
                assert span.kb_id_ in {side for r in prediction.relations for side in (r.head_id, r.tail_id)}


def test_a_docbin_that_is_written_again_has_the_spans_of_the_last_prediction(extractor, tmp_path):
    read = remedies(2, seed=1)
    write_docbin(tmp_path / "a.spacy", read, list(extractor.extract(read)))
    nothing = [type(p)(p.id, []) for p in extractor.extract(read)]
    write_docbin(tmp_path / "b.spacy", read, nothing, tmp_path / "a.spacy")
    for doc in docs_of(tmp_path / "b.spacy"):
        assert not any(len(spans) for spans in doc.spans.values()) and doc._.relations == []


def test_labels_of_a_field_become_entities_to_train_on(cli, tmp_path):
    own = document("1", "A trial.", TEXT, [("Tavozine", "relieves", "headache")])
    write_documents(tmp_path / "docs.jsonl", [own])
    assert cli("documents", "docbin", tmp_path / "docs.jsonl", "--out", tmp_path / "t.spacy").exit_code == 0
    (doc,) = docs_of(tmp_path / "t.spacy")
    assert {(e.text, e.label_, e.kb_id_) for e in doc.ents} == {
        ("Tavozine", "DRUG", "DRUG:0"),
        ("headache", "SYMPTOM", "SYM:0"),
        ("Melipril", "DRUG", "DRUG:5"),
    }
    (relation,) = doc._.relations
    assert (relation.head, relation.type, relation.tail) == ("Tavozine", "relieves", "headache")
    assert [doc.text[e.start : e.end] for e in relation.evidence if e.role == "tail"] == ["headache"]


@pytest.mark.parametrize("type", ["prediction", "types", "organisms", "Gene", "abroad"])
def test_a_type_of_any_name_is_in_no_others_way(tmp_path, type):
    entities = [
        Entity("1", "BRCA1", {"spans": [[0, 5]]}, type=type),
        Entity("2", "TP53", {"spans": [[10, 14]]}, type=type),
    ]
    odd = Document("1", "BRCA1 and TP53.", "", entities=entities, relations=[Triple("1", "binds", "2")])
    report = write_labelled_docbin(tmp_path / "t.spacy", [odd])
    (doc,) = docs_of(tmp_path / "t.spacy")
    assert (report.entities, report.missing) == (2, 0)
    assert [(span.text, span.label_, span._.labels) for span in doc.spans[type]] == [
        ("BRCA1", type.upper(), ["BRCA1"]),
        ("TP53", type.upper(), ["TP53"]),
    ]
    assert len(doc._.relations) == 1
