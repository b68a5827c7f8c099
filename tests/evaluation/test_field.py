"""Scores of relations of any field: by head, type and tail, either way where a relation is undirected."""

import json
from itertools import permutations

import pytest
import yaml

from abroad.core.errors import InputError
from abroad.core.schema import Document, Entity, Prediction, Relation, Triple
from abroad.evaluation.errors import find_errors
from abroad.evaluation.evaluate import evaluate
from abroad.evaluation.metrics import compare
from abroad.evaluation.report import render_report
from abroad.evaluation.settings import EvaluateSettings

FIELD = {
    "name": "genes",
    "title": "Genes",
    "entities": {"gene": {"singular": "gene", "plural": "genes"}},
    "relations": {
        "binds": {"head": "gene", "tail": "gene", "directed": False, "template": "{head} binds {tail}"},
        "inhibits": {"head": "gene", "tail": "gene", "template": "{head} inhibits {tail}"},
    },
}


def document(*triples, id="1"):
    text = "HNF-6 binds MODY1, and MODY1 inhibits <INS>."
    entities = [Entity(f"NCBIGene:{n}", label, type="gene") for n, label in enumerate(("HNF-6", "MODY1", "<INS>"))]
    triples = [Triple(f"NCBIGene:{head}", type, f"NCBIGene:{tail}") for head, type, tail in triples]
    return Document(id, "", text, entities=entities, relations=triples)


def relation(head, type, tail, ids=False):
    names = ("hnf-6", "MODY1", "<INS>")
    more = {"head_id": f"ncbigene:{head}", "tail_id": f"NCBIGene:{tail}"} if ids else {}
    return Relation(names[head], names[tail], 0.5, type=type, head_type="gene", tail_type="gene", **more)


@pytest.fixture
def field(tmp_path):
    (tmp_path / "genes.yaml").write_text(yaml.safe_dump(FIELD))
    return tmp_path / "genes.yaml"


GOLD = document((0, "binds", 1), (1, "inhibits", 2))


@pytest.mark.parametrize("protocol", ["upstream", "strict", "grounded"])
@pytest.mark.parametrize(("type", "either"), [("binds", True), ("inhibits", False)])
def test_an_undirected_relation_is_the_same_either_way(field, protocol, type, either):
    gold = document((0, type, 1))
    settings = EvaluateSettings(protocol=protocol, field=field)
    for head, tail in permutations((0, 1)):
        said = [Prediction("1", [relation(head, type, tail, ids=True)])]
        right = evaluate([gold], said, settings).comparison.scores.true_positives
        assert right == (1 if either or head == 0 else 0)


def test_the_type_of_a_relation_counts():
    said = [Prediction("1", [relation(0, "inhibits", 1), relation(1, "inhibits", 2)])]
    comparison = compare([GOLD], said)
    assert (comparison.scores.true_positives, comparison.scores.predicted, comparison.scores.gold) == (1, 2, 2)
    assert {(e.side, e.kind) for e in find_errors(comparison)} == {("false", "wrong type"), ("missed", "wrong type")}


def test_both_directions_of_an_undirected_relation_count_once(field):
    said = [Prediction("1", [relation(0, "binds", 1), relation(1, "binds", 0)])]
    scores = evaluate([GOLD], said, EvaluateSettings(field=field)).comparison.scores
    assert (scores.true_positives, scores.predicted) == (1, 1)


def test_each_type_has_scores_of_its_own():
    said = [Prediction("1", [relation(0, "binds", 1), relation(2, "binds", 1)])]
    evaluation = evaluate([GOLD], said)
    rows = {slice.title: {row.name: row.scores for row in slice.rows} for slice in evaluation.slices}
    types = rows["type of the relation"]
    assert (types["binds"].precision, types["binds"].recall, types["inhibits"].recall) == (50, 100, 0)
    assert rows["types of head and tail"]["gene and gene"].gold == 2
    assert rows["both labels verbatim in the text"]["both"].gold == 2


BINDING = document((0, "binds", 1))


@pytest.mark.parametrize(
    ("gold", "said", "kinds"),
    [
        (BINDING, [], {"missed: missed name"}),
        (
            BINDING,
            [relation(1, "binds", 2), relation(0, "binds", 2)],
            {"missed: missed pair", "false: spurious co-occurrence"},
        ),
        (GOLD, [relation(0, "binds", 1), relation(0, "binds", 2)], {"missed: missed pair", "false: wrong pair"}),
    ],
)
def test_errors_say_why(gold, said, kinds):
    assert {f"{e.side}: {e.kind}" for e in find_errors(compare([gold], [Prediction("1", said)]))} == kinds


@pytest.mark.parametrize(
    ("gold", "said"),
    [(GOLD, [relation(0, "binds", 2), relation(1, "inhibits", 0)]), (BINDING, [relation(1, "binds", 2)]), (GOLD, [])],
    ids=["wrong pairs", "spurious", "nothing"],
)
def test_the_report_says_no_word_of_another_field(gold, said):
    evaluation = evaluate([gold], [Prediction("1", said)])
    assert evaluation.errors and all(error.meaning for error in evaluation.errors)
    page = render_report(evaluation)
    assert not [word for word in ("organism", "chemical", "compound") if word in page]


def test_the_report_shows_a_field_and_escapes_its_names():
    page = render_report(evaluate([GOLD], [Prediction("1", [relation(1, "inhibits", 2), relation(2, "binds", 0)])]))
    assert "&lt;INS&gt;" in page and "<INS>" not in page and "type of the relation" in page and "organism" not in page


def test_gold_of_another_field_is_named(field):
    with pytest.raises(InputError, match="not of the field genes: document '1': a relation of the unknown type 'bind'"):
        evaluate([document((0, "bind", 1))], [], EvaluateSettings(field=field))


def test_predictions_of_another_field_equal_no_gold():
    comparison = compare([GOLD], [Prediction("1", [Relation("HNF-6", "MODY1")])])
    assert comparison.scores.true_positives == 0 and comparison.scores.predicted == 1


def test_the_command_scores_a_field(cli, tmp_path, field):
    (tmp_path / "gold.jsonl").write_text(json.dumps(GOLD.to_dict()))
    said = Prediction("1", [relation(1, "binds", 0)])
    (tmp_path / "said.jsonl").write_text(json.dumps(said.to_dict()))
    files = ("--gold", tmp_path / "gold.jsonl", "--pred", tmp_path / "said.jsonl")
    done = cli("evaluate", *files, "--field", field, "--compare", tmp_path / "said.jsonl", "--json")
    assert done.exit_code == 0, done.stderr
    assert (result := json.loads(done.stdout))["true_positives"] == 1 and result["compared_with"]["f1"] == result["f1"]
    assert json.loads(cli("evaluate", *files, "--json").stdout)["true_positives"] == 0
