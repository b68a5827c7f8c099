"""`--rank` of commands that ask first and rank then: what is refused before anything is paid, kept and counted."""

import re

import pytest

from abroad.core.io import read_documents
from tests.sources.servers import Completions
from tests.synthesis.teaching.test_teach import COUNT, Teacher, command, inputs, lines, record

__all__ = ["inputs"]


def scored(server):
    return [body for body in server.asked if body.get("echo")]


def asked_of(server):
    return [body for body in server.asked if not body.get("echo")]


def teach(inputs, server, out, *more):
    return command(inputs, server, out, *more)


def fewshot(inputs, server, out, *more):
    engine = ("--engine", "openai", "--model", "m", "--base-url", server.url)
    return ["fewshot", inputs, "--out", out, *engine, "--set", "first_wait=0", "--set", "attempts=2", *more]


RANKING = [teach, fewshot]


@pytest.mark.parametrize("how", RANKING)
@pytest.mark.parametrize("failure", [None, 404, 405, 400])
def test_a_server_that_cannot_rank_is_told_before_it_is_paid(cli, inputs, tmp_path, how, failure):
    with Completions(Teacher(), echo_logprobs=False).serve() as server:
        server.failures = [failure]
        result = cli(*how(inputs, server, tmp_path / "s.jsonl", "--rank", "er-d"))
        assert result.exit_code == 2, result.output
        assert "--rank" in result.stderr and "log-probabilities of a prompt" in result.stderr
        assert len(server.asked) == 1 and scored(server)
        assert len(server.asked[0]["prompt"]) < 100


@pytest.mark.parametrize(
    ("how", "more"), [(teach, ()), (teach, ("--estimate",)), (fewshot, ())], ids=["teach", "estimate", "fewshot"]
)
def test_an_order_that_there_is_not_is_refused(cli, inputs, tmp_path, how, more):
    with Completions(Teacher()).serve() as server:
        result = cli(*how(inputs, server, tmp_path / "s.jsonl", "--rank", "foo", *more))
        assert result.exit_code == 2 and "--rank" in result.stderr and "er-d" in result.stderr and not server.asked


class Both(Teacher):
    """Names two acids of every document, so that each has something to rank."""

    def __call__(self, body):
        if not body.get("echo"):
            super().__call__(body)
        return "Usnea testalis produces usnic acid; Usnea testalis produces atranorin", "stop"


def told(result):
    """(tokens of the estimate, of them for ranking, spent, of them for ranking), as people are told."""
    words = result.stderr.replace(",", "")
    most = re.search(r"about (\d+) tokens of prompts and at most (\d+) of answers", words)
    spent = re.search(r"spent (\d+) tokens of prompts and (\d+) of answers.*ranking took about (\d+)", words)
    ranking = re.search(r"of these ranking takes (\d+) at most", words)
    return sum(map(int, most.groups())), int(ranking[1]), int(spent[1]) + int(spent[2]), int(spent[3])


def test_ranking_is_in_the_estimate_and_in_what_was_spent(cli, inputs, tmp_path):
    out = tmp_path / "silver.jsonl"
    with Completions(Both()).serve() as server:
        result = cli(*teach(inputs, server, out, "--rank", "likelihood"))
        assert result.exit_code == 0, result.stderr
        assert len(scored(server)) == 1 + COUNT * 2 * 5  # whether it can; five texts for each of two relations
        assert len(asked_of(server)) == 2 * COUNT
    most, most_ranking, spent, ranking = told(result)
    assert 0 < ranking <= most_ranking < most and ranking < spent <= most
    cost = record(out)["ranking"]
    assert cost["tokens"] == COUNT * 2 * 5 and cost["prompt_tokens"] + cost["tokens"] == ranking
    assert all(len(document.relations) == 1 for document in read_documents(out))  # the better half


def test_the_same_command_again_asks_and_pays_nothing(cli, inputs, tmp_path):
    out = tmp_path / "silver.jsonl"
    with Completions(Both()).serve() as server:
        first = cli(*teach(inputs, server, out, "--rank", "er-d"))
        silver, asked = out.read_bytes(), len(server.asked)
        again = cli(*teach(inputs, server, out, "--rank", "er-d"))
        assert again.exit_code == 0 and len(server.asked) == asked and out.read_bytes() == silver
        assert told(again) == told(first)
        other = cli(*teach(inputs, server, out, "--rank", "likelihood"))  # another order is another question
        assert other.exit_code == 0 and len(server.asked) == asked + 1 + COUNT * 10


def test_what_ranking_cannot_change_is_not_asked(cli, inputs, tmp_path):
    with Completions(Both()).serve() as server:
        result = cli(*teach(inputs, server, tmp_path / "all.jsonl", "--rank", "er-d", "--keep", 1))
        assert result.exit_code == 0 and len(scored(server)) == 1
    with Completions(Teacher()).serve() as server:  # one relation each: the better half of it is it
        result = cli(*teach(inputs, server, tmp_path / "one.jsonl", "--rank", "er-d"))
        assert result.exit_code == 0 and len(scored(server)) == 1


def spent_on(out):
    cost = record(out)["cost"]
    return cost["prompt_tokens"] + cost["tokens"]


@pytest.mark.parametrize("share", [0.3, 0.5, 0.8])
def test_a_budget_bears_ranking_too_and_a_larger_one_goes_on(cli, inputs, tmp_path, share):
    """It gives silver at once, and does not end with answers that nobody ranks; and nothing is asked twice."""
    out, whole = tmp_path / "silver.jsonl", tmp_path / "whole.jsonl"
    with Completions(Both(), count_tokens=lambda body: len(str(body)) // 4).serve() as server:
        assert cli(*teach(inputs, server, whole, "--rank", "er-d")).exit_code == 0
        budget, server.asked = int(share * spent_on(whole)), []
        poor = cli(*teach(inputs, server, out, "--rank", "er-d", "--budget-tokens", budget))
        report = record(out)
        assert poor.exit_code == 0 and report["stopped"] and spent_on(out) <= budget, poor.stderr
        assert report["left"] == COUNT - report["silver"] and report["set_aside"] == 0
        assert report["silver"] >= len(asked_of(server)) / 2 - 1
        rich = cli(*teach(inputs, server, out, "--rank", "er-d", "--budget-tokens", 10**6))
        assert rich.exit_code == 0, rich.stderr
        assert len(asked_of(server)) == 2 * COUNT and len(scored(server)) == 2 + COUNT * 10
    assert record(out)["silver"] == COUNT and record(out)["left"] == 0 and spent_on(out) >= spent_on(whole) * 0.9


def test_a_server_that_falls_silent_while_it_ranks_is_asked_again(cli, inputs, tmp_path):
    out = tmp_path / "silver.jsonl"
    with Completions(Both()).serve() as server:
        server.failures = [None] * (1 + 2 * COUNT) + [429] * 2  # a text of the first group, in all tries
        first = cli(*teach(inputs, server, out, "--rank", "er-d"))
        assert first.exit_code == 0, first.stderr
        left = record(out)["left"]
        assert left and "did not answer" in first.stderr and record(out)["silver"] == COUNT - left
        assert all("the next run asks again" in each["reason"] for each in lines(rejects_of(out)))
        server.failures, asked = [], len(server.asked)
        assert cli(*teach(inputs, server, out, "--rank", "er-d")).exit_code == 0
        assert len(server.asked) - asked == 1 + 10 * left and record(out)["silver"] == COUNT


def rejects_of(out):
    return out.parent / f"{out.name}.abroad" / "rejects.jsonl"
