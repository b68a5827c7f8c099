"""Whether a fine-tuning run fits a GPU: weights, gradients, optimizer and activations, added up beforehand.

Activations of a block after Korthikanti et al. 2022 (https://arxiv.org/abs/2205.05198, section 4.1): s*b*h*34 bytes in
16 bits without the attention scores, which fused attention does not keep. With checkpointing a block keeps its input
(2*s*b*h) and one block at a time is whole. NF4 with double quantisation takes 4.127 bits a weight (arXiv 2305.14314).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from abroad.training.settings import TrainSettings

GIB = 2**30
_NF4_BYTES = 4.127 / 8
_BYTES = {"none": 2.0, "int8": 1.0, "nf4": _NF4_BYTES}  # of a frozen weight
_RESERVE = 0.92  # share of a GPU's memory that PyTorch gets to use: the rest goes to CUDA and fragmentation
# The published LLaMA models (arXiv 2302.13971, table 2), known without the network: hidden, layers, heads, inner.
_LLAMA = {
    "7b": (4096, 32, 32, 11008),
    "13b": (5120, 40, 40, 13824),
    "30b": (6656, 60, 52, 17920),
    "33b": (6656, 60, 52, 17920),
    "65b": (8192, 80, 64, 22016),
}


@dataclass(frozen=True)
class Shape:
    """What of a model decides its memory.

    Attributes:
        linear: (inputs, outputs) of each linear layer that gets an adapter.
        other: further parameters (embeddings, norms, output layer), which are never quantised.
    """

    name: str
    hidden: int
    layers: int
    vocabulary: int
    linear: tuple[tuple[int, int], ...]
    other: int

    @property
    def parameters(self) -> int:
        return self.other + sum(inputs * outputs for inputs, outputs in self.linear)


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes on each GPU.

    Attributes:
        fits: None where no memory was given.
        advice: settings that would fit, best first.
    """

    shape: Shape
    gpus: int
    weights: float
    adapter: float
    gradients: float
    optimizer: float
    activations: float
    logits: float
    available: float | None
    advice: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        return self.weights + self.adapter + self.gradients + self.optimizer + self.activations + self.logits

    @property
    def fits(self) -> bool | None:
        return None if self.available is None else self.total <= self.available * _RESERVE

    def rows(self) -> Iterator[tuple[str, float]]:
        """(what, bytes) for people."""
        for name in ("weights", "adapter", "gradients", "optimizer", "activations", "logits", "total"):
            yield name, getattr(self, name)


def shape_of(model: str) -> Shape:
    """The shape of a model by name or path; nothing but its config is read, and LLaMA's sizes are known by name.

    Raises:
        InputError: no such model.
    """
    known = re.search(r"llama[-_]?(\d+b)$", model.lower())
    if known and known[1] in _LLAMA:
        return _llama(model, *_LLAMA[known[1]])
    from abroad.models.load import empty_model
    from abroad.models.resolve import resolve_model

    empty = empty_model(resolve_model(model))
    config = empty.config
    head = empty.get_output_embeddings()
    kinds = [(module, type(module).__name__) for module in empty.modules() if module is not head]
    linear = [
        tuple(module.weight.shape) if kind == "Conv1D" else tuple(reversed(module.weight.shape))
        for module, kind in kinds
        if kind in ("Linear", "Conv1D")
    ]
    total = sum(parameter.numel() for parameter in empty.parameters())
    other = total - sum(inputs * outputs for inputs, outputs in linear)
    layers = int(config.num_hidden_layers)
    return Shape(model, int(config.hidden_size), layers, int(config.vocab_size), tuple(linear), other)


def _llama(name: str, hidden: int, layers: int, heads: int, inner: int) -> Shape:
    vocabulary = 32000
    block = [(hidden, hidden)] * 4 + [(hidden, inner)] * 2 + [(inner, hidden)]
    other = 2 * vocabulary * hidden + (2 * layers + 1) * hidden
    return Shape(name, hidden, layers, vocabulary, tuple(block * layers), other)


def plan(
    settings: TrainSettings, shape: Shape, gpus: int = 1, gpu_memory: float | None = None, target_tokens: int = 128
) -> MemoryPlan:
    """Memory of a run on each of `gpus` GPUs, which share weights, gradients and optimizer (FSDP).

    Args:
        gpu_memory: bytes of one GPU; with it the plan says whether the run fits, and what would.
        target_tokens: of the relations of the longest document: logits are kept for these only.
    """
    result = _plan(settings, shape, gpus, gpu_memory, target_tokens)
    if result.fits is not False:
        return result
    return replace(result, advice=tuple(_advice(settings, shape, gpus, gpu_memory, target_tokens)))


def _plan(settings: TrainSettings, shape: Shape, gpus: int, gpu_memory: float | None, target_tokens: int) -> MemoryPlan:
    frozen = sum(inputs * outputs for inputs, outputs in shape.linear)
    quantised = settings.quantization != "none"
    weights = (frozen * _BYTES[settings.quantization] + shape.other * 2) / gpus
    # FSDP holds one block whole while it is computed, and fetches the next.
    gathered = 2 * (weights * gpus / shape.layers) if gpus > 1 else 0.0
    adapter = sum(settings.lora_rank * (inputs + outputs) for inputs, outputs in shape.linear)
    rows = 1 if settings.pack else settings.batch_size
    tokens = rows * settings.max_length
    # A LoRA branch keeps its input (after dropout) and its r-wide middle, beside what the block itself keeps.
    block = tokens * shape.hidden * (34 + 2 * len(shape.linear) / shape.layers * bool(settings.lora_dropout))
    if settings.gradient_checkpointing:
        activations = shape.layers * 2 * tokens * shape.hidden + block
    else:
        activations = shape.layers * block
    # Dequantised weights of the layer at hand, in bf16.
    workspace = 2 * max((a * b for a, b in shape.linear), default=0) if quantised else 0
    logits = rows * (target_tokens + 1) * shape.vocabulary * (2 + 4 + 4)  # bf16, float32, its gradient
    state = 2 if quantised and gpus == 1 else 8  # two moments: 8-bit paged AdamW, or float32
    return MemoryPlan(
        shape,
        gpus,
        weights=weights + gathered,
        adapter=4 * adapter / gpus,
        gradients=4 * adapter / gpus,
        optimizer=state * adapter / gpus,
        activations=activations + workspace,
        logits=logits,
        available=gpu_memory,
    )


def _advice(
    settings: TrainSettings, shape: Shape, gpus: int, gpu_memory: float | None, target_tokens: int
) -> Iterator[str]:
    """Changes that make the run fit, from the least to the greatest."""
    small = settings.batch_size
    while small > 1:
        small = max(small // 2, 1)
        trial = settings.replace(batch_size=small)
        if _plan(trial, shape, gpus, gpu_memory, target_tokens).fits:
            more = settings.gradient_accumulation_steps * settings.batch_size // small
            yield f"batch_size: {small} with gradient_accumulation_steps: {more}"
            break
    changes: list[dict[str, Any]] = [
        {"gradient_checkpointing": True},
        {"gradient_checkpointing": True, "batch_size": 1},
        {"quantization": "nf4", "gradient_checkpointing": True},
        {"quantization": "nf4", "gradient_checkpointing": True, "batch_size": 1},
    ]
    for change in changes:
        if _plan(settings.replace(**change), shape, gpus, gpu_memory, target_tokens).fits:
            yield ", ".join(f"{key}: {str(value).lower()}" for key, value in change.items())
            break
    for more in (4, 8):
        if more > gpus and _plan(settings, shape, more, gpu_memory, target_tokens).fits:
            yield f"{more} GPUs (accelerate launch --config_file configs/gpu/{more}.yaml)"
            break
