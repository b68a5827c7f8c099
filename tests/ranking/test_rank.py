"""Ranking of real candidates by a real small model: nothing lost, nothing scored that was not."""

import json

import pytest

from abroad.core.errors import InputError
from abroad.core.io import read_predictions, write_documents, write_jsonl
from abroad.core.schema import Prediction, Relation
from abroad.engines.base import Score
from abroad.engines.spec import make_engine
from abroad.ranking.compare import compare_orders
from abroad.ranking.orders import ORDERS
from abroad.ranking.policies import CandidateSet
from abroad.ranking.rank import RankSettings, rank_candidates, rank_outputs, rank_relations, reorder
from tests.conftest import make_document
from tests.sources.servers import Completions

GOLD = [
    make_document("1", "Usnea.", "Usnic acid was isolated from Usnea testalis.", [("Usnea testalis", "usnic acid")]),
    make_document("2", "Ruta.", "Ruta fictiva gave {scopoletin}.", [("Ruta fictiva", "scopoletin")]),
    make_document("3", "None.", "We compare plate readers.", []),
]


def prediction(id, *pairs, **rest):
    return Prediction(id, [Relation(*pair, score=0.5) for pair in pairs], **rest)


CANDIDATES = [
    prediction("1", ("Usnea testalis", "usnic acid"), ("Usnea testalis", "plates"), ("acid", "Usnea")),
    prediction("2", ("Ruta fictiva", "gold"), ("Ruta fictiva", "scopoletin")),
    prediction("3"),
]


@pytest.fixture(scope="module")
def engine(tiny_model):
    return make_engine("transformers", str(tiny_model), batch_size=8)


@pytest.fixture(scope="module")
def ranked(engine):
    return list(rank_relations(engine, GOLD, CANDIDATES))


def test_a_real_model_ranks_and_every_order_holds_every_candidate(smollm2):
    real = make_engine("transformers", str(smollm2), batch_size=8)
    text = "Paris is the capital of France."
    first = CandidateSet("x", text, ("The capital of France is Paris", "The capital of France is green ideas"))
    ranking = next(rank_candidates(real, [first]))
    for by in ORDERS.names():
        assert sorted(ranking.order(by)) == [0, 1]
    assert ranking.order("likelihood") == [0, 1]
    assert all(0 <= row[by] <= 1 for row in ranking.details() for by in ORDERS.names())


def test_relations_are_put_in_order_and_keep_their_own_scores(ranked):
    for before, after in zip(CANDIDATES, ranked, strict=True):
        rows = after.extra["ranking"]
        assert sorted(row["place"] for row in rows) == list(range(len(before.relations)))
        assert [row["er-d"] for row in rows] == sorted((row["er-d"] for row in rows), reverse=True)
        assert [(r.organism, r.chemical) for r in after.relations] == [(r["organism"], r["chemical"]) for r in rows]
        assert all(relation.score == 0.5 for relation in after.relations)


@pytest.mark.parametrize(
    ("settings", "kept"), [(RankSettings(keep=0.34), [1, 1, 0]), (RankSettings(min_probability=1.0), [0, 0, 0])]
)
def test_what_is_not_kept_is_left_out_but_stands_in_the_record(engine, settings, kept):
    found = list(rank_relations(engine, GOLD, CANDIDATES, settings))
    assert [len(p.relations) for p in found] == kept
    assert [len(p.extra["ranking"]) for p in found] == [3, 2, 0]


@pytest.mark.parametrize("by", ORDERS.own)
def test_a_ranked_prediction_is_put_in_another_order_without_a_model(engine, ranked, by):
    settings = RankSettings(by=by, keep=0.5)
    asked = list(rank_relations(engine, GOLD, CANDIDATES, settings))
    assert [reorder(prediction, settings).relations for prediction in ranked] == [p.relations for p in asked]
    failed = Prediction("1", error="the model was ill")
    assert reorder(failed, settings) == failed


def test_one_candidate_is_first(engine):
    found = next(iter(rank_relations(engine, GOLD[:1], [prediction("1", ("Usnea testalis", "usnic acid"))])))
    assert found.extra["ranking"][0]["er-g"] == pytest.approx(1) and len(found.relations) == 1


def test_what_does_not_fit_the_context_gets_an_error_and_no_score_and_the_rest_goes_on(engine):
    long = make_document("long", "T.", "word " * 900, [])
    found = list(rank_relations(engine, [long, *GOLD], [prediction("long", ("A b", "c")), *CANDIDATES]))
    assert "context" in found[0].error and found[0].relations == [] and "ranking" not in found[0].extra
    assert all(p.error is None for p in found[1:])


def test_a_prediction_with_an_error_stays_as_it_is(engine):
    failed = Prediction("1", error="the model was ill")
    assert list(rank_relations(engine, GOLD, [failed])) == [failed]


def test_a_whole_output_is_chosen(engine):
    runs = [CANDIDATES, [prediction("1", ("Usnea testalis", "usnic acid")), prediction("2"), prediction("3")]]
    found = list(rank_outputs(engine, GOLD, runs))
    for document, chosen in zip(GOLD, found, strict=True):
        run = {p.id: p for p in runs[chosen.extra["chosen"]]}
        assert chosen.relations == run[document.id].relations
    assert len(found[2].extra["ranking"]) == 1  # both said that there is none
    comparison = compare_orders(GOLD, found)
    assert comparison.whole and comparison.ceiling >= max(order.f1 for order in comparison.orders)


def test_no_output_to_choose_from_is_an_error(engine):
    failed = [Prediction("1", error="x")]
    assert "no output" in next(iter(rank_outputs(engine, GOLD[:1], [failed, failed]))).error


class Knowing:
    """An engine whose log-probabilities are given: the candidate with the word is probable and correct."""

    def score(self, prompts, continuations):
        def one(prompt, text):
            right = "scopoletin" in text or "usnic acid" in text or "chemical usnic" in text
            if text in (" correct", " incorrect"):
                holds = "produces scopoletin" in prompt or "produces usnic acid" in prompt
                return Score(-0.1 if holds == (text == " correct") else -2.5, 1)
            wanted = not prompt.endswith("Incorrect statement about the text:")
            return Score(-2.0 if right == wanted else -8.0, 2)

        return [one(*pair) for pair in zip(prompts, continuations, strict=True)]


def test_where_the_model_knows_every_order_is_right():
    found = list(rank_relations(Knowing(), GOLD, CANDIDATES))
    comparison = compare_orders(GOLD, found, share=0.34)
    by_name = {order.name: order for order in comparison.orders}
    assert all(by_name[by].average_precision == 100 and by_name[by].first == 100 for by in ORDERS.names())
    assert by_name["as given"].average_precision == pytest.approx(75)  # second of two in one of two documents
    # One right of three: (1 + 1/2 + 1/3) / 3; one right of two: (1 + 1/2) / 2.
    assert comparison.chance == pytest.approx(100 * (11 / 18 + 3 / 4) / 2)
    assert by_name["er-d"].f1 == 100 and by_name["as given"].f1 == 50
    assert (comparison.candidates, comparison.correct, comparison.mattering) == (5, 2, 2)
    assert comparison.before.verdicts == comparison.after.verdicts == 0


def test_nothing_to_compare_is_said(ranked):
    with pytest.raises(InputError, match="abroad rank"):
        compare_orders(GOLD, CANDIDATES)
    with pytest.raises(InputError, match="gold"):
        compare_orders([make_document("1", "T.", "Text.", [])], ranked)


@pytest.mark.parametrize("wrong", [{"by": "er"}, {"keep": 0.0}, {"min_probability": 2.0}])
def test_wrong_settings_are_refused(wrong):
    with pytest.raises(InputError):
        RankSettings(**wrong)


@pytest.fixture
def files(tmp_path):
    write_documents(tmp_path / "docs.jsonl", GOLD)
    write_jsonl(tmp_path / "pred.jsonl", (p.to_dict() for p in CANDIDATES))
    return tmp_path


def test_the_command_ranks_reports_and_goes_on_where_it_was(cli, files, tiny_model):
    command = ["rank", files / "docs.jsonl", files / "pred.jsonl", "--model", tiny_model, "--out", files / "out.jsonl"]
    result = cli(*command, "--report", files / "r.html", "--json")
    assert result.exit_code == 0, result.output
    assert {order["name"] for order in json.loads(result.stdout)["orders"]} == {"as given", *ORDERS.names()}
    assert "<table>" in (files / "r.html").read_text() and (files / "out.jsonl.abroad" / "run.json").exists()
    before = (files / "out.jsonl").read_bytes()
    again = cli(*command)
    assert again.exit_code == 0 and (files / "out.jsonl").read_bytes() == before
    assert json.loads((files / "out.jsonl.abroad" / "run.json").read_text())["result"]["resumed"] == 3
    assert len(read_predictions(files / "out.jsonl")) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "er"], "unknown order"),
        (["--whole"], "two files"),
        (["--keep", "0"], "keep"),
        (["--set", "x=1"], "no setting"),
        (["--model", "nowhere"], "no such model"),
    ],
)
def test_wrong_use_ends_with_a_line(cli, files, tiny_model, arguments, message):
    base = ["rank", files / "docs.jsonl", files / "pred.jsonl", "--out", files / "out.jsonl"]
    result = cli(*base, *([] if "--model" in arguments else ["--model", tiny_model]), *arguments)
    assert result.exit_code == 2 and message in result.output, result.output


def test_predictions_of_other_documents_are_refused(cli, files, tiny_model):
    write_jsonl(files / "other.jsonl", [prediction("elsewhere", ("A", "b")).to_dict()])
    result = cli("rank", files / "docs.jsonl", files / "other.jsonl", "--model", tiny_model, "--out", files / "o.jsonl")
    assert result.exit_code == 2 and "none of its documents" in result.output


@pytest.mark.parametrize("gives", [True, False])
def test_a_server_ranks_if_it_gives_log_probabilities_and_says_so_if_not(cli, files, gives):
    with Completions(lambda body: ("", "stop"), echo_logprobs=gives).serve() as server:
        base = ["rank", files / "docs.jsonl", files / "pred.jsonl", "--out", files / "out.jsonl", "--model", "any"]
        result = cli(*base, "--engine", "openai", "--set", f"base_url={server.url}")
    if gives:
        assert result.exit_code == 0, result.output
        assert [p.error for p in read_predictions(files / "out.jsonl")] == [None] * 3
    else:
        assert result.exit_code == 2 and "log-prob" in result.output and not (files / "out.jsonl").exists()
