"""`--rank` of commands that ask first and rank then: what is refused before anything is paid, kept and counted."""

import pytest

from tests.sources.servers import Completions
from tests.synthesis.teaching.test_teach import Teacher, command, inputs

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
