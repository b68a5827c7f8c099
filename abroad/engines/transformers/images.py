"""What a model of transformers reads of images: tokens that stand for them, and pixels for the model's tower.

The processor of a model decides how many tokens an image takes. Rows with images share a batch with such rows only, so
that a text does not depend on what else is in its batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from abroad.core.errors import InputError
from abroad.engines.base import GenerationRequest
from abroad.engines.images import ImagePrompts, decoded


@dataclass(frozen=True)
class Shown:
    """A prompt with its images, as a model takes it.

    Attributes:
        ids: tokens of the prompt, those that stand for images among them.
        along: what the processor says of each token (which are of an image), by the name of the model's input.
        pixels: tensors for the tower, by the name of the model's input; along their first axis images, or patches.
    """

    ids: list[int]
    along: dict[str, list[int]] = field(default_factory=dict)
    pixels: dict[str, Any] = field(default_factory=dict)


class ImageReader(ImagePrompts):
    """Makes of a request what a model takes."""

    def read(self, request: GenerationRequest) -> Shown:
        """A request with its images.

        Raises:
            InputError: an image is none, or of a form that the model does not take.
        """
        pictures = [decoded(url) for url in request.images]
        if isinstance(request.prompt, str):
            return self._read(self.turn(request.prompt, len(pictures)), pictures)
        return self.before(pictures, request.prompt)

    def before(self, pictures: Sequence[Any], prompt: tuple[int, ...]) -> Shown:
        """Pictures (of Pillow) before a prompt of token ids."""
        if not pictures:
            return Shown(list(prompt))
        shown = self._read(self.placeholders(len(pictures)), pictures)
        start = self.start_of(prompt)
        none = [0] * len(prompt)  # of the prompt's own tokens none is an image's
        along = {name: [*none[:start], *values, *none[start:]] for name, values in shown.along.items()}
        return Shown([*prompt[:start], *shown.ids, *prompt[start:]], along, shown.pixels)

    def _read(self, text: str, pictures: Sequence[Any]) -> Shown:
        try:
            made = self.processor(text=[text], images=[list(pictures)], add_special_tokens=False, return_tensors="pt")
        except (ValueError, RuntimeError) as error:  # Qwen-VL: an image 200 times as wide as high
            raise InputError(
                f"the model's processor refuses the images: {' '.join(str(error).split())[:200]}"
            ) from None
        ids = made.pop("input_ids")[0].tolist()
        made.pop("attention_mask", None)
        along = {name: made.pop(name)[0].tolist() for name in list(made) if name.endswith("token_type_ids")}
        return Shown(ids, along, dict(made))


def together(rows: Iterable[Shown], width: int) -> dict[str, Any]:
    """What a batch takes beside its ids and mask, which are padded on the left to a width; nothing without images."""
    import torch

    shown = list(rows)
    names = {name for row in shown for name in row.along}
    padded = {
        name: torch.tensor([[0] * (width - len(row.ids)) + row.along.get(name, [0] * len(row.ids)) for row in shown])
        for name in sorted(names)
    }
    found: dict[str, list[Any]] = {}
    for row in shown:
        for name, values in row.pixels.items():
            found.setdefault(name, []).append(values)
    return {**padded, **{name: _joined(values) for name, values in found.items()}}


def _joined(tensors: Sequence[Any]) -> Any:
    """Tensors along their first axis; a shorter second one (LLaVA-NeXT: the parts of an image) is filled up."""
    import torch

    if len({tensor.shape[1:] for tensor in tensors}) > 1:
        most = max(tensor.shape[1] for tensor in tensors)
        grown = [tensor.new_zeros(tensor.shape[0], most, *tensor.shape[2:]) for tensor in tensors]
        for whole, tensor in zip(grown, tensors, strict=True):
            whole[:, : tensor.shape[1]] = tensor
        tensors = grown
    return torch.cat(list(tensors))


def on_model(value: Any, model: Any) -> Any:
    """A tensor where the model is; real numbers of the type that it computes in."""
    return value.to(model.device, model.dtype) if value.is_floating_point() else value.to(model.device)


def forget_images(model: Any) -> None:
    """Let a model begin anew: Qwen-VL keeps how far the images of the last batch moved the positions of its text."""
    for module in model.modules():
        if getattr(module, "rope_deltas", None) is not None:
            module.rope_deltas = None
