"""Speculative decoding gives the text of plain greedy decoding, whatever the draft is worth."""

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.engines.base import GenerationRequest
from abroad.engines.spec import make_engine
from abroad.engines.transformers.member import TransformersSettings

COPY = "Repeat: kaempferol 3-O-glucoside, quercetin. Repeat: kaempferol 3-O-glucoside, quercetin. Repeat:"
PROMPTS = {"copy": COPY, "france": "The capital of France is", "plants": "Plants make many compounds. For example,"}


def answers(model, **settings):
    engine = make_engine("transformers", str(model), settings=TransformersSettings(**settings))
    requests = [GenerationRequest(id, prompt, max_new_tokens=24, stop=("\n",)) for id, prompt in PROMPTS.items()]
    return {answer.id: answer for answer in engine.generate(requests)}, engine


@pytest.fixture(scope="module")
def plain(smollm2):
    return answers(smollm2)[0]


@pytest.mark.parametrize("draft", ["ngram", "tiny"])
def test_the_text_is_that_of_greedy_decoding(smollm2, tiny_model, plain, draft):
    found, engine = answers(smollm2, draft="ngram" if draft == "ngram" else str(tiny_model), draft_tokens=4)
    for id, answer in plain.items():
        assert (found[id].text, found[id].finish_reason) == (answer.text, answer.finish_reason)
    counts = engine.speculator.counts
    assert counts.tokens >= sum(answer.tokens for answer in found.values())
    assert 1 <= counts.tokens_per_pass <= 5 and counts.proposed > 0
    assert found["plants"].logprob == pytest.approx(plain["plants"].logprob, abs=1e-2)


def test_copying_gains_tokens(smollm2):
    engine = make_engine("transformers", str(smollm2), settings=TransformersSettings(draft="ngram"))
    prompt = "quercetin 3-O-glucoside, kaempferol 7-O-rhamnoside, " * 4
    list(engine.generate([GenerationRequest("copy", prompt, max_new_tokens=48)]))
    assert engine.speculator.counts.tokens_per_pass > 1.5


@pytest.mark.parametrize("draft", ["ngram", "other", "itself"])
@pytest.mark.parametrize(("temperature", "top_p"), [(0.8, 1.0), (1.5, 0.9)])
def test_sampled_texts_are_as_without_a_draft_and_drafted_all_the_same(
    tiny_model, other_tiny_model, draft, temperature, top_p
):
    requests = [
        GenerationRequest(id, prompt, max_new_tokens=16, temperature=temperature, top_p=top_p, seed=4)
        for id, prompt in PROMPTS.items()
    ]
    names = {"ngram": "ngram", "other": str(other_tiny_model), "itself": str(tiny_model)}
    plain, drafted = (
        make_engine("transformers", str(tiny_model), settings=TransformersSettings(draft=draft, draft_tokens=3))
        for draft in (None, names[draft])
    )
    expected, found = ({a.id: a for a in engine.generate(requests)} for engine in (plain, drafted))
    assert {id: a.text for id, a in found.items()} == {id: a.text for id, a in expected.items()}
    assert found["plants"].logprob == pytest.approx(expected["plants"].logprob, abs=1e-2)
    counts = drafted.speculator.counts
    assert counts.passes > 0 and counts.tokens >= sum(answer.tokens for answer in found.values())
    if draft == "itself":  # it guesses with the same noise, so each guess is right
        assert counts.accepted == counts.proposed and counts.tokens_per_pass > 2.5


def test_the_acceptance_rate_is_told_and_so_is_what_goes_without_a_draft(tiny_model):
    told = []
    engine = make_engine(
        "transformers", str(tiny_model), 4, TransformersSettings(draft="ngram"), Context(say=told.append)
    )
    list(engine.generate([GenerationRequest("copy", COPY, max_new_tokens=24)]))
    (line,) = told
    counts = engine.speculator.counts
    assert f"{counts.tokens_per_pass:.2f} tokens a pass" in line and f"{counts.acceptance:.0%} of" in line
    assert counts.tokens == counts.passes + counts.accepted and 0 <= counts.acceptance <= 1
    told.clear()
    list(engine.generate([GenerationRequest(n, COPY, max_new_tokens=4, regex="[a-z ]+") for n in "ab"]))
    assert "without a draft" in told[0] and sum("without a draft" in line for line in told) == 1


def test_a_draft_with_another_tokenizer_is_refused(smollm2, biogpt):
    with pytest.raises(InputError, match="draft"):
        make_engine("transformers", str(smollm2), settings=TransformersSettings(draft=str(biogpt)))
