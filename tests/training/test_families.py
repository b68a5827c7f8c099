"""The same training on every family of models, with its own tokenizer; adapters sit where they should; 4 bits too."""

import json

import pytest

from abroad.core.context import Context
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.load import load_generative_extractor
from abroad.training.settings import TrainSettings
from abroad.training.train import train
from tests.conftest import save_tiny_model


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    """GPT-2 with its own kind of tokenizer: byte-level BPE."""
    import torch
    from tokenizers import ByteLevelBPETokenizer
    from transformers import GPT2Config, GPT2LMHeadModel, GPT2TokenizerFast

    folder = tmp_path_factory.mktemp("gpt2")
    raw = ByteLevelBPETokenizer()
    raw.train_from_iterator(
        ["Rutin was isolated from Ruta ficta."] * 3, vocab_size=300, special_tokens=["<|endoftext|>"]
    )
    raw.save_model(str(folder))
    tokenizer = GPT2TokenizerFast(str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": len(tokenizer)}
    end = tokenizer.eos_token_id
    GPT2LMHeadModel(GPT2Config(**sizes, bos_token_id=end, eos_token_id=end)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def mistral(smollm2, tmp_path_factory):
    return save_tiny_model(smollm2, tmp_path_factory.mktemp("mistral") / "m", "Mistral", sliding_window=64)


@pytest.mark.parametrize(
    ("family", "targets"),
    [
        ("biogpt", {"q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"}),
        ("gpt2", {"c_attn", "c_proj", "c_fc"}),
        ("mistral", {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}),
        ("tiny_model", {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}),
    ],
)
@pytest.mark.parametrize("pack", [False, True], ids=["padded", "packed"])
def test_a_family_trains_and_its_adapter_loads(request, family, targets, pack, documents, tmp_path):
    settings = TrainSettings(
        model=str(request.getfixturevalue(family)),
        epochs=8,
        learning_rate=1e-2,
        batch_size=2,
        gradient_accumulation_steps=1,
        warmup_steps=0,
        max_length=600,
        pack=pack,
        gradient_checkpointing=pack,
        residual_dropout=0.1,
    )
    train(documents, [], settings, tmp_path / "out", Context())
    losses = [json.loads(line)["loss"] for line in (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()]
    assert sum(losses[-2:]) < sum(losses[:2])  # an epoch has one or two updates
    config = json.loads((tmp_path / "out" / "adapter_config.json").read_text())
    assert {name.rpartition(".")[2] for name in config["target_modules"]} == targets
    extractor = load_generative_extractor(str(tmp_path / "out"), Decoding(num_beams=1, max_new_tokens=4))
    assert all(prediction.error is None for prediction in extractor.extract(documents))


def test_four_bits_train_and_load(smollm2, documents, tmp_path):
    pytest.importorskip("bitsandbytes")
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(smollm2)
    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
    transformers.LlamaForCausalLM(
        transformers.LlamaConfig(vocab_size=len(tokenizer), initializer_range=0.2, **sizes)
    ).save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    values = {"epochs": 8, "learning_rate": 1e-2, "batch_size": 4, "gradient_accumulation_steps": 1, "warmup_steps": 0}
    settings = TrainSettings(model=str(tmp_path / "base"), quantization="nf4", lora_dropout=0.0, **values)
    train(documents, [], settings, tmp_path / "out", Context())
    losses = [json.loads(line)["loss"] for line in (tmp_path / "out" / "metrics.jsonl").read_text().splitlines()]
    assert losses[-1] < losses[0] - 1
    decoding = Decoding(num_beams=1, max_new_tokens=4)
    extractor = load_generative_extractor(str(tmp_path / "out"), decoding, quantization="nf4")
    kinds = {type(module).__name__ for module in extractor.engine.model.modules()}
    assert any("4bit" in kind for kind in kinds)
    assert all(prediction.error is None for prediction in extractor.extract(documents))
