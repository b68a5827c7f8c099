"""Settings of releases; plain values, so that reading them needs no torch."""

from __future__ import annotations

from pydantic import Field

from abroad.core.settings import Count
from abroad.extraction.generative.decoding import Decoding


class GridDecoding(Decoding):
    """How relations are decoded for each cell of a grid of compressed adapters.

    Cells are compared with one another, and there are dozens: greedy and short. A release is measured by `Decoding`.
    """

    num_beams: Count = Field(1, description="Beams of the search; 1 is greedy.")
    max_new_tokens: Count = Field(
        256, description="Budget of a document; outputs that reach it are counted as cut off."
    )
