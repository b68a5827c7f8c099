"""The engine protocol's behaviour, on a real model; other engines join ENGINES."""

import math

import pytest

from abroad.engines.base import GenerationRequest, make_engine
from abroad.errors import InputError


@pytest.fixture(scope="module")
def engine(smollm2):
    return make_engine("transformers", str(smollm2), batch_size=4)


def request(id="r", prompt="The capital of France is", **options):
    return GenerationRequest(id, prompt, **{"max_new_tokens": 8, **options})


def texts(engine, requests):
    return {answer.id: answer.text for answer in engine.generate(requests)}


def test_greedy_text_is_sensible_and_repeatable(engine):
    first, second = (next(engine.generate([request()])) for _ in range(2))
    assert "Paris" in first.text and first == second
    assert first.tokens == 8 and first.finish_reason == "length" and first.logprob < 0


def test_a_text_does_not_depend_on_its_batch(engine):
    mixed = [
        request("greedy"),
        request("warm", temperature=0.8, seed=1),
        request("long", prompt="Plants make many compounds. " * 6 + "For example,", temperature=0.5, seed=2),
    ]
    together = texts(engine, mixed)
    assert together == {item.id: next(engine.generate([item])).text for item in mixed}


def test_seeds_and_temperature_change_a_sampled_text(engine):
    sampled = texts(engine, [request(str(seed), temperature=1.0, seed=seed, max_new_tokens=12) for seed in range(4)])
    assert len(set(sampled.values())) > 1


def test_a_tiny_nucleus_is_greedy(engine):
    greedy, nucleus = request("g"), request("n", temperature=1.0, top_p=1e-6, seed=5)
    found = texts(engine, [greedy, nucleus])
    assert found["g"] == found["n"]


def test_the_text_ends_before_a_stop_string(engine):
    plain = next(engine.generate([request()])).text
    stopped = next(engine.generate([request(stop=("Paris",))]))
    assert plain.startswith(stopped.text) and "Paris" not in stopped.text and stopped.finish_reason == "stop"


def test_every_request_is_answered_once_and_streams(engine):
    def endless():
        for number in range(10_000_000):
            yield request(str(number), max_new_tokens=1)

    stream = engine.generate(endless())
    assert len({next(stream).id for _ in range(10)}) == 10


def test_beam_search_finds_a_text_at_least_as_probable(engine):
    greedy, beam = request("g"), request("b", beams=3, length_penalty=0.0, early_stopping=False)
    found = {answer.id: answer for answer in engine.generate([greedy, beam])}
    assert found["b"].logprob >= found["g"].logprob - 1e-3 and math.isfinite(found["b"].logprob)


def test_token_ids_are_taken_as_they_are(engine):
    ids = tuple(engine.tokenizer("The capital of France is")["input_ids"])
    assert texts(engine, [request("a")])["a"] == texts(engine, [request("b", prompt=ids)])["b"]


def test_a_prompt_beyond_the_context_gets_an_error_and_the_rest_goes_on(tiny_model):
    engine = make_engine("transformers", str(tiny_model))
    answers = {a.id: a for a in engine.generate([request("long", prompt="word " * 600), request("short")])}
    assert "512 positions" in answers["long"].error and answers["short"].error is None


def test_unknown_engines_and_bad_requests_are_refused():
    with pytest.raises(InputError, match="expected one of"):
        make_engine("warp", "smollm2-135m")
    with pytest.raises(InputError, match="temperature"):
        request(temperature=-1)
    with pytest.raises(InputError, match="beam search"):
        request(beams=2, temperature=1.0)
