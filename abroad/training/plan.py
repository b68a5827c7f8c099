"""Whether a fine-tuning run fits a GPU: weights, gradients, optimizer and activations, added up beforehand.

Activations are counted in a pass of the model itself without values (`abroad.training.memory`). NF4 with double
quantisation takes 4.127 bits a weight (arXiv 2305.14314); what is not quantised is kept in float32 then, and so are
the activations between the layers. The plan is compared with what a CPU holds (`benchmarks/training.py`); it was never
held against a GPU.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from abroad.core.errors import InputError
from abroad.models.backend import import_transformers
from abroad.models.source import describe_model
from abroad.models.vision import reads_images
from abroad.training.memory import dry_run
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
        config: of the model, as transformers has it.
    """

    name: str
    hidden: int
    layers: int
    vocabulary: int
    linear: tuple[tuple[int, int], ...]
    other: int
    config: Any = field(compare=False, repr=False)

    @property
    def parameters(self) -> int:
        return self.other + sum(inputs * outputs for inputs, outputs in self.linear)


@dataclass(frozen=True)
class MemoryPlan:
    """Bytes on each GPU.

    Attributes:
        activations: at their most, logits and unpacked weights among them.
        loading: weights while they are read: those in 4 bits come to each GPU as a whole, and then are shared.
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
    loading: float
    available: float | None
    advice: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        return self.weights + self.adapter + self.gradients + self.optimizer + self.activations

    @property
    def fits(self) -> bool | None:
        return None if self.available is None else max(self.total, self.loading) <= self.available * _RESERVE

    def rows(self) -> Iterator[tuple[str, float]]:
        """(what, bytes) for people."""
        for name in ("weights", "adapter", "gradients", "optimizer", "activations", "total"):
            yield name, getattr(self, name)
        if self.gpus > 1 and self.loading:
            yield "while loading", self.loading


def shape_of(model: str) -> Shape:
    """The shape of a model by name or path; nothing but its config is read, and LLaMA's sizes are known by name.

    Raises:
        InputError: no such model, or one that reads images: what its tower holds is not counted.
    """
    known = re.search(r"llama[-_]?(\d+b)$", model.lower())
    if known and known[1] in _LLAMA:
        return _llama(model, *_LLAMA[known[1]])
    if reads_images(describe_model(model)):
        raise InputError(
            f"{model}: reads images, and the plan counts models of text alone; try one epoch of few documents"
        )
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
    return Shape(model, int(config.hidden_size), layers, int(config.vocab_size), tuple(linear), other, config)


def _llama(name: str, hidden: int, layers: int, heads: int, inner: int) -> Shape:
    vocabulary = 32000
    block = [(hidden, hidden)] * 4 + [(hidden, inner)] * 2 + [(inner, hidden)]
    other = 2 * vocabulary * hidden + (2 * layers + 1) * hidden
    config = import_transformers()[0].LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
    )
    return Shape(name, hidden, layers, vocabulary, tuple(block * layers), other, config)


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
    whole = frozen * _BYTES[settings.quantization] + shape.other * (4 if quantised else 2)
    weights = whole / gpus
    # FSDP holds one block whole while it is computed, and fetches the next.
    gathered = 2 * (whole / shape.layers) if gpus > 1 else 0.0
    adapter = sum(settings.lora_rank * (inputs + outputs) for inputs, outputs in shape.linear)
    rows = 1 if settings.pack else settings.batch_size
    state = 2 if quantised and gpus == 1 else 8  # two moments: 8-bit paged AdamW, or float32
    return MemoryPlan(
        shape,
        gpus,
        weights=weights + gathered,
        adapter=4 * adapter / gpus,
        gradients=4 * adapter / gpus,
        optimizer=state * adapter / gpus,
        activations=_activations(settings, shape, rows, target_tokens),
        loading=whole if quantised else 0.0,
        available=gpu_memory,
    )


def _activations(settings: TrainSettings, shape: Shape, rows: int, target_tokens: int) -> int:
    """`dry_run`, once for what decides it: advice tries many settings."""
    names = ("quantization", "gradient_checkpointing", "max_length", "lora_rank", "lora_dropout", "residual_dropout")
    key = (shape.name, shape.parameters, rows, target_tokens, *(getattr(settings, name) for name in names))
    if key not in _COUNTED:
        _COUNTED[key] = dry_run(shape.config, settings, rows, target_tokens)
    return _COUNTED[key]


_COUNTED: dict[tuple[Any, ...], int] = {}


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
