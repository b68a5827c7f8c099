"""Contrastive and speculative decoding in vLLM against the same in transformers: `make test-vllm` has it installed."""

import re

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.engines.base import GenerationRequest
from abroad.engines.spec import make_engine
from abroad.engines.transformers.member import TransformersSettings
from abroad.engines.vllm.member import VllmSettings
from tests.conftest import save_tiny_model

pytest.importorskip("vllm")
PROMPTS = {
    "short": "The capital of France is",
    "long": "Plants make many compounds. For example, the leaves of tea contain",
    "copy": "quercetin 3-O-glucoside, kaempferol 7-O-rhamnoside, " * 6,
}
KINDS = {"transformers": TransformersSettings, "vllm": VllmSettings}


@pytest.fixture(scope="module")
def models(smollm2, tmp_path_factory):
    """Two tiny models with heads of 32: vLLM's kernels for CPUs have none of 8."""
    folder = tmp_path_factory.mktemp("models")
    return [
        save_tiny_model(smollm2, folder / str(seed), "Llama", seed, initializer_range=0.3, head_dim=32)
        for seed in (0, 7)
    ]


def make(engine, model, said=None, **settings):
    chosen = {"cpu_cache_gib": 0.2, **settings} if engine == "vllm" else settings
    return make_engine(
        engine, str(model), 4, KINDS[engine](**chosen), Context(say=(said if said is not None else []).append)
    )


def texts(engine, **options):
    requests = [GenerationRequest(id, prompt, **{"max_new_tokens": 12, **options}) for id, prompt in PROMPTS.items()]
    return {answer.id: answer.text for answer in engine.generate(requests)}


@pytest.mark.parametrize("keeps", [None, 3])
def test_contrastive_texts_are_those_of_the_other_engine(models, keeps):
    tiny_model, other_tiny_model = models
    own = {"amateur": str(tiny_model), "beta": 1.0, "amateur_keeps": keeps}
    plain, running = make("transformers", other_tiny_model), make("vllm", other_tiny_model, **own)
    found = texts(running)
    assert found != texts(plain)
    one_by_one = make("transformers", other_tiny_model, **own)
    one_by_one.batch_size = 1  # padding counts among the tokens that an amateur keeps
    assert found == texts(one_by_one)
    bound = texts(running, regex="[0-9]{3}-[0-9]{2}", max_new_tokens=20)
    assert all(re.fullmatch(r"\d{3}-\d{2}", text) for text in bound.values())
    sampled = texts(running, temperature=1.0, seed=3)
    assert sampled == texts(running, temperature=1.0, seed=3) != found


def test_the_model_itself_is_no_amateur(models):
    with pytest.raises(InputError, match="the amateur is the model itself"):
        make("vllm", models[0], amateur=str(models[0]))


@pytest.mark.parametrize("draft", ["ngram", "suffix", "other"])
def test_drafts_write_the_greedy_text_and_their_acceptance_is_told(models, draft):
    tiny_model, other_tiny_model = models
    if draft == "suffix":
        pytest.importorskip("arctic_inference")
    said = []
    drafted = make("vllm", tiny_model, said, draft=str(other_tiny_model) if draft == "other" else draft, draft_tokens=3)
    assert texts(drafted) == texts(make("transformers", tiny_model))
    counts = drafted.speculation
    assert counts.tokens >= 36 and 1 <= counts.tokens_per_pass <= 4
    assert said == [counts.report()]
    assert counts.accepted <= counts.proposed
    first = counts.passes
    sampled = texts(drafted, temperature=1.0, seed=3)
    assert counts.passes > first and all(sampled.values())  # with a draft too
