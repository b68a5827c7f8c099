"""Settings of synthesis but for prompts: generation, selection, self-specialisation; nothing is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from abroad.core.settings import Count, CountOrNone, NotNegative, Seed, Settings, Share
from abroad.engines.choice import EngineChoice


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
        description="Least share of the names in the text (organisms and chemicals; of another field, those that its "
        "documents know) that a label covers; 0 does not ask.",
    )
    similarity: Share = Field(0.7, description="MinHash similarity from which on a text repeats another.")
    best: Count = Field(3, description="Abstracts kept for each seed document.")
    curate: Count | None = Field(
        None, description="Keep the so many best and most diverse of these abstracts; without it all."
    )


class CurateSettings(Settings):
    """How many of the accepted abstracts are chosen, and from which of them."""

    k: Count = Field(1000, description="How many abstracts are chosen.")
    quality: Share = Field(0.5, description="Share of the abstracts, best scores first, that diversity chooses from.")


class SpecialiseSettings(Settings):
    """How instructions are generated and answered in self-specialisation."""

    former_names: ClassVar[Mapping[str, str]] = {"max_tokens": "max_new_tokens"}
    later_fields: ClassVar[frozenset[str]] = frozenset({"topics", "inputs", "keep", "field"})

    field: Path | None = Field(
        None, description="File of the field that the documents are of; without it natural products."
    )
    count: Count = Field(200, description="Instructions to generate, before filtering.")
    keep: CountOrNone = Field(0, description="Instructions to keep, as equal in topic as can be; 0: all.")
    topics: CountOrNone = Field(
        0, description="Topics of each type of question that the model finds first, each asked about as often; 0: none."
    )
    inputs: Literal["titles", "generated"] = Field(
        "titles", description="What an instruction is about: titles of the abstracts, or texts that the model writes."
    )
    retrieve: Count = Field(3, description="Abstracts in the context of an answer (BM25).")
    demonstrations: Count = Field(4, description="Tasks of the seeds that are shown for each new instruction.")
    similarity: Share = Field(0.7, description="MinHash similarity of a near-duplicate.")
    temperature: NotNegative = Field(0.8, description="Temperature by which tokens are sampled.")
    max_new_tokens: Count = Field(128, description="New tokens of an instruction or an answer.")
    seed: Seed = Field(0, description="Seed of all draws.")
