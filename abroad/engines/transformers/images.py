"""Images beside a model of transformers: tensors where it computes, and what it keeps of images that it must forget.

Rows with images share a batch with such rows only, so that a text does not depend on what else is in its batch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from abroad.core.errors import InputError
from abroad.engines.base import GenerationRequest
from abroad.engines.refused_images import Refused, without_refused
from abroad.models.images import ImageReader


def on_model(value: Any, model: Any) -> Any:
    """A tensor where the model is; real numbers of the type that it computes in."""
    return value.to(model.device, model.dtype) if value.is_floating_point() else value.to(model.device)


def forget_images(model: Any) -> None:
    """Let a model begin anew: Qwen-VL keeps how far the images of the last batch moved the positions of its text."""
    for module in model.modules():
        if getattr(module, "rope_deltas", None) is not None:
            module.rope_deltas = None


def encode_what_is_taken(
    request: GenerationRequest, encode: Callable[[GenerationRequest], list[int]], images: ImageReader | None
) -> tuple[GenerationRequest, list[int], Refused]:
    """(the request with the images that the model takes, the tokens of its prompt, the other images).

    Args:
        request: with images or without.
        encode: gives the tokens of a request's prompt.
        images: reads images for the model; None of a model that reads text only.
    Raises:
        InputError: an image is none, or all of them together are refused.
    """
    try:
        return request, encode(request), ()
    except InputError:
        reasons = images.refusals(request.images) if images is not None else {}
        if not reasons:
            raise
    less, refused = without_refused(request, reasons)
    return less, encode(less), refused
