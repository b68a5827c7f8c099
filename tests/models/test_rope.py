"""Position interpolation: a fact beyond the window is found; models with learned positions refuse and take chunks."""

import random

import pytest

from abroad.core.errors import InputError
from abroad.core.io import Rejects
from abroad.core.schema import Document, Entity
from abroad.evaluation.metrics import micro_scores
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.load import load_generative_extractor
from abroad.models.load import load_model
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
    entities = {"organisms": [Entity("o", organism)], "chemicals": [Entity("c", chemical)]}
    return Document(str(id), "", " ".join(body), relations=[("o", "c")], **entities)


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
        loss = target_loss(model, collate(make_examples(texts, tokenizer, WINDOW, Rejects(), 0), 1)) / (24 * 4 + 8)
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
    train(texts, [], settings, tmp_path / "long", Rejects())
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
