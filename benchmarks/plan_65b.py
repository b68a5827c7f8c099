"""What LLaMA 65B takes on a GPU of 80 GB, without one: memory counted on meta tensors, and what bandwidth allows.

Run: python benchmarks/plan_65b.py > benchmarks/results/plan_65b.md
The config is the true one (arXiv 2302.13971, table 2). Weights, caches and activations are tensors of shapes and types
without values, counted as they come and go. `benchmarks/gpu_65b.py` measures the same lines where there is a GPU.
"""

from __future__ import annotations

import argparse
import copy
from dataclasses import dataclass
from typing import Any

import torch
from transformers import AutoModelForCausalLM, DynamicCache, LlamaConfig

from abroad.training.memory import FUSED, _register_attention, _with_layers, counting
from abroad.training.plan import _NF4_BYTES, Shape, plan, shape_of
from abroad.training.settings import TrainSettings

MODEL = "llama-65b"
BANDWIDTH = {"A100": 2.04e12, "H100": 3.35e12, "H200": 4.8e12}
"""Bytes a second of the makers' data sheets (80 GB SXM; H200 141 GB)."""
PROMPT, NEW, SCORED = 768, 256, 64
"""Tokens of an abstract with examples, of the relations, and of a continuation that is scored."""
TRAINING = TrainSettings(
    model=MODEL, quantization="nf4", gradient_checkpointing=True, batch_size=1, max_length=1024, lora_rank=8
)
DRAFT = {"hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": 8, "num_attention_heads": 16}
"""Sizes of a draft or amateur with the same tokenizer: 0.17 billion parameters."""
ALL = 0
"""Of logits: those of every token, as scoring keeps them; it needs no keys and values afterwards."""
_RUN = 2


@dataclass(frozen=True)
class Work:
    """Texts that are read and written together.

    Attributes:
        rows: texts at once.
        prompt: tokens read first.
        new: tokens written afterwards, or scored with the prompt (`scored`).
        scored: the new tokens are given, and all of their logits are kept.
    """

    rows: int
    prompt: int
    new: int
    scored: bool = False


def weights_bytes(shape: Shape) -> float:
    """Bytes of a model in NF4 for inference: what is not quantised is in 16 bits there."""
    return _NF4_BYTES * sum(inputs * outputs for inputs, outputs in shape.linear) + 2 * shape.other


def cache_bytes(config: Any, tokens: int) -> int:
    """Bytes of the keys and values of so many tokens, in 16 bits."""
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return int(2 * 2 * config.num_hidden_layers * heads * head * tokens)


def pass_bytes(config: Any, work: Work) -> int:
    """What reading and writing hold beside the weights at their peak, keys and values among it."""
    if work.scored:
        return _many(config, work.rows, (work.prompt + work.new, 0), ALL)
    read = _many(config, work.rows, (work.prompt, 0), 1)
    return max(read, _many(config, work.rows, (1, work.prompt + work.new - 1), 1))


def _many(config: Any, rows: int, tokens: tuple[int, int], kept: int) -> int:
    """`_peak` of all blocks; those that are alike hold alike, so of many only a few are run."""
    layers = int(config.num_hidden_layers)
    if layers <= 2 * _RUN:
        return _peak(config, rows, tokens, kept)
    few, more = (_peak(_with_layers(config, n), rows, tokens, kept) for n in (_RUN, 2 * _RUN))
    return few + (layers - _RUN) * (more - few) // _RUN


def _empty(config: Any) -> Any:
    """The model without values, its linear layers as if they were in 4 bits."""
    _register_attention()
    with torch.device("meta"):
        own = copy.deepcopy(config)  # the attention is noted in it
        model = AutoModelForCausalLM.from_config(own, dtype=torch.bfloat16, attn_implementation=FUSED).eval()
    head = model.get_output_embeddings()
    for module in model.modules():
        if isinstance(module, torch.nn.Linear) and module is not head:
            module.forward = _unpacking(module)  # type: ignore[method-assign]
    return model


def _peak(config: Any, rows: int, tokens: tuple[int, int], kept: int) -> int:
    """Of a pass over (new, cached) tokens that gives so many logits a row, or `ALL`."""
    new, cached = tokens
    model, meta = _empty(config), torch.device("meta")
    mask = torch.ones((rows, 1, new, cached + new), dtype=torch.bool, device=meta)
    with torch.inference_mode(), counting() as held:
        cache = DynamicCache(config=config)
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        size = config.hidden_size // config.num_attention_heads
        for layer in range(config.num_hidden_layers if cached else 0):
            pair = [torch.empty((rows, heads, cached, size), dtype=torch.bfloat16, device=meta) for _ in range(2)]
            cache.update(*pair, layer)
            del pair
        ids = torch.zeros((rows, new), dtype=torch.long, device=meta)
        places = torch.zeros((rows, new), dtype=torch.long, device=meta)
        caching = {"past_key_values": cache, "use_cache": True} if kept != ALL else {"use_cache": False}
        logits = model(ids, position_ids=places, attention_mask=mask, logits_to_keep=kept, **caching).logits
        logits[0].float().log_softmax(-1)
    return held.peak


def _unpacking(linear: Any) -> Any:
    """What bitsandbytes does at most: one row is multiplied by the packed weights, more by weights unpacked first."""

    def forward(values: Any) -> Any:
        if values.numel() == values.shape[-1]:
            return values.new_empty((*values.shape[:-1], linear.out_features))
        return values @ torch.empty_like(linear.weight).t()

    return forward


def step_bytes(shape: Shape, tokens: int, rows: int = 1, new: int = 1) -> float:
    """Bytes that move for a step over `rows` x `new` tokens after `tokens` in the cache, at the least.

    Every packed weight is read once. Where a kernel unpacks first (bitsandbytes 0.50 does from about eight rows on,
    earlier versions from two), four bytes more a weight are written and read: nine times as much.
    """
    packed = _NF4_BYTES * sum(inputs * outputs for inputs, outputs in shape.linear)
    head = 2.0 * shape.vocabulary * shape.hidden
    return packed + head + cache_bytes(shape.config, rows * (tokens + new))


def bound(shape: Shape, bandwidth: float, tokens: int, rows: int = 1) -> float:
    """Tokens a second that memory allows at most, of all texts together."""
    return rows * bandwidth / step_bytes(shape, tokens, rows)


def contrastive_bound(shapes: tuple[Shape, Shape], bandwidth: float, tokens: int) -> float:
    """With an amateur that reads every token too."""
    return bandwidth / sum(step_bytes(shape, tokens) for shape in shapes)


def speculative_bound(
    shapes: tuple[Shape, Shape], bandwidth: float, tokens: int, proposed: int, accepted: float
) -> float:
    """With a draft: (accepted + 1) tokens in the time of so many of its steps and one that checks them."""
    model, draft = shapes
    moved = proposed * step_bytes(draft, tokens) + step_bytes(model, tokens, 1, proposed + 1)
    return (accepted + 1) * bandwidth / moved


def llama_shape(name: str, sizes: dict[str, int], vocabulary: int) -> Shape:
    """A model of LLaMA's kind of these sizes, such as a draft of the same tokenizer."""
    config = LlamaConfig(vocab_size=vocabulary, **sizes)
    hidden, inner, layers = (sizes[key] for key in ("hidden_size", "intermediate_size", "num_hidden_layers"))
    block = [(hidden, hidden)] * 4 + [(hidden, inner)] * 2 + [(inner, hidden)]
    other = 2 * vocabulary * hidden + (2 * layers + 1) * hidden
    return Shape(name, hidden, layers, vocabulary, tuple(block * layers), other, config)


def shapes_of(config: Any) -> dict[str, tuple[int, ...]]:
    """Name -> shape of each parameter on the meta device; of the blocks, those of the first and the last."""
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    ends = (".0.", f".{config.num_hidden_layers - 1}.")
    return {
        name: tuple(value.shape)
        for name, value in model.named_parameters()
        if ".layers." not in name or any(end in name for end in ends)
    }


def memory_rows(shape: Shape) -> list[tuple[str, float]]:
    """(what, bytes on one GPU at its peak)."""
    weights = weights_bytes(shape)
    works = {
        f"generating {NEW} tokens after {PROMPT}, 1 text": Work(1, PROMPT, NEW),
        f"generating {NEW} tokens after {PROMPT}, 8 texts": Work(8, PROMPT, NEW),
        f"scoring {SCORED} tokens after {PROMPT}, 8 texts": Work(8, PROMPT, SCORED, scored=True),
    }
    rows = [(name, weights + pass_bytes(shape.config, work)) for name, work in works.items()]
    training = plan(TRAINING.replace(model=shape.name), shape)
    return [*rows, (f"training, 1 text of {TRAINING.max_length} tokens, rank {TRAINING.lora_rank}", training.total)]


def speed_rows(shape: Shape, bandwidth: float) -> list[tuple[str, float]]:
    """(how, tokens a second at most)."""
    draft, tokens = llama_shape("draft", DRAFT, shape.vocabulary), PROMPT + NEW // 2
    rows = [(f"greedy, {n} text{'s' * (n > 1)}", bound(shape, bandwidth, tokens, n)) for n in (1, 8)]
    rows.append(("contrastive, small amateur, 1 text", contrastive_bound((shape, draft), bandwidth, tokens)))
    for accepted in (0, 3, 5):
        rate = speculative_bound((shape, draft), bandwidth, tokens, 5, accepted)
        rows.append((f"speculative, 5 proposed and {accepted} accepted, 1 text", rate))
    return rows


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    shape = shape_of(MODEL)
    print(f"# LLaMA 65B on one GPU of 80 GB, as planned\n\n`python benchmarks/plan_65b.py`, torch {torch.__version__}.")
    print("**No line here was ever run on a GPU**; `benchmarks/gpu_65b.py` is ready to.\n")
    print(f"{shape.parameters / 1e9:.2f} billion parameters, {weights_bytes(shape) / 1e9:.2f} GB in NF4.\n")
    print("| memory on one GPU | GB | of 80 GB |\n| --- | ---: | ---: |")
    for name, size in memory_rows(shape):
        print(f"| {name} | {size / 1e9:.1f} | {size / 80e9:.0%} |")
    print("\n| memory on each of 8 GPUs that share a training (FSDP) | GB |\n| --- | ---: |")
    for name, size in plan(TRAINING, shape, gpus=8).rows():
        print(f"| {name} | {size / 1e9:.2f} |")
    print("\nTokens a second that bandwidth allows at most; nothing reaches all of it.\n")
    print(f"| decoding | {' | '.join(BANDWIDTH)} |\n| --- | {' | '.join(['---:'] * len(BANDWIDTH))} |")
    for rows in zip(*(speed_rows(shape, each) for each in BANDWIDTH.values()), strict=True):
        print(f"| {rows[0][0]} | {' | '.join(f'{rate:.0f}' for _, rate in rows)} |")


if __name__ == "__main__":
    main()
