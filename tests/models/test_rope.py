"""Position interpolation: a fact beyond the window is found; models with learned positions refuse and take chunks."""

import random
import sys
from types import SimpleNamespace

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document, Entity
from abroad.evaluation.metrics import micro_scores
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.load import load_generative_extractor
from abroad.models.load import load_model, model_config
from abroad.models.resolve import resolve_model
from abroad.training.data import collate, make_examples, target_loss
from abroad.training.settings import TrainSettings
from abroad.training.train import train

WINDOW = 64
ORGANISMS, CHEMICALS, FILLERS = ([f"{kind}{n}" for n in range(12)] for kind in ("Org", "chem", "word"))


def passkey(draw, words, id, fact=True):
    """A text of filler words with one fact somewhere in it, or with none."""
    organism, chemical = draw.choice(ORGANISMS), draw.choice(CHEMICALS)
    body = [draw.choice(FILLERS) for _ in range(words)]
    place = draw.randrange(words)
    if not fact:
        return Document(str(id), "", " ".join(body))
    body[place:place] = [chemical, "found", "in", organism, "."]
    bare = Document(str(id), "", " ".join(body))
    return bare.with_products([Entity("o", organism)], [Entity("c", chemical)], [("o", "c")])


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    """A two-layer LLaMA with a window of 64, trained from nothing to find the fact within it."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = ["<s>", "</s>", "<unk>", "produces", "found", "in", ".", *ORGANISMS, *CHEMICALS, *FILLERS]
    raw = Tokenizer(models.WordLevel({word: n for n, word in enumerate(words)}, unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "</s>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, padding_side="left", **special)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=WINDOW,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    model = LlamaForCausalLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    draw = random.Random(0)
    for _ in range(1500):
        texts = [passkey(draw, draw.randrange(4, 44), n, fact=n >= 8) for n in range(32)]  # a quarter without
        loss = target_loss(model, collate(make_examples(texts, tokenizer, WINDOW, Context(), 0), 1)) / (24 * 4 + 8)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if float(loss.detach()) < 0.005:
            break
    folder = tmp_path_factory.mktemp("reader")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def long_documents():
    draw = random.Random(5)
    return [passkey(draw, draw.randrange(70, 110), f"long{n}") for n in range(30)]


def f1(model, documents, **decoding):
    extractor = load_generative_extractor(str(model), Decoding(num_beams=1, max_new_tokens=6, **decoding))
    predictions = list(extractor.extract(documents))
    return micro_scores(documents, predictions).f1, predictions


def test_a_fact_beyond_the_window_is_found_after_interpolation(reader, long_documents, tmp_path):
    plain, predictions = f1(reader, long_documents)
    assert plain == 0 and "do not fit the model's 64 positions" in predictions[0].error
    draw = random.Random(6)
    texts = [passkey(draw, draw.randrange(60, 110), n) for n in range(200)]
    settings = TrainSettings(
        model=str(reader),
        epochs=2,
        learning_rate=5e-3,
        batch_size=8,
        gradient_accumulation_steps=1,
        warmup_steps=10,
        rope_factor=2.0,
        max_length=2 * WINDOW,
        lora_dropout=0.0,
    )
    train(texts, [], settings, tmp_path / "long", Context())
    assert f1(tmp_path / "long", long_documents)[0] > 90
    short = [passkey(random.Random(n), 30, n) for n in range(30)]
    assert f1(tmp_path / "long", short)[0] > 90


def test_chunks_find_it_without_any_training(reader, long_documents):
    found, predictions = f1(reader, long_documents, chunk_overlap=12)
    assert found > 80 and predictions[0].extra["chunks"] >= 2


def test_learned_positions_are_refused_clearly(biogpt):
    with pytest.raises(InputError, match=r"biogpt model has learned positions.*chunks"):
        load_model(resolve_model(str(biogpt)), rope_factor=2.0)


def test_the_config_says_what_was_done(reader):
    model = load_model(resolve_model(str(reader)), rope_factor=4.0)
    assert model.config.max_position_embeddings == 4 * WINDOW
    assert model.config.rope_parameters["rope_type"] == "linear" and model.config.rope_parameters["factor"] == 4.0


GEMMA = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16}


def gemma3(folder, composite):
    """A tiny Gemma 3 of its true structure: windows and full attention in turn, each with its own positions."""
    import torch
    import transformers

    torch.manual_seed(0)
    text = transformers.Gemma3TextConfig(
        vocab_size=64,
        num_hidden_layers=6,
        sliding_window=16,
        layer_types=["sliding_attention"] * 5 + ["full_attention"],
        rope_parameters={
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1_000_000.0},
        },
        **GEMMA,
    )
    if composite:
        vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
        whole = transformers.Gemma3Config(
            text_config=text, vision_config={**vision, "image_size": 28, "patch_size": 14}
        )
        transformers.Gemma3ForConditionalGeneration(whole).save_pretrained(folder)
    else:
        transformers.Gemma3ForCausalLM(text).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("composite", [False, True], ids=["text alone", "with images"])
def test_every_kind_of_layer_is_interpolated(tmp_path, composite):
    """Gemma 3 has positions for each kind of layer: in all, the plain angle at p is the interpolated one at 4 p."""
    import torch

    folder = gemma3(tmp_path, composite)
    source = resolve_model(str(folder))
    plain, longer = (load_model(source, rope_factor=factor) for factor in (1.0, 4.0))
    assert (
        longer.config.get_text_config().max_position_embeddings
        == 4 * plain.config.get_text_config().max_position_embeddings
    )

    def angles(model, kind, position):
        (rotary,) = [m for m in model.modules() if type(m).__name__ == "Gemma3RotaryEmbedding"]
        return torch.cat(rotary(torch.zeros(1, 1, 1), torch.tensor([[position]]), kind))

    for kind in ("full_attention", "sliding_attention"):
        assert torch.allclose(angles(longer, kind, 44), angles(plain, kind, 11), atol=1e-6)
        assert not torch.allclose(angles(longer, kind, 11), angles(plain, kind, 11), atol=1e-3)
    ids = torch.arange(40)[None]
    with torch.no_grad():
        assert not torch.allclose(plain(ids).logits, longer(ids).logits)


def test_parameters_of_an_unknown_form_are_refused(tmp_path):
    from abroad.models.rope import stretched

    parameters = {"rope_type": "default", "full_attention": {"rope_theta": 1.0}}
    with pytest.raises(InputError, match="not known"):
        stretched(SimpleNamespace(model_type="other", rope_parameters=parameters), 2.0, "m")


class FakeVllm:
    """Gives back the arguments that an engine is made of, by the names that vLLM 0.20 and later have."""

    @classmethod
    def modules(cls):
        engine = SimpleNamespace(
            from_engine_args=lambda args: SimpleNamespace(
                model_config=SimpleNamespace(max_model_len=args["max_model_len"]), args=args
            )
        )
        return {
            "vllm": SimpleNamespace(EngineArgs=dict, LLMEngine=engine),
            "vllm.lora": SimpleNamespace(),
            "vllm.lora.request": SimpleNamespace(LoRARequest=lambda *values: values),
        }


@pytest.mark.parametrize("layout", ["reader", "gemma3", "gemma3 with images"])
def test_vllm_is_told_of_the_factor_of_an_adapter(reader, tmp_path, monkeypatch, layout):
    """It reads the base model's config, where no adapter's factor stands."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from abroad.engines.vllm.engine import VllmEngine
    from abroad.models.rope import write_factor

    base = reader if layout == "reader" else gemma3(tmp_path / "base", "images" in layout)
    adapter = tmp_path / "adapter"
    config = LoraConfig(r=4, target_modules=["q_proj"], task_type="CAUSAL_LM")
    get_peft_model(AutoModelForCausalLM.from_pretrained(base), config).save_pretrained(adapter)
    for name, module in FakeVllm.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    assert "hf_overrides" not in VllmEngine.from_name(str(adapter))._engine.args
    write_factor(adapter, 4.0)
    told = VllmEngine.from_name(str(adapter))
    expected = model_config(resolve_model(str(base)), 4.0).get_text_config()
    assert told.context_length == expected.max_position_embeddings
    overrides = told._engine.args["hf_overrides"]
    overrides = overrides["text_config"] if "images" in layout else overrides
    assert overrides["rope_parameters"] == expected.rope_parameters
    # vLLM multiplies the context by the factor itself, but not that of Gemma 3
    assert overrides.get("max_position_embeddings") == (
        expected.max_position_embeddings if "gemma3" in layout else None
    )
