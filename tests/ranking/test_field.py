"""Relations of any field are ranked as its templates state them; those of two fields are not ranked together."""

import json

import pytest

from abroad.core.errors import InputError
from abroad.core.field import Field
from abroad.core.field_file import NewField, new_field
from abroad.core.io import read_predictions, write_documents, write_jsonl
from abroad.core.schema import Document, Entity, Prediction, Relation, Triple
from abroad.engines.base import Score
from abroad.ranking.compare import compare_orders
from abroad.ranking.rank import RankSettings, merge_runs, rank_outputs, rank_relations, reorder
from abroad.ranking.statements import Statements

GENES = Field.model_validate(
    {
        "name": "genes",
        "title": "Genes",
        "entities": {"gene": {"singular": "gene", "plural": "genes"}},
        "relations": {
            "binds": {"head": "gene", "tail": "gene", "directed": False, "template": "{head} binds to {tail}"},
            "blocks": {"head": "gene", "tail": "gene", "template": "{head} blocks {tail}"},
        },
    }
)
TYPES = {"head_type": "gene", "tail_type": "gene"}


class Asked:
    """An engine that notes what it is asked, and holds a statement correct where it says "blocks"."""

    def __init__(self):
        self.said = set()

    def score(self, prompts, continuations):
        return [self._one(*each) for each in zip(prompts, continuations, strict=True)]

    def _one(self, prompt, text):
        if text in (" correct", " incorrect"):
            holds = "about the text: ABC blocks DEF" in prompt
            return Score(-0.1 if holds == (text == " correct") else -2.5, 1)
        self.said.add(text.strip())
        right = "ABC blocks DEF" in text
        return Score(-2.0 if right == (not prompt.endswith("Incorrect statement about the text:")) else -8.0, 2)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "genes.yaml").write_text(GENES.model_dump_json())
    entities = [Entity(name, name, type="gene") for name in ("ABC", "DEF", "GHI")]
    gold = Document("1", "Genes.", "ABC blocks DEF.", entities=entities, relations=[Triple("ABC", "blocks", "DEF")])
    write_documents(tmp_path / "docs.jsonl", [gold])
    said = [("DEF", "binds", "ABC"), ("ABC", "binds", "DEF"), ("ABC", "blocks", "DEF"), ("DEF", "blocks", "ABC")]
    relations = [Relation(head, tail, 0.5, type=type, **TYPES) for head, type, tail in said]
    write_jsonl(tmp_path / "p.jsonl", [Prediction("1", relations).to_dict()])
    return tmp_path


def read(folder):
    from abroad.core.io import read_documents

    return read_documents(folder / "docs.jsonl"), read_predictions(folder / "p.jsonl")


def test_candidates_are_stated_by_the_templates_and_undirected_ones_once(folder):
    documents, predictions = read(folder)
    engine, settings = Asked(), RankSettings(field=folder / "genes.yaml")
    (ranked,) = rank_relations(engine, documents, predictions, settings)
    assert engine.said == {"ABC binds to DEF", "ABC blocks DEF", "DEF blocks ABC"}
    assert next((r.head, r.type, r.tail) for r in ranked.relations) == ("ABC", "blocks", "DEF")
    assert {r.score for r in ranked.relations} == {0.5} and len(ranked.relations) == 3
    first = ranked.extra["ranking"][0]
    assert {name: first[name] for name in ("head", "type", "tail", *TYPES)} == {
        "head": "ABC", "type": "blocks", "tail": "DEF", **TYPES
    }  # fmt: skip
    comparison = compare_orders(documents, [ranked])
    assert (comparison.candidates, comparison.correct) == (3, 1) and comparison.orders[-1].first == 100
    assert reorder(ranked, RankSettings(by="likelihood")).relations[0] == ranked.relations[0]


def test_whole_outputs_are_stated_likewise(folder):
    documents, (prediction,) = read(folder)
    right = Prediction("1", [prediction.relations[2]])
    engine = Asked()
    (chosen,) = rank_outputs(engine, documents, [[prediction], [right]], RankSettings(field=folder / "genes.yaml"))
    assert chosen.relations == right.relations and "ABC blocks DEF" in engine.said
    assert compare_orders(documents, [chosen]).whole


def test_runs_are_joined_without_saying_an_undirected_relation_twice(folder):
    _, (prediction,) = read(folder)
    runs = [[Prediction("1", prediction.relations[:1])], [Prediction("1", prediction.relations[1:])]]
    (joined,) = merge_runs(runs, Statements(GENES))
    assert [(r.type, r.head) for r in joined.relations] == [("binds", "DEF"), ("blocks", "ABC"), ("blocks", "DEF")]


def test_the_same_predictions_are_ranked_anew_where_the_field_says_something_else(folder):
    same, other = RankSettings(field=folder / "genes.yaml"), folder / "other.yaml"
    other.write_text((folder / "genes.yaml").read_text())
    assert same.identity() == same.replace(field=other).identity() != RankSettings().identity()
    other.write_text((folder / "genes.yaml").read_text().replace("blocks {tail}", "stops {tail}"))
    assert same.identity() != same.replace(field=other).identity()


def test_a_real_model_ranks_a_file_of_another_field(cli, tiny_model, folder):
    command = ["rank", folder / "docs.jsonl", folder / "p.jsonl", "--model", tiny_model, "--out", folder / "r.jsonl"]
    made = cli(*command, "--field", folder / "genes.yaml", "--report", folder / "r.html")
    assert made.exit_code == 0, made.output
    (record,) = map(json.loads, (folder / "r.jsonl").read_text().splitlines())
    assert len(record["relations"]) == len(record["ranking"]) == 3 and record["error"] is None
    assert (folder / "r.html").read_text().startswith("<!doctype html>")


def test_another_field_is_named_before_a_model_is_loaded(cli, folder):
    (folder / "decay.yaml").write_text(new_field(NewField(name="decay", head="mould", tail="dye", verb="eats")))
    for field, said in (
        ("natural_products", "not of the field natural_products: document '1': entities of the unknown type 'gene'"),
        (folder / "decay.yaml", "not of the field decay: document '1'"),
    ):
        command = ["rank", folder / "docs.jsonl", folder / "p.jsonl", "--model", "none", "--out", folder / "r.jsonl"]
        refused = cli(*command, "--field", field)
        assert refused.exit_code == 2 and said in " ".join(refused.stderr.split()), refused.output
    documents, predictions = read(folder)
    with pytest.raises(InputError, match="predictions of '1': of another field than natural products"):
        list(rank_relations(Asked(), documents, predictions))
