"""Images in requests, for engines that hold the weights: data URLs made pictures, and prompts with a place for each.

An image stands before the text: in a turn where the model's chat template puts it, and before a prompt of token ids
behind the token that begins a text.
"""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any

from abroad.core.errors import InputError, MissingDependencyError
from abroad.engines.base import GenerationRequest

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
        from abroad.models.vision import placeholder

        return placeholder(self.processor) * images

    def start_of(self, prompt: tuple[int, ...]) -> int:
        """How many tokens of a prompt stand before its images: the one that begins a text, where the prompt has it."""
        return int(prompt[:1] == (self.tokenizer.bos_token_id,))

    def unexpanded(self, request: GenerationRequest) -> list[int]:
        """Token ids of a request with one place for each image: what vLLM takes."""
        if isinstance(request.prompt, str):
            return self._ids(self.turn(request.prompt, len(request.images)))
        start = self.start_of(request.prompt)
        places = self._ids(self.placeholders(len(request.images)))
        return [*request.prompt[:start], *places, *request.prompt[start:]]

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids
