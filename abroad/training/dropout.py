"""Dropout on what each block adds to the residual stream, rising with depth (LIMA, arXiv 2305.11206, section 3)."""

from __future__ import annotations

from typing import Any

from abroad.models.lora import language_part

_OUTPUTS = ("o_proj", "down_proj", "out_proj", "fc2", "c_proj")


def add_residual_dropout(model: Any, highest: float) -> int:
    """Hook dropout onto the output projections of attention and feed-forward of each block.

    Of a model with an adapter it is the layer with its adapter that is hooked: what both add is dropped together.
    The rate rises linearly from 0 in the first block to `highest` in the last; it is off in evaluation mode.

    Returns:
        how many projections were hooked.
    """
    import torch

    blocks = decoder_blocks(model)
    hooked = 0
    for depth, block in enumerate(blocks):
        rate = highest * depth / max(len(blocks) - 1, 1)
        for name, module in block.named_modules():
            if name.rpartition(".")[2] in _OUTPUTS:  # within an adapter's layer the frozen one is called base_layer
                module.register_forward_hook(_dropout(torch.nn.functional.dropout, rate, block))
                hooked += 1
    return hooked


def _dropout(dropout: Any, rate: float, block: Any) -> Any:
    def hook(module: Any, inputs: Any, output: Any) -> Any:
        return dropout(output, rate, training=block.training)

    return hook


def decoder_blocks(model: Any) -> list[Any]:
    """The blocks of a decoder in order: the longest list of modules that it has."""
    import torch

    part = language_part(model)  # a tower that reads images has blocks too
    inner = model.get_submodule(part) if part else model
    lists = [list(module) for module in inner.modules() if isinstance(module, torch.nn.ModuleList)]
    return max(lists, key=len, default=[])
