"""Speculative decoding gives the text of plain greedy decoding, whatever the draft is worth."""

import pytest

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


def test_sampled_texts_are_as_without_a_draft(smollm2):
    request = GenerationRequest("s", PROMPTS["plants"], max_new_tokens=8, temperature=0.8, seed=4)
    plain, drafted = (
        make_engine("transformers", str(smollm2), settings=TransformersSettings(draft=draft))
        for draft in (None, "ngram")
    )
    assert list(plain.generate([request])) == list(drafted.generate([request]))


def test_a_draft_with_another_tokenizer_is_refused(smollm2, biogpt):
    with pytest.raises(InputError, match="draft"):
        make_engine("transformers", str(smollm2), settings=TransformersSettings(draft=str(biogpt)))
