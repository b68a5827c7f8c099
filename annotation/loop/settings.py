"""What the section `curation` of a config may say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from abroad.core.settings import Count, Positive, Share
from annotation.argilla.target import TargetSettings


class CurationSettings(TargetSettings):
    """Rounds of curation: extract, show a batch to curators, learn from their decisions, show the next."""

    offline: bool = Field(False, description="Show each batch as an HTML page instead of on an Argilla server.")
    url: str | None = Field(
        None, description="Address of the Argilla server; null: that of ARGILLA_API_URL, else the local one."
    )
    model: Path | None = Field(None, description="Extractor that the first round uses; null: the built-in one.")
    batch: Count = Field(20, description="Documents that a round shows.")
    blind: Share = Field(0.1, description="Share of a batch drawn at random, to see what the model misses.")
    enough: Share = Field(1.0, description="Share of a batch that must be decided before a round ends.")
    conflicts: Literal["settle", "leave"] = Field(
        "settle", description="A round ends when its conflicts are settled, or leaves their documents out (leave)."
    )
    synthetic: tuple[Path, ...] = Field((), description="Further documents to train on, each of weight 0.5.")
    weight: Positive = Field(2.0, description="Weight of a curated document in training; a synthetic one has 0.5.")
    adopt: Literal["better", "always"] = Field(
        "better", description="A new model replaces the one before when it scores better, or always."
    )
    resamples: Annotated[int, Field(ge=1000)] = Field(
        2000, description="Bootstrap resamples behind each interval of the scores."
    )
