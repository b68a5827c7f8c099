"""Where on a server documents are shown, and to how many curators."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from abroad.core.settings import Settings, Share


class TargetSettings(Settings):
    """The place of a batch on an Argilla server, and how much of it several curators are shown."""

    dataset: str = Field("relations", description="Name of the dataset on the server; made if it is not there.")
    workspace: str = Field("abroad", description="Where the curators work; made if it is not there.")
    overlap: Share = Field(0.0, description="Share of the documents that several curators are shown.")
    curators: Annotated[int, Field(ge=2)] = Field(2, description="Answers that each document of the overlap needs.")
