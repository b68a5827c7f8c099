"""Settings of the prompts of synthesis; plain values, nothing is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from abroad.core.registry import member_of
from abroad.core.settings import Count, CountOrNone, NotNegative, PositiveShare, Seed, Settings
from abroad.synthesis.prompts.styles import PROMPT_STYLES


class InstructSettings(Settings):
    """What prompts are made of documents."""

    former_names: ClassVar[Mapping[str, str]] = {"max_tokens": "max_new_tokens"}
    later_fields: ClassVar[frozenset[str]] = frozenset({"keywords_by", "keyword_temperatures", "field"})

    field: Path | None = Field(
        None, description="File of the field that the documents are of; without it natural products."
    )
    style: Annotated[str, member_of(PROMPT_STYLES)] = Field(
        "completion", description="Form of the prompt: completion (small models), standard or vicuna."
    )
    prompts_per_document: Count = Field(10, description="Prompts made of each document.")
    keywords: CountOrNone = Field(
        7, description="Keywords in each prompt; 0: none, so that documents need no abstract to take them from."
    )
    keywords_by: Literal["tfidf", "model"] = Field(
        "tfidf", description="Who finds keywords: tfidf (statistics), or model (the language model is asked for them)."
    )
    keyword_temperatures: tuple[NotNegative, ...] = Field(
        (0.4, 0.5, 0.6, 0.7), description="Temperatures at which the model is asked, once each; repeatable."
    )
    principles: str | None = Field(
        None, description="Put principles and exemplars before each task: 'default', or those of a YAML file."
    )
    topics: bool = Field(False, description="Vary aim and technique of the studies, by kingdom.")
    temperature: tuple[NotNegative, NotNegative] = Field(
        (0.0, 1.0), description="Lowest and highest temperature; each prompt's is drawn uniformly between them."
    )
    top_p: PositiveShare = Field(0.95, description="Nucleus sampling: the smallest set of tokens of this probability.")
    max_new_tokens: Count = Field(512, description="New tokens that an abstract may have.")
    seed: Seed = Field(0, description="Seed of all draws.")

    @model_validator(mode="after")
    def _from_low_to_high(self) -> Self:
        low, high = self.temperature
        if low > high:
            raise ValueError(f"expected temperatures from low to high, at least 0, found {low} to {high}")
        return self
