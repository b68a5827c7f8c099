"""Settings of trials, and of measured drafts."""

from __future__ import annotations

from pydantic import Field

from abroad.core.settings import Count
from abroad.extraction.generative.decoding import GenerativeSettings
from abroad.training.settings import TrainSettings


class SearchedSettings(TrainSettings):
    """How each trial of a search trains; the published search trains for 5 epochs."""

    epochs: Count = Field(5, description="Times that all examples are read.")


class DraftSettings(GenerativeSettings):
    """How texts are written that a draft is measured by."""

    max_new_tokens: Count = Field(
        96, description="New tokens of a document; some of a text tell how fast it is written."
    )
