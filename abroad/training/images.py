"""Documents with figures as training examples: how many go without, what stands for an image, and its pixels.

The tower that reads images stays as it is, and so does what hands its output on; the adapter sits in the language model
(`abroad.models.lora`), as in the study of scaling LLaVA (arXiv 2309.09958).
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.documents.images import IMAGES, data_url, figures, refused_image, without_images
from abroad.documents.instructions import Task
from abroad.models.images import ImageReader, Shown, decoded, together
from abroad.models.source import ModelSource
from abroad.models.vision import load_processor, reads_images
from abroad.training.data import TokenisedExample
from abroad.training.settings import TrainSettings


def training_images(source: ModelSource, settings: TrainSettings) -> TrainingImages | None:
    """What reads the images of a run; None of one that shows none.

    Raises:
        InputError: the model reads text only, or what is set does not go with images.
    """
    if not settings.resolution:
        return None
    check_reads_images(source, settings)
    if settings.pack:
        raise InputError("pack: rows of several examples are text; expected pack false with images")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("resolution: several processes train on text only; expected one process with images")
    return TrainingImages(ImageReader(load_processor(source)), settings.resolution)


@dataclass(frozen=True)
class TrainingImages:
    """Reads the images of examples.

    Attributes:
        reader: of the model.
        resolution: longest side of an image, in pixels.
    """

    reader: ImageReader
    resolution: int

    def encode(
        self, document: Document, prompt: tuple[int, ...], context: Context
    ) -> tuple[tuple[int, ...], tuple[Path, ...]]:
        """(the prompt with tokens for the images before it, the images' files); what cannot be shown is set aside."""
        found = figures(document, Path(), self.resolution)
        for reason in found.set_aside:
            context.rejects.add_image(document.id, reason)
        try:
            shown = self.reader.before([decoded(url) for url in found.urls], prompt)
        except InputError as error:
            refused = self.reader.refusals(found.urls) or dict.fromkeys(range(len(found.urls)), str(error))
            for index, reason in refused.items():
                context.rejects.add_image(document.id, refused_image(found.paths[index], reason))
            kept = [index for index in range(len(found.urls)) if index not in refused]
            shown = self.reader.before([decoded(found.urls[index]) for index in kept], prompt)
            return tuple(shown.ids), tuple(found.paths[index] for index in kept)
        return tuple(shown.ids), found.paths

    def inputs(self, batch: Sequence[TokenisedExample]) -> dict[str, Any]:
        """What the model reads of a batch beside its tokens, which are padded on the left."""
        return together(map(self._shown, batch), max(map(len, batch)))

    def _shown(self, example: TokenisedExample) -> Shown:
        pictures = [decoded(data_url(path, self.resolution)) for path in example.images]
        shown = self.reader.before(pictures, example.text)
        none = [0] * len(example.target)
        along = {name: values + none for name, values in shown.along.items()}
        return Shown([*shown.ids, *example.target], along, shown.pixels)


def check_reads_images(source: ModelSource, settings: TrainSettings) -> None:
    """Refuse to show images to a model that reads text only.

    Raises:
        InputError: it does.
    """
    if not reads_images(source):
        raise InputError(
            f"resolution {settings.resolution}: {settings.model} reads text only; expected a model such as LLaVA, "
            "Qwen-VL or Gemma 3, or resolution 0"
        )


def chosen(
    items: Sequence[Document | Task], settings: TrainSettings, source: ModelSource, context: Context
) -> list[Document | Task]:
    """`mixed` as the settings say; what is not shown or left out by them is told.

    Raises:
        InputError: likewise, or a share of text where no image is shown.
    """
    share = settings.text_share
    with_images = [item for item in items if isinstance(item, Document) and item.extra.get(IMAGES)]
    if not settings.resolution:
        if share is not None:
            raise InputError(f"text_share {share:g}: expected a resolution above 0 too, such as 336, to show images at")
        if with_images and reads_images(source):
            context.say(f"{len(with_images)} documents have images; none is shown, since the resolution is 0")
        return list(items)
    kept = mixed(items, share, settings.seed)
    plain = len(items) - len(with_images)
    left_out = 0 if share == 1 else plain - (len(kept) - len(with_images))
    if left_out > 0:
        context.say(f"{left_out} of {plain} examples without images are left out, for a text_share of {share:g}")
    return kept


def mixed(items: Sequence[Document | Task], share: float | None, seed: int) -> list[Document | Task]:
    """Documents and tasks of which a share has no images.

    Those with images are all kept, unless none is wanted. Where there are too few without, documents with images stand
    there a second time, as text.

    Args:
        items: in any order.
        share: of examples without images, 0 to 1; None leaves them as they are.
        seed: of the choice.

    Raises:
        InputError: images are wanted, and no document has any.
    """
    if share is None:
        return list(items)
    shown = [item for item in items if isinstance(item, Document) and item.extra.get(IMAGES)]
    if share == 1:
        return [without_images(item) if isinstance(item, Document) else item for item in items]
    if not shown:
        raise InputError(f"text_share {share:g}: none of the {len(items)} documents has images")
    wanted = round(len(shown) * share / (1 - share))
    chance = random.Random(f"{seed}:text_share")
    ids = {id(item) for item in shown}
    plain = [item for item in items if id(item) not in ids]
    chosen = {id(item) for item in chance.sample(plain, min(wanted, len(plain)))}
    kept = [item for item in items if id(item) in ids or id(item) in chosen]
    again, left = [without_images(item) for item in shown], wanted - len(chosen)
    while left > 0:
        more = chance.sample(again, min(left, len(again)))
        kept += [replace(item, id=f"{item.id} as text") for item in more]
        left -= len(more)
    return kept
