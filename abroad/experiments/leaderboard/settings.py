"""What the section `leaderboard` of a config may say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from abroad.core.registry import member_of
from abroad.core.settings import Count, Settings
from abroad.evaluation.protocols import PROTOCOLS
from abroad.extraction.fewshot.retrieve import RETRIEVERS
from abroad.extraction.fewshot.styles import STYLES


class LeaderboardModel(Settings):
    """A model of the leaderboard; a text in its place is the name of the model."""

    model: str
    name: str = Field("", description="in the table; else the model's")
    engine: str = "transformers"
    batch_size: Count = 16
    settings: dict[str, Any] = Field({}, description="of the engine, as `abroad fewshot --set`")
    rank_engine: str | None = Field(
        None, description="that ranks; else `engine`. transformers reads what candidates share once, vllm for each"
    )
    price_in: Annotated[float, Field(ge=0)] | None = Field(None, description="for a million tokens of prompts")
    price_out: Annotated[float, Field(ge=0)] | None = Field(None, description="for a million generated tokens")

    @model_validator(mode="before")
    @classmethod
    def _of_a_name(cls, value: Any) -> Any:
        return {"model": value} if isinstance(value, str) else value

    @property
    def label(self) -> str:
        return self.name or self.model.rstrip("/").rpartition("/")[2]


class LeaderboardSettings(Settings):
    """Which models are set side by side, and asked how: every combination is a row."""

    models: tuple[LeaderboardModel, ...] = (LeaderboardModel(model="smollm2-135m"),)
    styles: tuple[Annotated[str, member_of(STYLES)], ...] = ("classic", "cot")
    shots: tuple[Annotated[int, Field(ge=0)], ...] = (0, 5)
    retrieve: tuple[Annotated[str, member_of(RETRIEVERS)], ...] = ("fixed", "bm25")
    rank: tuple[str, ...] = Field(("none",), description="none, likelihood, product, er-g, er-d: what to rank by")
    keep: Annotated[float, Field(gt=0, le=1)] = Field(0.5, description="share of the ranked relations that stays")
    examples: Path | None = Field(None, description="documents to take examples from; else our own")
    embedder: str | None = Field(None, description="encoder of 'embeddings'; else minilm-l6")
    chat: Literal["auto", "always", "never"] = "auto"
    structured: bool | None = Field(None, description="answers bound to their form; else where the engine can")
    fewer_shots: bool = False
    images: Annotated[int, Field(ge=0)] = Field(0, description="longest side of images in pixels; 0: none are shown")
    tokens_per_character: Annotated[float, Field(gt=0)] | None = Field(None, description="budget; else by style")
    protocol: Annotated[str, member_of(PROTOCOLS)] = "upstream"
    resamples: Annotated[int, Field(ge=1000)] = 2000
    seed: Annotated[int, Field(ge=0)] = 0
