"""How an extractor is trained on documents of one's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from abroad.core.settings import Positive, Seed, Settings


class ExtractorTrainSettings(Settings):
    """How `abroad extractor train` learns, calibrates and measures."""

    folds: Annotated[int, Field(ge=2)] = Field(5, description="Folds of the cross-validation, by document.")
    seed: Seed = Field(0, description="Seed by which documents are dealt to the folds.")
    weight: Positive = Field(1.0, description="Weight of a curated document's candidates in the scorer of relations.")
    adapt: bool | None = Field(
        None,
        description="Let the tagger learn from the documents too, or else the scorer alone; by default whichever is "
        "better in cross-validation.",
    )
