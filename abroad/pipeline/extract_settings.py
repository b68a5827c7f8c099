"""How documents go through an extractor, whichever it is."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from abroad.core.settings import Count, Settings


class ExtractionSettings(Settings):
    """How documents go through an extractor."""

    link: bool = Field(True, description="Add identifiers: NCBI Taxonomy, the index, OPSIN if it is installed.")
    index: Path | None = Field(
        None, description="Index of `abroad lotus prepare`: links names, tells known from new relations."
    )
    workers: Count | None = Field(
        None,
        description="Processes that extract, each with the extractor loaded; by default one a core, and one alone for "
        "language models. With RAY_ADDRESS those of a Ray cluster.",
    )


class FileSettings(ExtractionSettings):
    """How predictions go to a file."""

    format: str | None = Field(None, description="Of the predictions; by default as the name of the file says.")
