"""Silver of a field: weighted by agreement, what is disputed is unknown, what is curated too counts as curated."""

import json

import numpy as np
import pytest

from abroad.core.context import Context
from abroad.core.field import load_field
from abroad.core.io import write_documents
from abroad.extraction.joint.fit import train_joint
from abroad.extraction.joint.from_documents import annotated, schema_of
from abroad.extraction.joint.pair_scorer import pair_table
from abroad.extraction.joint.reread import reread
from abroad.extraction.joint.settings import JointTrainSettings
from abroad.extraction.joint.silver import silver_texts
from abroad.extraction.joint.trees import Trees
from abroad.extraction.joint.words import WordModel
from tests.extraction.joint.remedies import NAMES, field_file, remedies

LABELS = {id: name for name, id in NAMES.items()}


@pytest.fixture
def field(tmp_path):
    return load_field(field_file(tmp_path))


def renamed(document, number, **extra):
    document.id = f"s{number}"
    document.extra |= extra
    return document


def disputing(document, number, agreement=0.8):
    """As silver of which everything is disputed; what takes part in nothing has no entity, as a teacher writes it."""
    disputed = [[LABELS[t.head], t.type, LABELS[t.tail]] for t in document.relations]
    document.relations, document.entities = [], []
    return renamed(document, number, agreement=agreement, disputed=disputed)


def test_what_is_disputed_is_unknown_and_all_else_weighs_by_agreement(field):
    schema = schema_of(field)
    [own] = silver_texts([disputing(remedies(1)[0], 1)], [], field, Context())
    for text in (own, reread(own, own.mentions)):
        table = pair_table(schema, text)
        named = {
            (schema.relations[c.relation].name, *(text.entities[side].mentions[0] for side in (c.head, c.tail)))
            for c, weight in zip(table.found, table.weight, strict=True)
            if weight == 0
        }
        stated = {(type, own.text.name(h).lower(), own.text.name(t).lower()) for type, h, t in named}
        gold = {(t.type, LABELS[t.head].lower(), LABELS[t.tail].lower()) for t in remedies(1)[0].relations}
        assert stated == gold and not table.truth.any()
        assert set(table.weight.round(3)) == {0, 0.4}


def test_an_undirected_relation_that_is_disputed_is_so_in_either_order(field):
    schema = schema_of(field)
    own = disputing(remedies(1)[0], 1)
    turned = [[t, name, h] for h, name, t in own.extra["disputed"] if name == "interacts_with"]
    assert turned
    texts = []
    for disputed in (turned, [each[::-1] for each in turned]):
        own.extra["disputed"] = disputed
        texts += silver_texts([own], [], field, Context())
    one, other = (pair_table(schema, text).weight for text in texts)
    assert sorted(one) == sorted(other) and list(one).count(0) == len(turned)


def test_of_an_answer_that_was_cut_off_only_what_it_states_is_learnt(field):
    schema = schema_of(field)
    [own] = silver_texts([renamed(remedies(1)[0], 1, agreement=1.0, cut_off=1)], [], field, Context())
    for text in (own, reread(own, own.mentions)):
        table = pair_table(schema, text)
        assert table.truth.any() and list(table.weight > 0) == list(table.truth)


def test_disputed_relations_are_no_evidence_against_themselves(field):
    """Silver that says nothing of true relations lowers their scores; silver that disputes them does not."""
    schema, seen, settings = schema_of(field), remedies(16), JointTrainSettings(folds=2)
    texts = [annotated(document) for document in seen]
    disputed = silver_texts([disputing(d, n, 1.0) for n, d in enumerate(remedies(40, seed=5))], seen, field, Context())
    denied = [type(text)(text.text, text.mentions, weight=text.weight) for text in disputed]
    means = []
    for silver in (disputed, denied):
        extractor, measured = train_joint(schema, texts, settings, further=silver)
        tables = [pair_table(schema, annotated(each)) for each in remedies(20, seed=9)]
        odds = np.concatenate([extractor.scorer.log_odds(table)[table.truth] for table in tables])
        means.append(odds.mean())
        assert len(measured.judged) == len(seen)  # nothing is measured on silver
    assert means[0] > means[1] + 1


def test_weights_that_are_all_alike_change_nothing(field):
    schema = schema_of(field)
    tables = [pair_table(schema, annotated(document)) for document in remedies(16)]
    truth = np.concatenate([table.truth for table in tables])
    rows, words = np.vstack([table.numbers for table in tables]), [row for table in tables for row in table.words]
    names, ones = [str(n) for n in range(rows.shape[1])], np.ones(len(truth))
    assert Trees.fit(names, rows, truth).to_dict() == Trees.fit(names, rows, truth, weight=ones).to_dict()
    assert WordModel.fit(words, truth) == WordModel.fit(words, truth, ones)


def test_the_command_takes_silver_and_sets_aside_what_is_none(cli, tmp_path):
    seen = remedies(16)
    silver = [renamed(d, n, agreement=0.8, disputed=[["X", "relieves", "y"]]) for n, d in enumerate(remedies(9, 4))]
    silver[0].id = seen[0].id
    silver[1].extra["agreement"] = "much"
    silver[2].extra["disputed"] = [["organism", "chemical"]]
    silver[3].extra["disputed"] = [["a", "unheard_of", "b"]]
    write_documents(tmp_path / "seen.jsonl", seen)
    write_documents(tmp_path / "silver.jsonl", silver)
    command = ["extractor", "train", tmp_path / "seen.jsonl", "--field", field_file(tmp_path), "--cv", 2]
    made = cli(*command, "--silver", tmp_path / "silver.jsonl", "--out", tmp_path / "m")
    assert made.exit_code == 0, made.stderr
    assert "silver documents: 5" in made.stdout and "synthetic documents: 0" in made.stdout
    rejects = [json.loads(line) for line in (tmp_path / "m.abroad" / "rejects.jsonl").read_text().splitlines()]
    reasons = {each["where"].split()[-1]: each["reason"] for each in rejects}
    assert "same publication" in reasons["0"] and "'agreement'" in reasons["s1"]
    assert all("'disputed' as a list of [head, type, tail]" in reasons[id] for id in ("s2", "s3"))
