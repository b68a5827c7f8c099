"""Settings of an evaluation; plain values, nothing is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field

from abroad.core.registry import member_of
from abroad.core.settings import Seed, Settings
from abroad.evaluation.protocols import PROTOCOLS

Resamples = Annotated[int, Field(ge=1000)]


class EvaluateSettings(Settings):
    """When a relation equals a gold one, and how intervals are made."""

    later_fields: ClassVar[frozenset[str]] = frozenset({"field"})

    protocol: Annotated[str, member_of(PROTOCOLS)] = Field(
        "upstream", description="How pairs are compared: upstream (published), strict or grounded (identifiers)."
    )
    resamples: Resamples = Field(2000, description="Resamples of the bootstrap.")
    seed: Seed = Field(0, description="Seed of the bootstrap.")
    field: Path | None = Field(
        None, description="File of the field of the documents, which says what is undirected; null: natural products."
    )
