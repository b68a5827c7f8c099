"""What only the transformers engine does; `test_behaviour` has what all do."""

import dataclasses
import functools
import math

import pytest

from abroad.core.errors import InputError
from abroad.engines.base import GenerationRequest
from abroad.engines.spec import make_engine


@pytest.fixture(scope="module")
def engine(smollm2):
    return make_engine("transformers", str(smollm2), batch_size=4)


def request(id="r", prompt="The capital of France is", **options):
    return GenerationRequest(id, prompt, **{"max_new_tokens": 8, **options})


def test_beam_search_finds_a_text_at_least_as_probable(engine):
    greedy, beam = request("g"), request("b", beams=3, length_penalty=0.0, early_stopping=False)
    found = {answer.id: answer for answer in engine.generate([greedy, beam])}
    assert found["b"].logprob >= found["g"].logprob - 1e-3 and math.isfinite(found["b"].logprob)


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


def test_blocked_runs_come_once_in_the_text_but_may_come_from_the_prompt():
    import torch

    from abroad.engines.transformers.repeats import BlockRepeats

    def banned(generated):
        ids = torch.tensor([[1, 2, 3, 4, *generated]])
        return torch.isinf(BlockRepeats(2, start=4)(ids, torch.zeros(1, 9)))[0].nonzero().flatten().tolist()

    assert banned([5, 6, 5]) == [6]
    assert banned([1]) == []  # "1 2" stands in the prompt


@pytest.mark.parametrize("beams", [1, 3])
def test_a_text_under_a_block_differs_from_one_that_repeats_itself(tiny_model, beams):
    engine = make_engine("transformers", str(tiny_model))

    def text(block):
        request = GenerationRequest("r", "a b a b", max_new_tokens=40, beams=beams, ngram_block=block)
        return next(engine.generate([request])).text.split()

    assert len(set(text(1))) / len(text(1)) >= len(set(text(0))) / len(text(0))


def test_a_text_that_goes_round_is_ended_and_others_are_not(engine):
    from abroad.engines.transformers.rows import loops

    assert loops([1, 2, 3] * 16) and not loops([1, 2, 3] * 3) and not loops(list(range(200)))
    round_and_round = request(prompt="a b a b a b a b a b a b a b a b a b a b a b a b", max_new_tokens=200)
    plain = next(engine.generate([round_and_round]))
    stopped = next(engine.generate([dataclasses.replace(round_and_round, stop_loops=True)]))
    assert plain.tokens == 200 and stopped.tokens < 100 and stopped.finish_reason == "length"
    assert plain.text.startswith(stopped.text)


def test_a_row_is_handed_over_when_it_ends_and_not_with_its_batch(tiny_model):
    """So that a killed run loses the rows under way, and no more is computed once nobody wants it."""
    engine = make_engine("transformers", str(tiny_model), batch_size=3)
    passes = []
    handle = engine.model.register_forward_hook(lambda *_: passes.append(1))
    lengths = {"long": 400, "short": 2, "middle": 4}
    rows = [request(name, max_new_tokens=length, temperature=1.0) for name, length in lengths.items()]
    answers = engine.generate(rows)
    first = next(answers)
    answers.close()
    handle.remove()
    assert first.id in ("short", "middle") and first.tokens <= 4 and len(passes) < 400


def test_a_batch_that_fails_in_between_answers_no_row_twice(tiny_model, monkeypatch):
    engine = make_engine("transformers", str(tiny_model), batch_size=2)
    real, calls = engine.model.forward, []

    @functools.wraps(real)  # transformers looks at its signature
    def forward(*args, **options):
        calls.append(1)
        if len(calls) == 6:
            raise RuntimeError("out of memory")
        return real(*args, **options)

    monkeypatch.setattr(engine.model, "forward", forward)
    rows = [request("short", max_new_tokens=2), request("long", max_new_tokens=30)]
    answers = list(engine.generate(rows))
    assert sorted(answer.id for answer in answers) == ["long", "short"]
    assert all(answer.error is None for answer in answers)
