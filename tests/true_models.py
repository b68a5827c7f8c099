"""Tiny models with random weights of the true architectures, and with the positions that those have."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SIZES = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 64}
GROUPED = {**SIZES, "num_key_value_heads": 2}
TRUE = {  # name of the model -> its architecture and the positions that it has
    "biogpt": ("BioGpt", SIZES | {"max_position_embeddings": 1024}),
    "BioGPT-Large": ("BioGpt", SIZES | {"max_position_embeddings": 2048}),
    "gpt2-medium": ("GPT2", {"n_embd": 32, "n_layer": 1, "n_head": 4, "n_positions": 1024}),
    "BioMistral-7B": ("Mistral", GROUPED | {"max_position_embeddings": 32768, "sliding_window": 4096}),
    "vicuna-13b-v1.3": ("Llama", SIZES | {"max_position_embeddings": 2048}),
    "Mistral-7B-v0.1": ("Mistral", GROUPED | {"max_position_embeddings": 32768, "sliding_window": 4096}),
    "smollm2-135m": ("Llama", GROUPED | {"num_hidden_layers": 3} | {"max_position_embeddings": 8192}),
    **{f"llama-{size}": ("Llama", SIZES | {"max_position_embeddings": 2048}) for size in ("7b", "13b", "30b", "65b")},
}
_OFTEN = ["Usnic acid was isolated from Usnea testalis. The extract was dried again."] * 30


@cache
def small_tokenizer() -> Any:
    """Byte-level BPE of 2,000 pieces learnt from the sample: decoding over few of them is quick."""
    from tokenizers import ByteLevelBPETokenizer
    from transformers import PreTrainedTokenizerFast

    raw = ByteLevelBPETokenizer()
    texts = (ROOT / "data/sample/curated.jsonl").read_text().splitlines()
    raw.train_from_iterator([*texts, *_OFTEN], vocab_size=2000, special_tokens=["<s>", "</s>"])
    special = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=raw._tokenizer, **special)


def true_model(name: str, folder: Path) -> Path:
    """The directory of a tiny model like one of `TRUE`, with or without its owner; made if it is not in the folder."""
    import torch
    import transformers

    target = folder / (name := name.rpartition("/")[2])
    if not target.exists():
        tokenizer, (family, sizes) = small_tokenizer(), TRUE[name]
        ids = {key: getattr(tokenizer, key) for key in ("bos_token_id", "eos_token_id", "pad_token_id")}
        torch.manual_seed(0)
        config = getattr(transformers, f"{family}Config")(vocab_size=len(tokenizer), **sizes, **ids)
        transformers.AutoModelForCausalLM.from_config(config).save_pretrained(target)
        tokenizer.save_pretrained(target)
    return target
