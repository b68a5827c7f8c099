"""The leaderboard: suites checked before anything runs, every row run once and resumed, a page that explains itself."""

import html
import json
import re

import pytest
import yaml

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_documents, write_documents
from abroad.experiments.leaderboard.run import rows_of
from abroad.experiments.leaderboard.settings import LeaderboardSettings
from abroad.experiments.leaderboard.suite import load_suite
from abroad.experiments.leaderboard.table import COLUMNS
from abroad.extraction.generative.extractor import read_generation
from abroad.text.evidence import is_listed, verbatim_spans
from tests.extraction.joint.remedies import remedies
from tests.sources.servers import Completions

MINI = {
    "name": "mini",
    "tasks": [
        {
            "name": "negation",
            "kind": "cases",
            "cases": [
                {"id": "n1", "text": "Usnea a has x, not y.", "relations": ["Usnea a produces x"]},
                {"id": "n2", "text": "Usnea b has <b>nothing</b>.", "relations": []},
            ],
        },
        {
            "name": "lists",
            "kind": "cases",
            "cases": [{"id": "l1", "text": "Usnea c has p and q.", "relations": ["Usnea c produces p | q"]}],
        },
    ],
}


@pytest.fixture
def write(tmp_path):
    def write(suite):
        path = tmp_path / f"{suite.get('name', 'suite')}.yaml"
        path.write_text(yaml.safe_dump(suite))
        return path

    return write


def test_the_built_in_suite_has_forty_cases_and_more_whose_gold_its_texts_give():
    suite = load_suite("builtin", Context())
    assert len(suite.documents) >= 40 and len(suite.tasks) >= 5
    for document in suite.documents:
        for organism, chemical in document.label_pairs():
            genus, _, species = organism.partition(" ")
            assert genus in document.text and species in document.text, document.id
            given = verbatim_spans(document.text, chemical) or is_listed(document.text, chemical)
            assert given, (document.id, chemical)


def test_gold_of_the_built_in_suite_scores_100_when_it_is_the_answer():
    from abroad.core.linearise import linearise
    from abroad.engines.base import Generation
    from abroad.evaluation.metrics import micro_scores

    documents = load_suite("builtin", Context()).documents
    answers = [Generation(d.id, linearise(d.label_pairs()), "stop", 1) for d in documents]
    predictions = [read_generation(d, answer) for d, answer in zip(documents, answers, strict=True)]
    assert micro_scores(documents, predictions).f1 == 100


def change(**changes):
    return {**MINI, **changes}


@pytest.mark.parametrize(
    ("suite", "message"),
    [
        (change(tasks=[{"name": "x", "kind": "riddles"}]), "expected kind: one of cases, documents, not riddles"),
        (change(task=[]), "task: unknown key"),
        (change(tasks=[]), "tasks"),
        (
            change(tasks=[{**MINI["tasks"][0], "cases": [{"id": "1", "text": "T"}]}]),
            r"tasks\.0\.cases\.cases\.0\.relat",
        ),
        (
            change(tasks=[{**MINI["tasks"][0], "cases": [{"id": "1", "text": "T", "relations": ["a makes b"]}]}]),
            "ORGANISM produces CHEMICAL",
        ),
        (change(tasks=[MINI["tasks"][0], {**MINI["tasks"][0], "name": "again"}]), "'n1' stands twice"),
        (change(tasks=[{"name": "x", "kind": "documents", "path": "nowhere.json"}]), r"tasks\.0\.path: .*no such file"),
    ],
)
def test_a_mistake_in_a_suite_is_named_with_its_key(cli, write, tmp_path, suite, message):
    result = cli("leaderboard", write(suite), "--out", tmp_path / "board")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert re.search(message, result.stderr), result.stderr
    assert "mini.yaml" in result.stderr


def test_unknown_suites_and_orders_are_refused(cli, tmp_path):
    for arguments, message in (
        (["nowhere"], "one of: builtin"),
        (["builtin", "--rank", "best"], "rank 'best'"),
        (["builtin", "--styles", "shouting"], "styles.0"),
        (["builtin", "builtin"], "two suites are called"),
        (["builtin", "--models", "a,b/a"], "two models are called 'a'"),
    ):
        result = cli("leaderboard", *arguments, "--out", tmp_path / "board")
        assert result.exit_code == 2 and message in result.stderr, result.stderr


def test_documents_of_a_file_are_sampled_alike_each_time(write, documents, tmp_path):
    write_documents(tmp_path / "docs.jsonl", documents)
    task = {"name": "curated", "kind": "documents", "path": "docs.jsonl", "sample": 2, "seed": 1}
    first, second = (load_suite(str(write(change(tasks=[task]))), Context()) for _ in range(2))
    assert len(first.documents) == 2 and first.documents == second.documents
    assert set(map(str, (d.id for d in first.documents))) < {d.id for d in read_documents(tmp_path / "docs.jsonl")}


def test_every_combination_is_a_row_once():
    section = LeaderboardSettings(
        models=("a", "b"), styles=("classic", "cot"), shots=(0, 3), retrieve=("fixed", "bm25")
    )
    rows = rows_of(section)
    assert len(rows) == 2 * 2 * (1 + 2) and len({row.name for row in rows}) == len(rows)
    with pytest.raises(InputError, match="likelihood"):
        rows_of(LeaderboardSettings(rank=("nonsense",)))


def answer(body):
    text = body["prompt"].rpartition("Text: ")[2]
    if "Usnea a" in text:
        return " Usnea a produces x; Usnea a produces y", "stop"
    return (" Usnea c produces p", "stop") if "Usnea c" in text else (" <script>alert(1)</script>", "stop")


def test_another_engine_ranks_the_same_model_once_for_all_orders(cli, write, tiny_model, tmp_path):
    config, out = tmp_path / "config.yaml", tmp_path / "board"
    with Completions(answer).serve() as server:
        model = {
            "model": str(tiny_model),
            "engine": "openai",
            "settings": {"base_url": server.url},
            "rank_engine": "transformers",
        }
        section = {"models": [model], "styles": ["classic"], "shots": [0], "rank": ["none", "likelihood", "er-d"]}
        config.write_text(yaml.safe_dump({"leaderboard": section}))
        result = cli("leaderboard", write(MINI), "--config", config, "--out", out)
        assert result.exit_code == 0, result.stderr
        assert not any(body.get("echo") for body in server.asked)
    rows = json.loads((out / "leaderboard.json").read_text())
    assert [row["predicted"] for row in rows] == [3, 2, 2]
    assert len(list((out / "cells").glob("*-ranked-*.jsonl"))) == 1


def test_rows_are_run_ranked_resumed_and_explained(cli, write, tmp_path):
    suite, out = write(MINI), tmp_path / "board"
    config = tmp_path / "config.yaml"
    with Completions(answer).serve() as server:
        model = {
            "model": "m",
            "engine": "openai",
            "settings": {"base_url": server.url},
            "price_in": 1.0,
            "price_out": 2.0,
        }
        section = {"models": [model], "styles": ["classic"], "shots": [0, 2], "rank": ["none", "likelihood"]}
        config.write_text(yaml.safe_dump({"leaderboard": section}))
        command = ["leaderboard", suite, "--config", config, "--retrieve", "fixed", "--out", out]
        server.failures = [None, None, 404]
        assert cli(*command).exit_code == 1
        result = cli(*command)
        assert result.exit_code == 0, result.stderr
        generated = [body for body in server.asked if not body.get("echo")]
        assert len(generated) == 2 * 3 + 1  # 3 documents, with 0 and 2 shots; only what failed was asked again
        asked = len(server.asked)
        assert cli(*command).stdout == result.stdout and len(server.asked) == asked
    rows = json.loads((out / "leaderboard.json").read_text())
    assert [(row["shots"], row["rank"]) for row in rows] == [(s, r) for s in (0, 2) for r in ("none", "likelihood")]
    plain, ranked = rows[0], rows[1]
    assert (plain["true_positives"], plain["predicted"], plain["gold"]) == (2, 3, 3)
    assert plain["f1"] == pytest.approx(66.67) and plain["f1_low"] <= plain["f1"] <= plain["f1_high"]
    assert plain["parse_rate"] == pytest.approx(66.67) and plain["tokens_in"] == 21
    assert plain["price"] == pytest.approx((21 * 1 + plain["tokens_out"] * 2) / 1e6)
    assert set(plain["tasks"]) == {"negation", "lists"} and plain["tasks"]["negation"]["parsed"] == 1
    assert ranked["predicted"] == 2 and ranked["prompt"] == plain["prompt"]  # half of two relations, and the one
    page = (out / "leaderboard.html").read_text()
    for name, meaning in COLUMNS.items():
        assert name in html.unescape(page) and meaning in html.unescape(page)
    assert "&lt;script&gt;alert(1)" in page and "could not be read" in page
    assert "<script>" not in page and "<b>nothing" not in page
    table = (out / "leaderboard.md").read_text()
    assert table == result.stdout and plain["prompt"] in table


def test_documents_of_another_field_are_refused_before_a_model_is_asked(cli, tmp_path):
    write_documents(tmp_path / "dev.jsonl", remedies(3))
    (tmp_path / "s.yaml").write_text("name: s\ntasks: [{kind: documents, name: e, path: dev.jsonl}]\n")
    result = cli("leaderboard", tmp_path / "s.yaml", "--models", "smollm2-135m", "--out", tmp_path / "board")
    assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1
    assert "tasks.0.path" in result.stderr and "not of the field natural_products" in result.stderr
    assert not (tmp_path / "board").exists()
