"""Settings of trials, and of measured drafts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from abroad.core.settings import Count, CountOrNone, Positive
from abroad.extraction.generative.decoding import GenerativeSettings
from abroad.training.settings import TrainSettings


class SearchedSettings(TrainSettings):
    """How each trial of a search trains.

    The published search trains each trial for 5 epochs and prunes those that fall below the median from the third on; a
    model that is to be used is trained by `TrainSettings`.
    """

    epochs: Count = Field(5, description="Times that all examples are read.")


class ImageTrainSettings(TrainSettings):
    """How each training of the grid of images is made: rate and scale of the adapter as in the study of scaling LLaVA.

    It found a learning rate of 1e-4 and an alpha of twice the rank to do best (arXiv 2309.09958).
    """

    epochs: Count = Field(3, description="Times that all examples are read.")
    learning_rate: Positive = Field(1e-4, description="Learning rate of AdamW; it falls linearly.")
    batch_size: Count = Field(4, description="Examples in one forward pass.")
    gradient_accumulation_steps: Count = Field(4, description="Forward passes in an update.")
    warmup_steps: CountOrNone = Field(10, description="Updates over which the learning rate rises.")
    lora_rank: Count = Field(64, description="Rank of the adapter (arXiv 2106.09685).")
    lora_alpha: Count = Field(128, description="Scale of the adapter: alpha / rank; else twice the rank.")
    keep_every: CountOrNone = Field(
        0, description="Epochs between adapters that are kept in checkpoints/; 0 keeps the best one only."
    )

    @classmethod
    def _with_images(cls, values: Mapping[str, Any]) -> bool:
        return True


class DraftSettings(GenerativeSettings):
    """How texts are written that a draft is measured by.

    Every candidate writes all of them, one at a time, and some of a text tell how fast it is written: they are short.
    What is extracted is written by `GenerativeSettings`.
    """

    max_new_tokens: Count = Field(96, description="New tokens of a document.")
