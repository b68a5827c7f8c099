"""Contrastive decoding against the formula, and against a plain loop without caches or padding."""

import math
import re
import shutil

import pytest

from abroad.core.errors import InputError
from abroad.engines.base import GenerationRequest
from abroad.engines.contrastive import ContrastiveSettings, contrast
from abroad.engines.spec import make_engine
from abroad.engines.transformers.engine import TransformersEngine
from abroad.engines.transformers.member import TransformersSettings
from abroad.models.load import load_model, load_tokenizer
from abroad.models.resolve import resolve_model

torch = pytest.importorskip("torch")
PROMPTS = {"a": "The capital of France is", "b": "Plants make many compounds. For example, the leaves of tea contain"}


@pytest.fixture(scope="module")
def expert(smollm2):
    source = resolve_model(str(smollm2))
    return load_model(source), load_tokenizer(source)


@pytest.fixture(scope="module")
def amateur(tiny_model):
    return load_model(resolve_model(str(tiny_model)))


@pytest.fixture(scope="module")
def small_expert(other_tiny_model):
    source = resolve_model(str(other_tiny_model))
    return load_model(source), load_tokenizer(source)


def test_the_formula_by_hand():
    expert = torch.tensor([[math.log(0.6), math.log(0.3), math.log(0.05), math.log(0.05)]])
    amateur = torch.tensor([[math.log(0.7), math.log(0.1), math.log(0.1), math.log(0.1)]])
    scores = contrast(expert, amateur, ContrastiveSettings(alpha=0.1, beta=0.5))[0]
    assert scores[1] == pytest.approx(1.5 * math.log(0.3) - 0.5 * math.log(0.1), rel=1e-5)
    assert scores[2] == scores[3] == float("-inf")  # 0.05 is less than a tenth of 0.6
    assert scores[1] > contrast(expert, amateur, ContrastiveSettings(beta=0.0))[0][1]


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 0.5), (1.5, 0.5), (0.1, -1)])
def test_settings_out_of_range_are_refused(alpha, beta):
    with pytest.raises(InputError, match="alpha" if beta > 0 else "beta"):
        ContrastiveSettings(alpha=alpha, beta=beta)


def texts(engine, **options):
    requests = [GenerationRequest(id, prompt, max_new_tokens=8, **options) for id, prompt in PROMPTS.items()]
    return {answer.id: answer.text for answer in engine.generate(requests)}


def plain_loop(model, tokenizer, other, prompt, settings, keeps=None):
    """The method as it is written: whole texts, one at a time."""
    ids = tokenizer(prompt)["input_ids"]
    skipped = max(0, len(ids) - keeps) if keeps else 0
    start = len(ids)
    with torch.inference_mode():
        for _ in range(8):
            scores = contrast(
                model(torch.tensor([ids])).logits[:, -1], other(torch.tensor([ids[skipped:]])).logits[:, -1], settings
            )
            ids.append(int(scores.argmax()))
    return tokenizer.decode(ids[start:])


def test_a_padded_batch_with_caches_equals_the_plain_loop(expert, amateur):
    settings = ContrastiveSettings(alpha=0.1, beta=1.0)
    found = texts(TransformersEngine(*expert, 4, amateur, settings))
    assert found == {id: plain_loop(*expert, amateur, prompt, settings) for id, prompt in PROMPTS.items()}


def test_without_beta_it_is_plain_greedy(expert, amateur):
    plain = texts(TransformersEngine(*expert, 4))
    assert texts(TransformersEngine(*expert, 4, amateur, ContrastiveSettings(beta=0.0))) == plain
    assert texts(TransformersEngine(*expert, 4, expert[0])) == plain  # the expert contrasted with itself


def test_the_expert_with_a_shorter_prompt_is_an_amateur(expert):
    settings = ContrastiveSettings(alpha=0.1, beta=0.5)
    engine = TransformersEngine(*expert, 1, expert[0], settings, amateur_keeps=3)
    prompt = PROMPTS["b"]
    (answer,) = engine.generate([GenerationRequest("b", prompt, max_new_tokens=8)])
    assert answer.text == plain_loop(*expert, expert[0], prompt, settings, keeps=3)


@pytest.mark.parametrize("bound", [{"regex": "[0-9]{3}-[0-9]{2}"}, {"grammar": 'start: /[0-9]{3}/ "-" /[0-9]{2}/'}])
def test_among_what_a_constraint_allows_the_plausible_is_chosen(small_expert, amateur, bound):
    """alpha 1 keeps a single token: had it not to be an allowed one, nothing at all could be said."""
    engine = TransformersEngine(*small_expert, 4, amateur, ContrastiveSettings(alpha=1.0))
    requests = [GenerationRequest(id, prompt, max_new_tokens=20, **bound) for id, prompt in PROMPTS.items()]
    answers = list(engine.generate([*requests, GenerationRequest("free", PROMPTS["a"], max_new_tokens=4)]))
    assert [answer.error for answer in answers] == [None] * 3
    texts = {answer.id: answer.text for answer in answers}
    assert all(re.fullmatch(r"\d{3}-\d{2}", texts[id]) for id in PROMPTS)


def test_a_block_of_repeats_comes_before_the_plausible_too(small_expert, amateur):
    weaker, tokenizer = small_expert
    engine = TransformersEngine(amateur, tokenizer, 1, weaker, ContrastiveSettings(alpha=1.0))  # it stammers
    plain, blocked = (
        next(engine.generate([GenerationRequest("b", PROMPTS["a"], max_new_tokens=150, ngram_block=size)]))
        for size in (0, 1)
    )
    words = tokenizer(plain.text)["input_ids"]
    assert len(words) > len(set(words))
    assert blocked.tokens == 150 and math.isfinite(blocked.logprob)  # nothing forbidden was ever taken


def test_the_model_itself_is_no_amateur_under_any_name(tiny_model, tmp_path):
    copy, link = tmp_path / "copy", tmp_path / "link"
    shutil.copytree(tiny_model, copy)
    link.symlink_to(tiny_model)
    for amateur in (tiny_model, copy, link, f"{tiny_model}/../{tiny_model.name}"):
        with pytest.raises(InputError, match="the amateur is the model itself"):
            make_engine("transformers", str(tiny_model), settings=TransformersSettings(amateur=str(amateur)))
    engine = make_engine(
        "transformers", str(tiny_model), settings=TransformersSettings(amateur=str(copy), amateur_keeps=2)
    )
    assert engine.amateur is engine.model  # with a shorter prompt it is one


def test_sampling_goes_on_top_and_beams_are_refused(expert, amateur):
    engine = TransformersEngine(*expert, 4, amateur)
    assert texts(engine, temperature=1.0, seed=1) == texts(engine, temperature=1.0, seed=1)
    answers = list(
        engine.generate([GenerationRequest("1", "A", beams=2), GenerationRequest("2", "A", max_new_tokens=2)])
    )
    assert "no beam search" in answers[0].error and answers[1].error is None


def test_another_tokenizer_is_refused(smollm2, tmp_path, request):
    biogpt = request.getfixturevalue("biogpt")
    with pytest.raises(InputError, match="tokenizer"):
        TransformersEngine.from_name(str(smollm2), settings=TransformersSettings(amateur=str(biogpt)))
