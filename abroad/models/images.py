"""Images as models read them: data URLs made pictures, prompts with a place for each, and what a tower is given.

An image stands before the text: in a turn where the model's chat template puts it, and before a prompt of token ids
behind the token that begins a text. The processor of a model decides how many tokens an image takes.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from abroad.core.errors import InputError, MissingDependencyError
from abroad.models.vision import placeholder

Prompt: TypeAlias = str | tuple[int, ...]
"""Text of a chat, or token ids."""
_REFUSED = (ValueError, RuntimeError)
"""What processors raise for images that they do not take."""
_HEAD = "data:image/png;base64,"


def decoded(url: str) -> Any:
    """The picture (Pillow, RGB) of a data URL of a PNG; `abroad.documents.images` makes them, within limits.

    Raises:
        InputError: not such a URL, or no picture in it.
        MissingDependencyError: Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependencyError("pillow", "images", "images in prompts") from None
    if not url.startswith(_HEAD):
        raise InputError(f"expected an image as {_HEAD}..., found {url[:40]!r}")
    try:
        content = base64.b64decode(url.removeprefix(_HEAD), validate=True)
        return Image.open(io.BytesIO(content), formats=("PNG",)).convert("RGB")
    except (binascii.Error, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InputError("an image of the request is none that can be read") from None


def refused(error: BaseException, what: str = "the images") -> str:
    """What is said where a model's processor refuses images (Qwen-VL: one 200 times as wide as high)."""
    return f"the model's processor refuses {what}: {' '.join(str(error).split())[:200]}"


class ImagePrompts:
    """Prompts of a model that reads images, as text in which its processor finds the place of each.

    Args:
        processor: as `abroad.models.vision.load_processor` gives it.
    """

    def __init__(self, processor: Any) -> None:
        self.processor = processor
        self.tokenizer = processor.tokenizer

    @property
    def has_chat_template(self) -> bool:
        return bool(self.processor.chat_template)

    def turn(self, prompt: str, images: int = 0) -> str:
        """A user's turn in the chat template, so many images before its text, up to where the answer begins."""
        parts = [*({"type": "image"} for _ in range(images)), {"type": "text", "text": prompt}]
        turn = [{"role": "user", "content": parts}]
        return str(self.processor.apply_chat_template(turn, tokenize=False, add_generation_prompt=True))

    def placeholders(self, images: int) -> str:
        """What stands for so many images outside of a chat."""
        return placeholder(self.processor) * images

    def start_of(self, prompt: tuple[int, ...]) -> int:
        """How many tokens of a prompt stand before its images: the one that begins a text, where the prompt has it."""
        return int(prompt[:1] == (self.tokenizer.bos_token_id,))

    def unexpanded(self, prompt: Prompt, images: int) -> list[int]:
        """Token ids of a prompt with one place for each of so many images: what vLLM takes."""
        if isinstance(prompt, str):
            return self._ids(self.turn(prompt, images))
        start = self.start_of(prompt)
        places = self._ids(self.placeholders(images))
        return [*prompt[:start], *places, *prompt[start:]]

    def refusals(self, images: Sequence[str]) -> dict[int, str]:
        """Which images are none, or such that the processor refuses them by themselves: index -> why."""
        found = {}
        for index, image in enumerate(images):
            try:
                self._processed(self.placeholders(1), [decoded(image)])
            except InputError as error:
                found[index] = str(error)
            except _REFUSED as error:
                found[index] = refused(error, "it")
        return found

    def _processed(self, text: str, pictures: Sequence[Any]) -> Any:
        images = [list(pictures)]
        return self.processor(text=[text], images=images, add_special_tokens=False, return_tensors="pt")

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids


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
    """Makes of a prompt with images what a model of transformers takes."""

    def read(self, prompt: Prompt, images: Sequence[str]) -> Shown:
        """A prompt, text of a chat or token ids, with its images.

        Raises:
            InputError: an image is none, or of a form that the model does not take.
        """
        pictures = [decoded(url) for url in images]
        if isinstance(prompt, str):
            return self._read(self.turn(prompt, len(pictures)), pictures)
        return self.before(pictures, prompt)

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
            made = self._processed(text, pictures)
        except _REFUSED as error:
            raise InputError(refused(error)) from None
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
