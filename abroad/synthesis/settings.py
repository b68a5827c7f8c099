"""Settings of synthesis: prompts, generation, selection, and self-specialisation; plain values, nothing is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from abroad.core.settings import Count, NotNegative, PositiveShare, Seed, Settings, Share
from abroad.engines.choice import EngineChoice


class InstructSettings(Settings):
    """What prompts are made of documents."""

    former_names: ClassVar[Mapping[str, str]] = {"max_tokens": "max_new_tokens"}

    style: str = Field("completion", description="Form of the prompt: completion (small models), standard or vicuna.")
    prompts_per_document: Count = Field(10, description="Prompts made of each document.")
    keywords: Count = Field(7, description="Keywords in each prompt.")
    principles: str | None = Field(
        None, description="'default' or a YAML file: principles and exemplars that stand before each task."
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


class GenerateSettings(EngineChoice):
    """Which model writes synthetic abstracts, and what runs it."""

    workers: Count = Field(
        1, description="Processes that generate, each with an engine of its own; of a cluster with RAY_ADDRESS (Ray)."
    )


class SelectSettings(Settings):
    """What a synthetic abstract must be to be kept."""

    threshold: Share = Field(0.9, description="Least share of the relations with both labels in the text.")
    fidelity: Share = Field(
        0.7,
        description="Least share of the organisms and chemicals in the text that a label covers; 0 does not ask.",
    )
    similarity: Share = Field(0.7, description="MinHash similarity from which on a text repeats another.")
    best: Count = Field(3, description="Abstracts kept for each seed document.")
    curate: Count | None = Field(
        None, description="Keep the so many best and most diverse of these abstracts; without it all."
    )


class CurateSettings(Settings):
    """How many of the accepted abstracts are chosen, and from which of them."""

    k: Count = Field(1000, description="Abstracts to choose.")
    quality: Share = Field(0.5, description="Share of the abstracts, best scores first, that diversity chooses from.")


class SpecialiseSettings(Settings):
    """How instructions are generated and answered in self-specialisation."""

    former_names: ClassVar[Mapping[str, str]] = {"max_tokens": "max_new_tokens"}

    count: Count = Field(200, description="Instructions to generate, before filtering.")
    retrieve: Count = Field(3, description="Abstracts in the context of an answer (BM25).")
    demonstrations: Count = Field(4, description="Tasks of the seeds that are shown for each new instruction.")
    similarity: Share = Field(0.7, description="MinHash similarity of a near-duplicate.")
    temperature: NotNegative = Field(0.8, description="Temperature of sampling.")
    max_new_tokens: Count = Field(128, description="New tokens of an instruction or an answer.")
    seed: Seed = Field(0, description="Seed of all draws.")


class FindingsSettings(Settings):
    """Probabilities of each way to vary the sentences of the main findings."""

    classes: Share = Field(0.2, description='Two or more chemicals of one class become "three flavonoids".')
    contraction: Share = Field(0.7, description="Congeners become a range.")
    numbering: Share = Field(0.5, description='Chemicals get their numbers, "(1-3)".')
    produces: Share = Field(0.1, description='"X produces Y" stands where else "Y was isolated from X" does.')
