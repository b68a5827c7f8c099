"""Settings of trials, and of measured drafts."""

from __future__ import annotations

from pydantic import Field

from abroad.core.settings import Count
from abroad.extraction.generative.decoding import GenerativeSettings
from abroad.training.settings import TrainSettings


class SearchedSettings(TrainSettings):
    """How each trial of a search trains.

    The published search trains each trial for 5 epochs and prunes those that fall below the median from the third on; a
    model that is to be used is trained by `TrainSettings`.
    """

    epochs: Count = Field(5, description="Times that all examples are read.")


class DraftSettings(GenerativeSettings):
    """How texts are written that a draft is measured by.

    Every candidate writes all of them, one at a time, and some of a text tell how fast it is written: they are short.
    What is extracted is written by `GenerativeSettings`.
    """

    max_new_tokens: Count = Field(96, description="New tokens of a document.")
