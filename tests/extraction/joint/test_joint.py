"""The joint extractor: what it learns from a small written field, what it finds, and what it says where it cannot."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import abroad
from abroad.core.errors import InputError
from abroad.core.field import load_field
from abroad.core.io import read_predictions, write_documents
from abroad.core.schema import Document
from abroad.extraction.joint.extractor import MODEL, TAGGER, JointExtractor
from abroad.extraction.joint.fit import train_joint
from abroad.extraction.joint.from_documents import annotated, schema_of
from abroad.extraction.joint.linking import UNKNOWN, Linker, name_key
from abroad.extraction.joint.reread import spread
from abroad.extraction.joint.settings import JointTrainSettings
from abroad.extraction.joint.tags import begins, best_tags, mentions_of, tags_of
from abroad.extraction.joint.texts import Annotated, Mention, RelationType, Schema, Text, candidates, holds
from abroad.extraction.joint.trees import Trees
from abroad.extraction.joint.words import WordModel
from tests.extraction.joint.remedies import document, field_file, remedies

TYPES = ("drug", "symptom")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An extractor of the small field, in its directory."""
    folder = tmp_path_factory.mktemp("joint")
    schema = schema_of(load_field(field_file(folder)))
    texts = [annotated(each) for each in remedies(40)]
    extractor, _ = train_joint(schema, texts, JointTrainSettings(folds=2))
    extractor.save(folder / "model")
    return folder / "model"


def triples(prediction):
    return {(relation.head, relation.type, relation.tail) for relation in prediction.relations}


def test_it_finds_the_relations_of_texts_that_it_has_not_seen(folder):
    extractor = abroad.load_extractor(folder)
    unseen = remedies(40, seed=1)
    right = found = gold = 0
    for own, prediction in zip(unseen, extractor.extract(unseen), strict=True):
        stated = {(relation.head_id, relation.type, relation.tail_id) for relation in prediction.relations}
        true = {(triple.head, triple.type, triple.tail) for triple in own.relations}
        turned = {(t, r, h) for h, r, t in true if r == "interacts_with"}
        right, found, gold = right + len(stated & (true | turned)), found + len(stated), gold + len(true)
    assert right / found > 0.8 and right / gold > 0.8


def test_a_relation_has_types_identifiers_and_evidence_of_the_text(folder):
    text = "Tavozine relieved back pain in most patients."
    [prediction] = abroad.load_extractor(folder).extract([Document.from_text("A trial of Tavozine.", text)])
    [relation] = prediction.relations
    assert (relation.head, relation.type, relation.tail) == ("Tavozine", "relieves", "back pain")
    assert (relation.head_type, relation.tail_type) == ("drug", "symptom")
    assert (relation.head_id, relation.tail_id) == ("DRUG:0", "SYM:1")
    whole = f"A trial of Tavozine. {text}"
    assert [(e.role, whole[e.start : e.end]) for e in relation.evidence] == [
        ("head", "Tavozine"),
        ("head", "Tavozine"),
        ("tail", "back pain"),
    ]


def test_a_name_that_nothing_links_has_no_identifier_and_is_found_all_the_same(folder):
    own = Document.from_text("A trial of Virumab.", "Virumab relieved nausea in most patients.")
    [prediction] = abroad.load_extractor(folder, min_score=0).extract([own])
    ids = {relation.head: relation.head_id for relation in prediction.relations if relation.type == "relieves"}
    assert ids == {"Virumab": None}


def test_what_is_read_again_is_what_was_saved_and_no_file_can_run_code(folder, tmp_path):
    extractor = JointExtractor.load(folder)
    extractor.save(tmp_path / "again")
    again = JointExtractor.load(tmp_path / "again")
    documents = remedies(6, seed=2)
    assert [p.to_dict() for p in again.extract(documents)] == [p.to_dict() for p in extractor.extract(documents)]
    assert sorted(path.suffix for path in folder.iterdir()) == [".crf", ".json", ".json"]


@pytest.mark.parametrize("name", [MODEL, TAGGER])
def test_a_damaged_file_is_told_and_never_loaded(folder, tmp_path, name):
    JointExtractor.load(folder).save(tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-20])
    with pytest.raises(InputError, match=f"{name}: damaged"):
        abroad.load_extractor(tmp_path)


def test_too_few_documents_or_none_of_a_type_are_refused_with_what_was_expected(tmp_path):
    schema = schema_of(load_field(field_file(tmp_path)))
    texts = [annotated(each) for each in remedies(9)]
    with pytest.raises(InputError, match="9 documents; expected 10 or more"):
        train_joint(schema, texts)
    with pytest.raises(InputError, match="no document has a mention of type drug, symptom"):
        train_joint(schema, [Annotated(text.text, ()) for text in [*texts, texts[0]]])
    with pytest.raises(InputError, match=r"pairs of entities in .* 0 of them related"):
        train_joint(schema, [Annotated(t.text, t.mentions) for t in [*texts, texts[0]]], JointTrainSettings(folds=2))


def test_the_commands_train_show_and_extract(cli, tmp_path):
    field = field_file(tmp_path)
    write_documents(tmp_path / "train.jsonl", remedies(24))
    write_documents(tmp_path / "new.jsonl", remedies(4, seed=3))
    out = tmp_path / "model"
    told = cli("extractor", "train", tmp_path / "train.jsonl", "--field", field, "--cv", 2, "--out", out)
    assert told.exit_code == 0, told.stderr
    assert "documents: 24" in told.stdout and "relation types: relieves, interacts_with" in told.stdout
    assert "min-score  precision" in cli("extractor", "show", out).stdout
    predictions = tmp_path / "predictions.jsonl"
    result = cli("extract", tmp_path / "new.jsonl", "--model", out, "--out", predictions)
    assert result.exit_code == 0, result.stderr
    assert {r.type for p in read_predictions(predictions) for r in p.relations} <= {"relieves", "interacts_with"}
    assert any(p.relations for p in read_predictions(predictions))


def test_documents_of_another_field_and_options_of_the_built_in_one_are_refused(cli, tmp_path, documents):
    field, file = field_file(tmp_path), tmp_path / "products.jsonl"
    write_documents(file, documents)
    result = cli("extractor", "train", file, "--field", field, "--out", tmp_path / "m")
    assert result.exit_code == 2 and "not of the field remedies" in result.stderr
    result = cli("extractor", "train", file, "--field", field, "--from-scratch", "--out", tmp_path / "m")
    assert result.exit_code == 2 and "expected no --from-scratch" in result.stderr


spans = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 3), st.sampled_from(TYPES)), max_size=4)


@given(spans)
def test_tags_say_where_the_mentions_are(chosen):
    text = Text("1", " ".join("abcdefghijkl"), 0)
    mentions, end = [], 0
    for first, length, type in sorted(chosen):
        if first >= end and first + length <= len(text.tokens):
            mentions.append(Mention(2 * first, 2 * (first + length) - 1, type))
            end = first + length
    scores = np.log(np.eye(1 + 2 * len(TYPES))[tags_of(text, mentions, TYPES)] + 1e-9)
    assert mentions_of(text, scores, TYPES) == mentions


def test_no_mention_goes_on_before_it_begins():
    scores = np.log(np.array([[0.1, 0.1, 0.8, 0, 0], [0.1, 0, 0.9, 0, 0], [0.4, 0, 0, 0, 0.6]]) + 1e-9)
    assert best_tags(scores) == [begins(0), begins(0) + 1, 0]


def test_a_name_is_found_wherever_its_words_stand_but_not_within_another():
    text = Text("1", "Back pain, back pain syndrome and BACK pain.", 0)
    found = spread(text, [Mention(0, 9, "symptom"), Mention(11, 29, "disease")])
    assert [(m.start, m.end, m.type) for m in found] == [(0, 9, "symptom"), (11, 29, "disease"), (34, 43, "symptom")]


def test_linking_takes_documents_before_tables_and_abbreviations_for_what_they_stand_for():
    own = annotated(document("1", "A trial.", "Tavozine relieved nausea.", []))
    linker = Linker.learn([own], [("drug", "Tavozine", "X:1"), ("drug", "tavo-pril", "X:2")])
    text = Text("2", "TAVOZINE, Tavo pril and saxitoxin (STX); STX again.", 0)
    places = [(0, 8), (10, 19), (24, 33), (35, 38), (41, 44)]
    linked = linker.link(text, [Mention(*place, "drug") for place in places])
    unknown = (f"{UNKNOWN}saxitoxin",)
    assert [m.identifiers for m in linked] == [("DRUG:0",), ("X:2",), unknown, unknown, unknown]
    assert Linker.from_dict(json.loads(json.dumps(linker.to_dict()))) == linker


def test_identifiers_of_one_document_alone_are_not_learnt():
    own = Annotated(Text("1", "Tavozine.", 0), [Mention(0, 8, "drug", ("e1",))])
    assert Linker.learn([own]).names == {}


@pytest.mark.parametrize(("one", "other"), [("Headaches", "head-ache"), ("IL-2", "il 2"), ("β-Carotene", "β carotene")])
def test_spellings_of_a_name_have_one_key(one, other):
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize("name", ["virus", "sepsis", "abscess"])
def test_an_ending_that_is_no_plural_stays(name):
    assert name_key(name) == name


def test_candidates_follow_types_and_directions():
    schema = Schema(
        TYPES, (RelationType("relieves", "drug", "symptom"), RelationType("interacts", "drug", "drug", directed=False))
    )
    text = Text("1", "A B c.", 0)
    mentions = [Mention(0, 1, "drug", ("A",)), Mention(2, 3, "drug", ("B",)), Mention(4, 5, "symptom", ("c",))]
    own = Annotated(text, mentions, frozenset({("relieves", "A", "c"), ("interacts", "B", "A")}))
    found = list(candidates(schema, own.entities))
    assert [(c.relation, c.head, c.tail) for c in found] == [(0, 0, 2), (0, 1, 2), (1, 0, 1)]
    assert [holds(schema, c, own) for c in found] == [True, False, True]


def test_what_words_say_does_not_hang_on_the_order_of_a_set():
    weights = {f"w{number}": 0.1**number for number in range(12)}
    rows = [dict.fromkeys(order) for order in (sorted(weights), sorted(weights, reverse=True))]
    one, other = WordModel(weights, 0.3).log_odds(rows)
    assert one == other


def test_trees_and_words_say_without_scikit_learn_what_they_said_with_it():
    chance = np.random.default_rng(0)
    rows = chance.normal(size=(300, 3))
    truth = rows[:, 0] * rows[:, 1] > 0
    trees = Trees.fit(("a", "b", "c"), rows, truth)
    odds = trees.log_odds(rows)
    assert ((odds > 0) == truth).mean() > 0.95
    assert np.allclose(Trees.from_dict(json.loads(json.dumps(trees.to_dict()))).log_odds(rows), odds, atol=1e-3)
    words = WordModel.fit([{"b:relieved"} if yes else {"b:not"} for yes in truth], truth)
    assert words.weights["b:relieved"] > 0 > words.weights["b:not"]
