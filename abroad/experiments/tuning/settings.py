"""Settings of measured drafts."""

from __future__ import annotations

from pydantic import Field

from abroad.core.settings import Count
from abroad.extraction.generative.decoding import GenerativeSettings


class DraftSettings(GenerativeSettings):
    """How texts are written that a draft is measured by."""

    max_new_tokens: Count = Field(
        96, description="New tokens of a document; some of a text tell how fast it is written."
    )
