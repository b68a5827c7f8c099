"""The engine for servers, against a local one that speaks the completions API and fails in every way."""

import itertools
import json

import pytest

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.engines.base import GenerationRequest
from abroad.engines.openai.engine import OpenAiEngine
from abroad.engines.openai.member import OpenAiSettings
from abroad.engines.spec import make_engine
from tests.sources.servers import Completions


def echo(body):
    return f"{body['prompt']} and more", "length" if body["max_tokens"] < 5 else "stop"


@pytest.fixture
def server():
    with Completions(echo).serve() as running:
        yield running


def engine(server, concurrency=4, context=None, **options):
    settings = OpenAiSettings(base_url=server.url, **{"first_wait": 0.0, "attempts": 4, **options})
    return OpenAiEngine("m", settings, concurrency, context=context)


def requests(count, **options):
    return (GenerationRequest(str(number), f"prompt {number}", **options) for number in range(count))


def test_every_request_is_answered_with_its_own_settings(server):
    sampled = GenerationRequest("a", "hello", max_new_tokens=9, temperature=0.7, top_p=0.9, seed=3, stop=("\n",))
    ids = GenerationRequest("b", (1, 2, 3), max_new_tokens=2)
    answers = {answer.id: answer for answer in engine(server).generate([sampled, ids])}
    assert answers["a"].text == "hello and more" and answers["a"].finish_reason == "stop"
    assert (answers["a"].tokens, answers["a"].logprob) == (3, -0.75)
    assert answers["b"].finish_reason == "length"
    asked = {body["max_tokens"]: body for body in server.asked}
    assert asked[9] == {
        "model": "m",
        "prompt": "hello",
        "max_tokens": 9,
        "temperature": 0.7,
        "top_p": 0.9,
        "seed": 3,
        "logprobs": 1,
        "stop": ["\n"],
    }
    assert asked[2]["prompt"] == [1, 2, 3]


@pytest.mark.parametrize("failure", [429, 500, 503, "hang up", "truncated", "slow"])
def test_what_passes_is_tried_again(server, failure):
    server.failures = [failure, failure]
    said = []
    answers = list(engine(server, timeout=0.3, concurrency=1, context=Context(say=said.append)).generate(requests(2)))
    assert [answer.error for answer in answers] == [None, None] and len(said) == 2


@pytest.mark.parametrize(("failure", "reason"), [(400, "no: 400"), (422, "no: 422"), ("empty", "empty completion")])
def test_a_request_that_is_refused_or_empty_loses_only_itself(server, failure, reason):
    server.failures = [failure]
    answers = list(engine(server, concurrency=1).generate(requests(3)))
    assert [reason in (answer.error or "") for answer in answers] == [True, False, False]


@pytest.mark.parametrize(("failure", "message"), [(401, "OPENAI_API_KEY"), (404, "the model that the server holds")])
def test_what_no_retry_mends_ends_the_run_with_what_to_do(server, failure, message):
    server.failures = [failure]
    with pytest.raises(AbroadError, match=message):
        list(engine(server).generate(requests(1)))


def test_a_server_that_is_down_ends_the_run_at_once(server):
    down = OpenAiEngine("m", OpenAiSettings(base_url="http://127.0.0.1:9/v1", attempts=2, first_wait=0.0))
    with pytest.raises(AbroadError, match="is there a network"):
        list(down.generate(requests(1)))


def test_no_more_requests_run_at_once_than_asked_for(server):
    server.delay = 0.02
    assert len(list(engine(server, concurrency=3).generate(requests(12)))) == 12
    assert server.most_at_once <= 3


def test_prompts_are_taken_as_answers_are(server):
    taken = itertools.count()
    endless = (GenerationRequest(str(next(taken)), "x") for _ in itertools.repeat(None))
    answers = engine(server, concurrency=2).generate(endless)
    for _ in range(5):
        next(answers)
    answers.close()
    assert next(taken) < 20


def test_beams_are_refused_one_by_one(server):
    (answer,) = engine(server).generate([GenerationRequest("1", "x", beams=2)])
    assert "no beam search" in answer.error and server.asked == []


def test_the_key_goes_into_the_header_and_nowhere_else(server, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    running = make_engine("openai", "m", batch_size=2)
    assert list(running.generate(requests(1))) and server.keys == ["Bearer secret"]
    assert "secret" not in repr(vars(running)) and "secret" not in capsys.readouterr().err


def test_an_address_that_is_none_is_refused_wherever_it_stands(monkeypatch):
    with pytest.raises(InputError, match="http://HOST:PORT/v1"):
        OpenAiSettings(base_url="localhost:8000")
    monkeypatch.setenv("OPENAI_BASE_URL", "localhost:8000")
    with pytest.raises(InputError, match="http://HOST:PORT/v1"):
        make_engine("openai", "m")


def test_scores_are_of_the_continuation_alone(server):
    first, second = engine(server).score(["usnea gave", "usnea ga"], [" usnic acid", "ve lichenin"])
    assert first == (-(len(" usnic") + len(" acid")), 2)
    assert second == (-(len(" gave") + len(" lichenin")), 2)  # the token across the seam counts


def test_a_server_without_log_probabilities_of_prompts_cannot_score(server):
    server.echo_logprobs = False
    with pytest.raises(InputError, match="no log-probabilities of a prompt"):
        engine(server).score(["a"], [" b"])
    server.failures = [422]
    with pytest.raises(InputError, match="no: 422"):
        engine(server).score(["a"], [" b"])
    with pytest.raises(InputError, match="not as token ids"):
        engine(server).score([(1, 2)], [" b"])


def prompt_file(path, count):
    path.write_text(
        "".join(json.dumps({"id": str(n), "prompt": f"Write {n}.", "ArticleTitle": "T"}) + "\n" for n in range(count))
    )
    return path


def test_abstracts_from_the_command_line_survive_a_server_that_dies(cli, tmp_path, server):
    prompts, out = prompt_file(tmp_path / "prompts.jsonl", 6), tmp_path / "abstracts.jsonl"
    command = ["synth", "generate", prompts, "--engine", "openai", "--model", "m", "--batch-size", 1, "--out", out]
    server.failures = [None, None, None, 404]
    first = cli(*command, "--base-url", server.url)
    assert first.exit_code == 1 and not out.exists()
    second = cli(*command, "--base-url", server.url)
    assert second.exit_code == 0 and "from an earlier run" in second.stderr
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [record["id"] for record in records] == [str(n) for n in range(6)]
    assert records[0]["AbstractText"] == "Write 0. and more"
    asked = [body["prompt"] for body in server.asked]
    assert sorted(asked) == sorted([*(f"Write {n}." for n in range(6)), "Write 3."])  # only what failed, again


def test_options_of_other_engines_are_refused(cli, tmp_path):
    prompts = prompt_file(tmp_path / "prompts.jsonl", 1)
    for options in (
        ["--base-url", "http://x/v1"],
        ["--engine", "openai", "--set", "amateur=smollm2-135m"],
        ["--set", "x"],
    ):
        result = cli("synth", "generate", prompts, "--out", tmp_path / "x.jsonl", *options)
        assert result.exit_code == 2 and result.stderr.count("\n") == 1
