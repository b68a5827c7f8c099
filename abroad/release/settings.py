"""Settings of releases; plain values, so that reading them needs no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from abroad.core.settings import Count, NotNegative, Positive, Settings
from abroad.extraction.generative.decoding import Decoding


class GridDecoding(Decoding):
    """How relations are decoded for each cell of a grid of compressed adapters.

    Cells are compared with one another, and there are dozens: greedy and short. A release is measured by `Decoding`.
    """

    num_beams: Count = Field(1, description="Beams of the search; 1 is greedy.")
    max_new_tokens: Count = Field(
        256, description="Budget of a document; outputs that reach it are counted as cut off."
    )


class GridSettings(Settings):
    """Which compressed adapters are tried, and which of them is taken."""

    densities: tuple[Annotated[float, Field(gt=0, lt=100)], ...] = Field(
        (5, 10, 20, 30, 50), description="Percent of the entries to keep."
    )
    scales: tuple[Positive, ...] = Field((0.5, 1, 2, 3, 4, 5, 6, 8, 10), description="Scales (alpha) to try.")
    within: NotNegative = Field(1.0, description="Take the smallest that loses at most so many points of F1.")
    full_grid: bool = Field(False, description="Measure F1 of all, not of the least loss only.")
