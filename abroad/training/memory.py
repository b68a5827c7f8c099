"""What a forward and a backward pass hold in memory, counted tensor by tensor: for real, or on the meta device.

On the meta device tensors have shapes and types but no values, so the passes of a model of 65 billion parameters are
counted on a laptop. What is counted is what training does: the model that `with_adapter` prepares, with its float32
norms and heads under 4-bit weights. Attention is fused, as on a GPU: its scores are not kept.
"""

from __future__ import annotations

import contextlib
import copy
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from abroad.models.backend import import_transformers, quiet_loading
from abroad.training.data import target_loss
from abroad.training.settings import TrainSettings

FUSED = "abroad_counted"
"""Name of the attention of dry runs, in transformers' registry."""
_RUN = 2  # blocks of a dry run, and twice as many, whose difference is that of so many more


@dataclass
class Held:
    """What counting found.

    Attributes:
        now: bytes of the tensors that were made while counting, and are still there.
        peak: the most of them at any time.
    """

    now: int = 0
    peak: int = 0


@contextlib.contextmanager
def counting() -> Iterator[Held]:
    """Count the bytes of all tensors that are made, views of one storage once, until they are let go."""
    from torch.utils._python_dispatch import TorchDispatchMode
    from torch.utils._pytree import tree_leaves

    held, known = Held(), weakref.WeakSet()  # type: ignore[var-annotated]

    def let_go(size: int) -> None:
        held.now -= size

    class Counting(TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            import torch

            before = {id(leaf.untyped_storage()) for leaf in tree_leaves((args, kwargs)) if torch.is_tensor(leaf)}
            result = function(*args, **(kwargs or {}))
            for leaf in tree_leaves(result):
                if torch.is_tensor(leaf):
                    storage = leaf.untyped_storage()
                    if storage not in known and id(storage) not in before:
                        known.add(storage)
                        size = storage.nbytes()
                        weakref.finalize(storage, let_go, size)
                        held.now += size
                        held.peak = max(held.peak, held.now)
            return result

    with Counting():
        yield held


def count_step(model: Any, inputs: dict[str, Any]) -> int:
    """Bytes that one forward and backward pass hold at their peak, beside the model itself and the inputs."""
    with counting() as held:
        target_loss(model, inputs).backward()
    return held.peak


def dry_run(config: Any, settings: TrainSettings, rows: int, target_tokens: int) -> int:
    """`count_step` of a model of this config on the meta device, in the precision of a GPU.

    Blocks that are alike hold alike, so of many only a few are run.

    Args:
        rows: of `max_length` tokens each.
        target_tokens: of the relations of the longest document: logits are kept for these only.
    """
    layers = int(config.num_hidden_layers)
    if layers <= 2 * _RUN or len(set(getattr(config, "layer_types", None) or [""])) > 1:
        return _run(config, settings, rows, target_tokens)
    few, more = (_run(_with_layers(config, n), settings, rows, target_tokens) for n in (_RUN, 2 * _RUN))
    return few + (layers - _RUN) * (more - few) // _RUN


def _with_layers(config: Any, layers: int) -> Any:
    """The config of a model of fewer layers."""
    smaller = copy.deepcopy(config)
    smaller.num_hidden_layers = layers
    if getattr(config, "layer_types", None):
        smaller.layer_types = config.layer_types[:layers]
    return smaller


def _run(config: Any, settings: TrainSettings, rows: int, target_tokens: int) -> int:
    _, torch = import_transformers()
    model = _empty(config, settings)
    model.train()
    shape, meta = (rows, settings.max_length), torch.device("meta")
    inputs = {
        "input_ids": torch.zeros(shape, dtype=torch.long, device=meta),
        "position_ids": torch.zeros(shape, dtype=torch.long, device=meta),
        "attention_mask": torch.ones((rows, 1, *2 * shape[1:]), dtype=torch.bool, device=meta),
        "labels": torch.zeros((rows, target_tokens + 1), dtype=torch.long, device=meta),
    }
    return count_step(model, inputs)


def _empty(config: Any, settings: TrainSettings) -> Any:
    """The model with its adapter as training prepares it, without values; 4-bit layers are stood in for."""
    transformers, torch = import_transformers()
    from abroad.training.adapter import add_adapter

    _register_attention()
    with torch.device("meta"), quiet_loading():
        model = transformers.AutoModelForCausalLM.from_config(
            copy.deepcopy(config),  # the attention is noted in it, and a real model may share it
            trust_remote_code=False,
            dtype=torch.bfloat16,
            attn_implementation=FUSED,
        )
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    adapted = add_adapter(model, settings)
    if settings.quantization != "none":
        _as_four_bits(adapted.get_base_model())
    return adapted.get_base_model()


def _as_four_bits(model: Any) -> None:
    """As `prepare_model_for_kbit_training` leaves a model: float32, but for layers that compute in bfloat16."""
    import torch
    from peft.tuners.lora import LoraLayer

    packed = {id(module.get_base_layer()) for module in model.modules() if isinstance(module, LoraLayer)}
    for module in model.modules():
        if id(module) in packed:
            module.forward = _in_bfloat16(module)
        else:
            for parameter in module.parameters(recurse=False):
                parameter.data = parameter.data.to(torch.float32)


def _in_bfloat16(linear: Any) -> Any:
    """What bitsandbytes does: unpack the weights, multiply in bfloat16, return what came in as it came."""
    import torch

    class Multiply(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, values: Any, weight: Any) -> Any:
            ctx.save_for_backward(weight)
            return values @ torch.empty_like(weight).t()  # unpacked for as long as it takes

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            (weight,) = ctx.saved_tensors
            return gradient @ torch.empty_like(weight), None

    flip = type(linear).__name__ == "Conv1D"  # which has its weights the other way round

    def forward(values: Any) -> Any:
        weight = linear.weight.t() if flip else linear.weight
        product = Multiply.apply(values.to(torch.bfloat16), weight)
        bias = getattr(linear, "bias", None)
        return (product if bias is None else product + bias.to(product.dtype)).to(values.dtype)

    return forward


def _register_attention() -> None:
    """Fused attention as far as memory goes: queries, keys, values, the output and a number a row are kept."""
    import torch
    from transformers import AttentionInterface, AttentionMaskInterface

    class Fused(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, query: Any, key: Any, value: Any) -> Any:
            output = query.new_empty((*query.shape[:-1], value.shape[-1]))
            ctx.save_for_backward(query, key, value, output, query.new_empty(query.shape[:-1], dtype=torch.float32))
            return output

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            return tuple(torch.empty_like(value) for value in ctx.saved_tensors[:3])

    def attend(module: Any, query: Any, key: Any, value: Any, mask: Any, **_: Any) -> Any:
        output = Fused.apply(query, key, value)
        return output.transpose(1, 2).contiguous(), None

    AttentionInterface.register(FUSED, attend)
    AttentionMaskInterface.register(FUSED, lambda *_, **__: None)
