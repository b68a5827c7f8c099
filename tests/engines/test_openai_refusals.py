"""What a server does not take, and how it says so: parameters, long texts, images, everything."""

import json

import httpx
import pytest

from abroad.core.context import Context
from abroad.core.errors import AbroadError
from abroad.core.io import write_documents
from abroad.engines.base import GenerationRequest
from abroad.engines.openai.engine import OpenAiEngine
from abroad.engines.openai.member import OpenAiSettings
from abroad.engines.openai.parameters import parameter_refused
from tests.conftest import make_document
from tests.sources.servers import Completions

IMAGE = "data:image/png;base64,AAAA"


@pytest.fixture
def server():
    with Completions(lambda body: ("an answer", "stop")).serve() as running:
        yield running


def engine(server, concurrency=1, say=lambda message: None, **options):
    settings = OpenAiSettings(base_url=server.url, **{"first_wait": 0.0, "attempts": 2, **options})
    return OpenAiEngine("m", settings, concurrency, context=Context(say=say))


def requests(count, **options):
    return [GenerationRequest(str(number), f"prompt {number}", **options) for number in range(count)]


WORDINGS = {
    "openai": lambda name: {
        "error": {
            "message": f"Unsupported parameter: '{name}' is not supported with this model.",
            "param": name,
            "code": "unsupported_parameter",
        }
    },
    "place": lambda name: {
        "detail": [{"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}]
    },
    "quoted": lambda name: {"object": "error", "message": f'the field "{name}" is unknown here'},
    "bare": lambda name: {"error": f"{name} is not supported"},
    "instead": lambda name: {"error": {"message": f"parameter {name} is not known; use max_completion_tokens instead"}},
}
every_wording = pytest.mark.parametrize("wording", list(WORDINGS))


def refusing(*names, wording="openai", status=400):
    """What a server answers that does not take parameters of these names."""
    return lambda body: next(((status, WORDINGS[wording](name)) for name in names if name in body), None)


@every_wording
@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("name", ["logprobs", "seed", "top_p"])
def test_what_no_answer_depends_on_is_left_out_from_then_on_and_said_once(server, name, chat, wording):
    server.refuse, said = refusing(name, wording=wording, status=422 if wording == "place" else 400), []
    answers = list(engine(server, say=said.append).generate(requests(3, chat=chat)))
    assert [answer.error for answer in answers] == [None] * 3
    assert [name in body for body in server.asked] == [True, False, False, False]
    assert len(said) == 1 and f"does not take {name}: left out" in said[0]


@every_wording
def test_the_length_of_an_answer_is_asked_by_its_newer_name(server, wording):
    server.refuse, said = refusing("max_tokens", wording=wording), []
    answers = list(engine(server, say=said.append).generate(requests(3, max_new_tokens=9)))
    assert [answer.error for answer in answers] == [None] * 3
    assert [body.get("max_completion_tokens") for body in server.asked] == [None, 9, 9, 9]
    assert all(body.keys() & {"max_tokens", "max_completion_tokens"} for body in server.asked) and len(said) == 1


def test_a_server_that_takes_hardly_anything_is_asked_the_same(server):
    server.refuse = refusing("logprobs", "seed", "top_p", "temperature", "max_tokens")
    answers = list(engine(server, concurrency=3).generate(requests(5, temperature=1.0)))
    assert [answer.error for answer in answers] == [None] * 5
    assert server.asked[-1].keys() == {"model", "prompt", "max_completion_tokens"}


@every_wording
@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("temperature", {"temperature": 0.3}, "--temperature 1"),
        ("top_p", {"top_p": 0.5}, "top_p 1"),
        ("stop", {"stop": ("\n",)}, "ends its answers at `stop`"),
        ("structured_outputs", {"regex": "a+"}, "not bound to a form"),
    ],
)
def test_what_decides_the_answer_is_named_with_what_to_do_after_the_first_questions(
    server, name, options, expected, wording
):
    server.refuse = refusing(name, wording=wording)
    with pytest.raises(AbroadError) as caught:
        list(engine(server).generate(requests(40, **options)))
    assert f"does not take this {name}" in str(caught.value) and expected in str(caught.value)
    assert str(caught.value).startswith(f"{server.url}/completions: ") and len(server.asked) == 8


def test_a_value_that_one_request_alone_has_costs_no_other(server):
    words = {"error": {"message": "max_tokens is too large: 9999. This model takes 4096.", "param": "max_tokens"}}
    newer = {"error": {"message": "max_completion_tokens is too large", "param": "max_completion_tokens"}}

    def refuse(body):
        if body.get("max_tokens", 0) > 4096:
            return 400, words
        return (400, newer) if body.get("max_completion_tokens", 0) > 4096 else None

    server.refuse = refuse
    asked = [*requests(1), GenerationRequest("long", "x", max_new_tokens=9999), GenerationRequest("next", "y")]
    answers = {answer.id: answer for answer in engine(server).generate(asked)}
    assert "fewer tokens" in answers["long"].error and answers["long"].ask_again
    assert answers["0"].error is None and answers["next"].error is None and "max_tokens" in server.asked[-1]


@pytest.mark.parametrize(
    "words",
    [
        "the content was filtered; stop reason: safety",
        "we stop here, and seed nothing at this temperature",
        "this model's maximum context length is 4096 tokens; max_tokens was 256",
        "model m is not supported; prompt is empty",
    ],
)
def test_a_sentence_with_the_words_of_parameters_names_none(words):
    body = {"model": "m", "prompt": "x", "stop": ["\n"], "seed": 0, "temperature": 0, "max_tokens": 256}
    assert parameter_refused(body, httpx.Response(400, json={"error": {"message": words}})) is None


def test_first_requests_that_are_all_refused_alike_end_the_run(server):
    server.refuse = lambda body: (400, {"error": {"message": f"{body['prompt']} is not for us"}})
    with pytest.raises(AbroadError, match=r"/completions: the first 8 requests were all refused .*is not for us"):
        list(engine(server).generate(requests(40)))
    assert len(server.asked) == 8


@pytest.mark.parametrize("good", [True, False])
def test_requests_that_are_refused_for_their_own_sake_do_not(server, good):
    def refuse(body):
        number = int(body["prompt"].split()[-1])
        words = "no" if good else "abcdefghijklmnopqrst"[number]
        return None if good and number == 0 else (400, {"error": {"message": words}})

    server.refuse = refuse
    answers = list(engine(server).generate(requests(20)))
    assert len(answers) == 20 and sum(answer.ask_again for answer in answers) == 20 - good


@pytest.mark.parametrize("chat", [False, True])
@pytest.mark.parametrize("failure", [401, 404, 500])
def test_errors_name_the_address_that_was_asked(server, chat, failure):
    server.failures = [failure] * 2
    with pytest.raises(AbroadError) as caught:
        list(engine(server).generate(requests(1, chat=chat)))
    assert str(caught.value).startswith(f"{server.url}/{'chat/' if chat else ''}completions: ")
    assert failure != 500 or "no: 500" in str(caught.value)  # the server's own words


def test_what_cannot_fit_the_context_is_not_sent(server):
    server.max_model_len = 100
    asked = [
        GenerationRequest("fits", "word " * 40, max_new_tokens=60),
        GenerationRequest("prompt", "word " * 101, max_new_tokens=1),
        GenerationRequest("answer", "word", max_new_tokens=100),
        GenerationRequest("ids", tuple(range(50)), max_new_tokens=51),
    ]
    answers = {answer.id: answer for answer in engine(server).generate(asked)}
    assert answers["fits"].error is None and len(server.asked) == 1
    for id in ("prompt", "answer", "ids"):
        assert answers[id].too_long and "do not fit the model's 100 positions" in answers[id].error


def test_a_server_that_does_not_tell_its_context_refuses_for_itself(server):
    assert engine(server).context_length is None
    (answer,) = engine(server).generate(requests(1, max_new_tokens=10**6))
    assert answer.error is None


@pytest.mark.parametrize("first", [True, False])
def test_images_that_a_server_fails_on_lose_their_request_alone(server, first):
    def refuse(body):
        seen = isinstance(body["messages"][0]["content"], list)
        return (500, {"error": {"message": "image input is not supported"}}) if seen else None

    server.refuse = refuse
    pictured = GenerationRequest("image", "x", chat=True, images=(IMAGE,))
    plain = requests(2, chat=True)
    answers = {a.id: a for a in engine(server).generate([pictured, *plain] if first else [*plain, pictured])}
    assert "HTTP 500: image input is not supported" in answers["image"].error and answers["image"].ask_again
    assert [answers[each.id].error for each in plain] == [None, None]


def test_documents_that_a_server_refused_are_read_by_the_next_run_alone(cli, tmp_path):
    documents = [make_document(str(n), f"Report {n}.", f"Usnic acid was found in Usnea {n}.", []) for n in range(4)]
    write_documents(tmp_path / "docs.jsonl", documents)
    out = tmp_path / "predictions.jsonl"
    with Completions(lambda body: ("none", "stop")).serve() as server:
        server.refuse = lambda body: (400, {"error": "no"}) if "Report 2." in str(body) else None
        how = ("--engine", "openai", "--model", "m", "--base-url", server.url, "--shots", 0)
        for _ in range(2):
            assert cli("fewshot", tmp_path / "docs.jsonl", "--out", out, *how).exit_code == 0
        assert len(server.asked) == 4 + 1
        errors = [json.loads(line)["error"] for line in out.read_text().splitlines()]
        assert [error is None for error in errors] == [True, True, False, True] and "HTTP 400" in errors[2]
        server.refuse = None
        assert cli("fewshot", tmp_path / "docs.jsonl", "--out", out, *how).exit_code == 0
        assert len(server.asked) == 4 + 2
    assert all(json.loads(line)["error"] is None for line in out.read_text().splitlines())
