"""The component `abroad` of spaCy with an extractor of another field: spans of its types, relations of its types."""

import pickle

import pytest
import spacy
from spacy.tokens import Doc, DocBin

import abroad.extraction.spacy_component  # noqa: F401  # registers it, as the entry point does
from abroad.core.errors import InputError
from abroad.core.field import load_field
from abroad.core.schema import Document
from abroad.extraction.joint.fit import train_joint
from abroad.extraction.joint.from_documents import annotated, schema_of
from abroad.extraction.joint.settings import JointTrainSettings
from abroad.extraction.load import load_extractor
from tests.extraction.joint.remedies import field_file, remedies

TITLE = "A trial of Tavozine."
ABSTRACT = "Tavozine relieved back pain in most patients. Nausea was not seen with Melipril."


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("joint")
    schema = schema_of(load_field(field_file(folder)))
    train_joint(schema, [annotated(each) for each in remedies(40)], JointTrainSettings(folds=2))[0].save(folder / "m")
    return folder / "m"


@pytest.fixture
def nlp(folder):
    made = spacy.blank("en")
    made.add_pipe("abroad", config={"model": str(folder)})
    return made


def read(nlp, text, title_end):
    doc = nlp.make_doc(text)
    doc.user_data.update(id="7", title_end=title_end)
    return nlp(doc)


@pytest.mark.parametrize("between", [" ", ""], ids=["space", "none"])
def test_relations_are_those_of_the_extractor_and_spans_those_of_every_entity(nlp, folder, between):
    doc = read(nlp, TITLE + between + ABSTRACT, len(TITLE))
    [expected] = load_extractor(folder).extract([Document("7", TITLE, ABSTRACT)])
    assert [(r.head, r.type, r.tail, r.score) for r in doc._.relations] == [
        (r.head, r.type, r.tail, r.score) for r in expected.relations
    ]
    assert ("Tavozine", "relieves", "back pain") in {(r.head, r.type, r.tail) for r in doc._.relations}
    for relation in doc._.relations:
        for e in relation.evidence:
            assert doc.text[e.start : e.end] == e.text
    drugs = [(span.text, span.label_, span.kb_id_) for span in doc.spans["drug"]]
    assert ("Tavozine", "DRUG", "DRUG:0") in drugs and "Melipril" in {text for text, _, _ in drugs}  # in no relation
    scored = {span.text: span._.score for span in doc.spans["drug"]}
    assert scored["Tavozine"] > 0.5 and "organisms" not in doc.spans and doc._.abroad_prediction.id == "7"


@pytest.mark.parametrize("text", ["", "It was.", "x" * 3_000_000], ids=["empty", "nothing", "too long"])
def test_a_text_without_names_has_every_type_of_the_field_and_no_other(nlp, text):
    nlp.max_length = 10**7
    doc = nlp(text)
    assert {type: len(spans) for type, spans in doc.spans.items()} == {"drug": 0, "symptom": 0}
    assert doc._.relations == [] and (doc._.abroad_prediction.error is not None) == (len(text) > 10)


def test_it_is_kept_by_a_docbin_and_pickled_as_its_settings(nlp):
    doc = read(nlp, f"{TITLE} {ABSTRACT}", len(TITLE))
    (again,) = DocBin().from_bytes(DocBin(docs=[doc], store_user_data=True).to_bytes()).get_docs(nlp.vocab)
    assert again._.relations == doc._.relations
    assert [(s.text, s._.labels) for s in again.spans["drug"]] == [(s.text, s._.labels) for s in doc.spans["drug"]]
    component = pickle.loads(pickle.dumps(nlp.get_pipe("abroad")))
    assert isinstance(component(nlp.make_doc(ABSTRACT)), Doc) and len(pickle.dumps(component)) < 1000


def test_thresholds_are_those_of_the_extractor_and_what_is_none_is_refused(folder, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("abroad", config={"model": str(folder), "min_score": 1.0})
    assert read(nlp, f"{TITLE} {ABSTRACT}", len(TITLE))._.relations == []
    with pytest.raises(InputError, match="no such extractor"):
        spacy.blank("en").add_pipe("abroad", config={"model": str(tmp_path / "nothing")})
