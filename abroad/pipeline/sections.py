"""The sections of a run's config: the settings that the stages declare, with the files that each reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from abroad.core.errors import InputError
from abroad.core.settings import Count, Settings, Share
from abroad.evaluation.settings import EvaluateSettings
from abroad.extraction.generative.decoding import GenerativeSettings
from abroad.pipeline.extract_settings import ExtractionSettings
from abroad.sources.lotus import PrepareSettings
from abroad.synthesis.prompts.settings import InstructSettings
from abroad.synthesis.settings import GenerateSettings, SelectSettings, SpecialiseSettings
from abroad.training.settings import TrainSettings


class LotusSection(PrepareSettings):
    """The relations table: prepared from the frozen metadata, or given ready-made."""

    metadata: Path | None = Field(None, description="Frozen metadata of LOTUS, as CSV or CSV.gz.")
    doi2pmid: Path | None = Field(
        None,
        description="Tab-separated map, reference_doi and reference_pubmed_id; null: those of the sample are fetched.",
    )
    relations: Path | None = Field(
        None, description="A table that is prepared already, in place of metadata and doi2pmid."
    )

    @model_validator(mode="after")
    def _one_source(self) -> LotusSection:
        if (self.relations is None) == (self.metadata is None) or (self.doi2pmid is not None and self.metadata is None):
            raise ValueError("expected either 'relations', or 'metadata' and 'doi2pmid' (or none: no PMIDs)")
        return self


class DocumentsSection(Settings):
    """Where titles and abstracts come from: local files first, E-utilities for what they lack if allowed.

    With a section `lotus` the abstracts of the sampled references are taken out of `xml`; without it all of them.
    """

    files: tuple[Path, ...] = Field(
        (), description="Ready documents, as `abroad extract` reads them; those to learn from need relations (JSON)."
    )
    xml: tuple[Path, ...] = Field((), description="PubMed XML, as files or directories of them.")
    eutils: bool = Field(False, description="Ask NCBI E-utilities for what the files lack (network).")


class SpecialiseSection(SpecialiseSettings):
    """Self-specialisation: new instructions from the seeds, answered with retrieved abstracts, to train on too."""

    later_fields: ClassVar[frozenset[str]] = frozenset(
        {"demonstrations", "similarity", "temperature", "max_new_tokens", *SpecialiseSettings.later_fields}
    )

    corpus: Path = Field(description="Abstracts that answers are taken from (JSON or JSONL); they need no relations.")


class SynthesisSection(InstructSettings, GenerateSettings, SelectSettings):
    """How synthetic abstracts are written and chosen."""

    curate: Count | None = Field(None, description="Train on so many of the abstracts only, the best and most diverse.")
    specialise: SpecialiseSection | None = Field(
        None, description="How new instructions are made from the seeds (self-specialisation); null: none are."
    )

    @model_validator(mode="before")
    @classmethod
    def _of_specialisation(cls, values: Any) -> Any:
        """Give seed and field to self-specialisation, where it has none of its own."""
        if not isinstance(values, Mapping) or not isinstance(inner := values.get("specialise"), Mapping | Settings):
            return values
        inner = with_seed(inner, values["seed"]) if "seed" in values else inner
        if values.get("field") is not None and isinstance(inner, Mapping) and inner.get("field") is None:
            inner = {**inner, "field": values["field"]}
        return {**values, "specialise": inner}


class TrainSection(TrainSettings):
    """Fine-tuning, and what to train on."""

    validation: Path | None = Field(None, description="Documents by which the best checkpoint is chosen.")
    add_seeds: bool = Field(False, description="Train on the seed documents with their noisy labels too.")


class ExtractSection(GenerativeSettings, ExtractionSettings):
    """Which extractor, and how it is set; what stands here must be a setting of it.

    Without `model` it is the language model that the run trains, and the other keys are its decoding; with
    `min_score` or `precision` it is a section for `abroad extract` alone, of the built-in extractor or one like it.
    """

    model: str | None = Field(
        None,
        description="Extractor as `abroad extract --model` takes it: builtin, a directory or a name; null: the model "
        "that the run trains.",
    )
    min_score: Share | None = Field(
        None, description="Report relations of this score or more; of the built-in extractor and those trained like it."
    )
    precision: Share | None = Field(
        None, description="Choose the threshold that gave this precision on held-out documents, instead of min_score."
    )
    settings: dict[str, Any] = Field({}, description="Settings that an extractor of another package declares.")

    @property
    def has_threshold(self) -> bool:
        """Whether relations are left out by their score, which a language model does not give."""
        return self.min_score is not None or self.precision is not None

    def extractor_settings(self) -> dict[str, Any]:
        """What `load_extractor` is given.

        Of the model that the run trains all; of another what is set, since a release says itself how it is decoded.
        """
        if self.model is None:
            return GenerativeSettings.of(self).model_dump() | self._given()
        return self._given() | self.settings

    def identity(self) -> dict[str, Any]:
        """What is compared when a run goes on; that of an earlier version where no extractor is chosen."""
        plain = {} if self.link else {"link": False}
        if self.model is None:
            return GenerativeSettings.of(self, trained=False).identity() | plain
        said = set(self._given()) - {"trained"}  # it changes nothing of what is extracted
        given = self.model_dump(mode="json", include=said)
        return given | plain | self.settings | {"model": self.model}

    def _given(self) -> dict[str, Any]:
        names = self.model_fields_set - {"model", "settings"} - set(ExtractionSettings.model_fields)
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @model_validator(mode="after")
    def _known_settings(self) -> Self:
        from abroad.extraction.load import BUILTIN, LANGUAGE_MODEL, check_settings

        unnamed = BUILTIN if self.has_threshold else LANGUAGE_MODEL
        try:
            check_settings(self.model or unnamed, self._given() | self.settings)
        except InputError as error:
            raise ValueError(str(error)) from None
        return self


class EvaluateSection(EvaluateSettings):
    """What the predictions are scored on, and how."""

    gold: Path = Field(description="Curated documents that the predictions are scored on.")


class EvaluateOptions(EvaluateSettings):
    """The section `evaluate` for `abroad evaluate` alone, which has an option for the gold documents."""

    gold: Path | None = Field(None, description="Curated documents; --gold of the command comes first.")


def with_seed(section: Any, seed: int) -> Any:
    """A section, raw or read, with the run's seed if it has none of its own."""
    if section is None:
        return {"seed": seed}
    if isinstance(section, Settings):
        return section if "seed" in section.model_fields_set else section.replace(seed=seed)
    return {"seed": seed, **section} if isinstance(section, Mapping) else section
