"""Images beside a model of transformers: tensors where it computes, and what it keeps of images that it must forget.

Rows with images share a batch with such rows only, so that a text does not depend on what else is in its batch.
"""

from __future__ import annotations

from typing import Any


def on_model(value: Any, model: Any) -> Any:
    """A tensor where the model is; real numbers of the type that it computes in."""
    return value.to(model.device, model.dtype) if value.is_floating_point() else value.to(model.device)


def forget_images(model: Any) -> None:
    """Let a model begin anew: Qwen-VL keeps how far the images of the last batch moved the positions of its text."""
    for module in model.modules():
        if getattr(module, "rope_deltas", None) is not None:
            module.rope_deltas = None
