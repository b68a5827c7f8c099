"""What the section `leaderboard` of a config may say."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from abroad.core.errors import expected
from abroad.core.registry import member_of
from abroad.core.settings import Count, Settings
from abroad.evaluation.protocols import PROTOCOLS
from abroad.extraction.fewshot.retrieve import RETRIEVERS
from abroad.extraction.fewshot.styles import STYLES
from abroad.ranking.orders import ORDERS
from abroad.ranking.rank import FewShotKeep


class LeaderboardModel(Settings):
    """A model of the leaderboard; a text in its place is the name of the model."""

    model: str = Field(description="Directory or name of the model.")
    name: str = Field("", description="Name in the table; else it is the model's.")
    engine: str = Field("transformers", description="Engine that runs the model: transformers, vllm or openai.")
    batch_size: Count = Field(16, description="Prompts that are answered at a time.")
    settings: dict[str, Any] = Field({}, description="Settings of the engine, as `abroad fewshot --set` takes them.")
    rank_engine: str | None = Field(
        None, description="Engine that ranks, if another: transformers reads what candidates share once, vllm for each."
    )
    price_in: Annotated[float, Field(ge=0)] | None = Field(None, description="Price of a million tokens of prompts.")
    price_out: Annotated[float, Field(ge=0)] | None = Field(None, description="Price of a million generated tokens.")

    @model_validator(mode="before")
    @classmethod
    def _of_a_name(cls, value: Any) -> Any:
        return {"model": value} if isinstance(value, str) else value

    @property
    def label(self) -> str:
        return self.name or self.model.rstrip("/").rpartition("/")[2]


NO_RANK = "none"


def _order(name: str) -> str:
    """What answers are ranked by, or that they are not."""
    if name != NO_RANK and name not in ORDERS:
        raise ValueError(f"rank {name!r}: {expected(name, (NO_RANK, *ORDERS.names()))}")
    return name


class LeaderboardSettings(FewShotKeep):
    """Which models are set side by side, and asked how: every combination is a row."""

    models: tuple[LeaderboardModel, ...] = Field(
        (LeaderboardModel(model="smollm2-135m"),), description="Models that are set side by side."
    )
    styles: tuple[Annotated[str, member_of(STYLES)], ...] = Field(
        ("classic", "cot"), description="Styles of the prompt, each in rows of its own."
    )
    shots: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 5), description="Numbers of examples in the prompt, each in rows of its own."
    )
    retrieve: tuple[Annotated[str, member_of(RETRIEVERS)], ...] = Field(
        ("fixed", "bm25"), description="Ways to choose the examples, each in rows of its own."
    )
    rank: tuple[Annotated[str, AfterValidator(_order)], ...] = Field(
        ("none",), description="What the relations of an answer are ranked by: none, likelihood, product, er-g or er-d."
    )
    examples: Path | None = Field(None, description="Documents that examples are taken from; else they are our own.")
    embedder: str | None = Field(
        None, description="Encoder that 'embeddings' compares documents by; else it is minilm-l6."
    )
    chat: Literal["auto", "always", "never"] = Field(
        "auto", description="Chat template: auto (where the style wants it and the model has one), always or never."
    )
    structured: bool | None = Field(None, description="Bind answers to their form; null: where the engine can.")
    fewer_shots: bool = Field(
        False, description="Try prompts beyond the context with fewer examples; else their documents are set aside."
    )
    images: Annotated[int, Field(ge=0)] = Field(0, description="Longest side of images in pixels; 0: none are shown.")
    tokens_per_character: Annotated[float, Field(gt=0)] | None = Field(
        None, description="Tokens that an answer may have for each character of the text; null: as the style says."
    )
    protocol: Annotated[str, member_of(PROTOCOLS)] = Field(
        "upstream", description="How pairs are compared: upstream (published), strict or grounded (identifiers)."
    )
    resamples: Annotated[int, Field(ge=1000)] = Field(
        2000, description="Bootstrap resamples behind each interval of the scores."
    )
    seed: Annotated[int, Field(ge=0)] = Field(
        0, description="Seed of sampling, of shuffled examples and of resampling."
    )
