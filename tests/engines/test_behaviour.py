"""What every engine does alike, on a real model: a new engine joins `MEMBERS` and has to pass.

vLLM is tested where it is installed: `make test-vllm` gives it an environment of its own.
"""

import re

import pytest
from pydantic import ValidationError

from abroad.core.errors import InputError
from abroad.core.registry import Capability, setting_names
from abroad.engines.base import GenerationRequest
from abroad.engines.spec import ENGINES, EngineSettings, EngineSpec
from tests.engines.members import MEMBERS


@pytest.fixture(scope="module", params=ENGINES.own)
def engine(request, smollm2):
    with MEMBERS[request.param](smollm2, 4) as running:
        yield running


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


def test_a_text_does_not_depend_on_what_its_prompt_shares_with_others(engine):
    shared = "Plants make many compounds, and chemists isolate them by chromatography. " * 3
    tails = ["Usnea gave", "The capital of France is", "From the leaves of the tree, they isolated"]
    asked = [request(tail, prompt=shared + tail, max_new_tokens=12) for tail in tails]
    assert texts(engine, asked) == {item.id: next(engine.generate([item])).text for item in asked}


def test_seeds_and_temperature_change_a_sampled_text(engine):
    sampled = texts(engine, [request(str(seed), temperature=1.0, seed=seed, max_new_tokens=12) for seed in range(4)])
    assert len(set(sampled.values())) > 1


def test_a_tiny_nucleus_is_greedy(engine):
    greedy, nucleus = request("g"), request("n", temperature=1.0, top_p=1e-6, seed=5)
    found = texts(engine, [greedy, nucleus])
    assert found["g"] == found["n"]


def test_the_text_ends_before_a_stop_string(engine):
    plain = next(engine.generate([request()])).text
    stopped = next(engine.generate([request(stop=(".",))]))
    assert "." in plain and stopped.text == plain.partition(".")[0] and stopped.finish_reason == "stop"


def test_every_request_is_answered_once_and_streams(engine):
    def endless():
        for number in range(10_000_000):
            yield request(str(number), max_new_tokens=1)

    stream = engine.generate(endless())
    assert len({next(stream).id for _ in range(10)}) == 10


def test_token_ids_are_taken_as_they_are(engine, smollm2):
    from abroad.models.load import load_tokenizer
    from abroad.models.resolve import resolve_model

    ids = tuple(load_tokenizer(resolve_model(str(smollm2)))("The capital of France is")["input_ids"])
    assert texts(engine, [request("a")])["a"] == texts(engine, [request("b", prompt=ids)])["b"]


def test_a_prompt_beyond_the_context_gets_an_error_and_the_rest_goes_on(engine):
    answers = {a.id: a for a in engine.generate([request("long", prompt="word " * 9000), request("short")])}
    assert "positions" in answers["long"].error and answers["long"].too_long and answers["short"].error is None


def test_ids_may_come_again_in_another_call(engine):
    first, second = (list(engine.generate([request("same"), request("other")])) for _ in range(2))
    assert sorted(a.id for a in first) == sorted(a.id for a in second) == ["other", "same"]


def test_an_unfinished_call_does_not_disturb_the_next(engine):
    stream = engine.generate(request(str(number)) for number in range(50))
    next(stream)
    stream.close()
    assert [answer.id for answer in engine.generate([request("after")])] == ["after"]


def test_seeded_prompts_of_more_tokens_than_a_step_takes(engine):
    """vLLM cuts prompts where its budget of 2,048 tokens a step ends; seeds must survive that."""
    if Capability.WEIGHTS not in engine.capabilities:
        pytest.skip("a server's steps are its own")
    many = [
        request(
            str(n), prompt=f"Case {n}. " + "Plants make compounds. " * 25, temperature=0.8, seed=n, max_new_tokens=2
        )
        for n in range(28)
    ]
    answers = list(engine.generate(many))
    assert len(answers) == 28 and not any(answer.error for answer in answers)


def test_a_regex_and_a_grammar_bind_the_text(engine):
    relation = 'start: NAME " produces " NAME\nNAME: /[a-z]{2,8}/'
    asked = [
        request("regex", regex=r"[0-9]{3}-[0-9]{2}", max_new_tokens=20),
        request("grammar", grammar=relation, max_new_tokens=30, temperature=0.8, seed=1),
        request("free"),
    ]
    found = {answer.id: answer for answer in engine.generate(asked)}
    assert re.fullmatch(r"\d{3}-\d{2}", found["regex"].text) and found["regex"].finish_reason == "stop"
    assert re.fullmatch(r"[a-z]{2,8} produces [a-z]{2,8}", found["grammar"].text)
    assert "Paris" in found["free"].text


def test_a_constrained_text_may_end_at_a_stop_string_before_the_others_of_its_batch(engine, capfd):
    stopped = request("stopped", regex=r"[a-z]{3},[a-z]{3},[a-z]{30}", stop=(",",), max_new_tokens=40)
    other = request("other", regex=r"[a-z ]{40}", max_new_tokens=60)
    found = {answer.id: answer for answer in engine.generate([stopped, other])}
    assert re.fullmatch(r"[a-z]{3}", found["stopped"].text) and len(found["other"].text) == 40
    assert "Parser Error" not in capfd.readouterr().err


def test_a_broken_regex_gets_an_error(engine):
    (answer,) = engine.generate([request(regex="[0-9")])
    assert answer.error is not None


def test_scores_are_those_of_the_generated_text(engine):
    answer = next(engine.generate([request()]))
    (score,) = engine.score([request().prompt], [answer.text])
    assert score.tokens == answer.tokens and score.logprob == pytest.approx(answer.logprob, abs=1e-3)


def test_a_score_is_that_of_the_model_whatever_shares_its_batch(engine, smollm2):
    import torch

    from abroad.models.load import load_model, load_tokenizer
    from abroad.models.resolve import resolve_model

    source = resolve_model(str(smollm2))
    model, tokenizer = load_model(source), load_tokenizer(source)

    def expected(prompt, continuation):
        start = len(prompt) if isinstance(prompt, tuple) else len(tokenizer(prompt)["input_ids"])
        head = prompt if isinstance(prompt, tuple) else tuple(tokenizer(prompt)["input_ids"])
        ids = [*head, *tokenizer(continuation, add_special_tokens=False)["input_ids"]]
        logits = torch.log_softmax(model(torch.tensor([ids])).logits[0].detach().float(), -1)
        return sum(float(logits[place - 1, ids[place]]) for place in range(start, len(ids))), len(ids) - start

    shared = "Plants make many compounds, and chemists isolate them by chromatography. " * 3 + "Usnea gave"
    pairs = [(shared, tail) for tail in (" usnic acid", " barbatic acid and a long tail of words", " a", " scopoletin")]
    pairs += [("The capital of France is", " Paris"), (shared, " usnic acid")]
    if Capability.TOKEN_IDS in engine.capabilities:
        pairs.append(((504, 1123, 282), " Berlin"))
    found = engine.score(*zip(*pairs, strict=True))
    for (prompt, continuation), score in zip(pairs, found, strict=True):
        logprob, tokens = expected(prompt, continuation)
        assert score.tokens == tokens and score.logprob == pytest.approx(logprob, abs=2e-3)
    paris, berlin = engine.score(["The capital of France is"] * 2, [" Paris", " Berlin"])
    assert paris.logprob > berlin.logprob


def test_what_does_not_fit_or_is_empty_has_no_score(engine):
    from abroad.core.errors import InputError

    long, short = engine.score(["word " * 9000, "one"], [" two", " two"])
    assert long is None and short.logprob < 0
    with pytest.raises(InputError, match="empty continuation"):
        engine.score(["one"], [""])
    with pytest.raises(InputError, match="each of 2 prompts"):
        engine.score(["one", "two"], [" x"])


@pytest.fixture(scope="module")
def adapter(smollm2, tmp_path_factory):
    """A LoRA adapter that changes what the model writes: its B matrices are not zero."""
    import peft
    import torch

    from abroad.models.load import load_model
    from abroad.models.resolve import resolve_model

    torch.manual_seed(0)
    base = load_model(resolve_model(str(smollm2)))
    config = peft.LoraConfig(r=8, lora_alpha=64, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM")
    model = peft.get_peft_model(base, config)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    folder = tmp_path_factory.mktemp("adapter")
    model.peft_config["default"].base_model_name_or_path = str(smollm2)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=ENGINES.own)
def adapted(request, adapter):
    with MEMBERS[request.param](adapter, 2) as running:
        yield running


def test_an_adapter_is_used_and_alike_in_every_engine(adapted, adapter, smollm2):
    from abroad.models.load import load_model, load_tokenizer
    from abroad.models.resolve import resolve_model

    def greedy(source):
        tokenizer = load_tokenizer(source)
        ids = tokenizer("The capital of France is", return_tensors="pt")
        output = load_model(source).generate(**ids, max_new_tokens=8, do_sample=False)
        return tokenizer.decode(output[0, ids["input_ids"].shape[1] :], skip_special_tokens=True)

    expected = greedy(resolve_model(str(adapter)))
    assert next(adapted.generate([request()])).text.strip() == expected.strip()
    assert expected != greedy(resolve_model(str(smollm2)))


ASKED = {
    Capability.BEAMS: ({"beams": 2}, "no beam search"),
    Capability.NGRAM_BLOCK: ({"ngram_block": 3}, "no n-gram block"),
    Capability.IMAGES: ({"chat": True, "images": ("data:image/png;base64,AA==",)}, "reads text only"),
}


@pytest.mark.parametrize("capability", ASKED, ids=lambda capability: capability.name)
def test_what_an_engine_does_not_declare_it_refuses_request_by_request(engine, capability):
    if capability in engine.capabilities:
        pytest.skip("it has it")
    options, reason = ASKED[capability]
    answers = {answer.id: answer for answer in engine.generate([request("odd", **options), request("plain")])}
    assert reason in answers["odd"].error and not answers["odd"].too_long and answers["plain"].error is None


@pytest.mark.parametrize("capability", [Capability.BEAMS, Capability.NGRAM_BLOCK], ids=lambda item: item.name)
def test_what_it_declares_it_does(engine, capability):
    if capability not in engine.capabilities:
        pytest.skip("it has it not")
    answer = next(engine.generate([request(**ASKED[capability][0])]))
    assert answer.error is None and answer.text.strip()


def test_an_engine_knows_its_context_or_leaves_it_to_the_server(engine):
    assert (engine.context_length is None) == (Capability.WEIGHTS not in engine.capabilities)


@pytest.mark.parametrize("name", ENGINES.own)
def test_settings_are_an_engines_own_and_say_what_does_not_change_a_text(name):
    kind = ENGINES.settings(name)
    assert issubclass(kind, EngineSettings) and set(kind.layout) <= set(setting_names(kind))
    plain = EngineSpec.read(name, "m")
    assert plain.identity == {"engine": name, "model": "m"} and plain.gpus == 1
    assert not plain.settings.uses and not plain.settings.further_models


@pytest.mark.parametrize("name", ENGINES.own)
def test_settings_are_checked_frozen_and_written_wrongly_met_with_the_nearest(name):
    kind = ENGINES.settings(name)
    for field in kind.model_fields:
        with pytest.raises(InputError, match=f"engine {name}: no setting '{field}s'; did you mean {field}?"):
            EngineSpec.read(name, "m", values={f"{field}s": "1"})
        with pytest.raises(InputError, match=f"engine {name}: {field}: "):
            EngineSpec.read(name, "m", values={field: ["no", "value"]})
        with pytest.raises(InputError, match=f"{kind.__name__}: .*{field}: "):
            kind(**{field: ["no", "value"]})
        with pytest.raises(ValidationError):
            setattr(kind(), field, 1)
    both = {"no_such": 1, next(iter(kind.model_fields)): ["no", "value"]}
    with pytest.raises(InputError, match=r"no setting 'no_such'.*; \w+: "):
        EngineSpec.read(name, "m", values=both)


@pytest.mark.parametrize("name", ENGINES.own)
def test_methods_of_decoding_can_be_set_where_they_are_declared(name):
    for capability, values in (
        (Capability.SPECULATIVE, {"draft": "ngram"}),
        (Capability.CONTRASTIVE, {"amateur": "small"}),
    ):
        if capability in ENGINES.capabilities(name):
            assert EngineSpec.read(name, "m", values=values).settings.uses == capability
        else:
            assert not set(values) & set(setting_names(ENGINES.settings(name)))


@pytest.mark.parametrize("name", ENGINES.able(Capability.WEIGHTS))
def test_an_engine_that_holds_the_weights_takes_a_base_and_tells_them_apart(name, tiny_model):
    spec = EngineSpec.read(name, str(tiny_model))
    assert "base" in setting_names(ENGINES.settings(name)) and "weights" in spec.weights
    assert EngineSpec.read("openai", str(tiny_model)).weights == {}
