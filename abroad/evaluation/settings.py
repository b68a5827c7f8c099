"""Settings of an evaluation; plain values, nothing is loaded."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from abroad.core.settings import Seed, Settings

Resamples = Annotated[int, Field(ge=1000)]


class EvaluateSettings(Settings):
    """When a relation equals a gold one, and how intervals are made."""

    protocol: str = Field("upstream", description="upstream (published), strict or grounded (identifiers).")
    resamples: Resamples = Field(2000, description="Resamples of the bootstrap.")
    seed: Seed = Field(0, description="Seed of the bootstrap.")

    @field_validator("protocol")
    @classmethod
    def _known_protocol(cls, protocol: str) -> str:
        from abroad.evaluation.protocols import protocol_names

        if protocol not in protocol_names():
            raise ValueError(f"unknown protocol {protocol!r}; expected one of: {', '.join(protocol_names())}")
        return protocol
