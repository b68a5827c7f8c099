"""What `configs/*.yaml` may say: one pydantic model a stage, checked in full before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import yaml
from pydantic import Field, ValidationError, model_validator

from abroad.core.errors import InputError
from abroad.core.registry import setting_names
from abroad.core.settings import Count, Section, Share, list_mistakes, member_of, mistakes_of, read_section, read_yaml
from abroad.engines.spec import DEFAULT_ENGINE, ENGINES
from abroad.evaluation.protocols import PROTOCOLS
from abroad.synthesis.prompts.styles import PROMPT_STYLES

if TYPE_CHECKING:
    from abroad.extraction.generative.decoding import Decoding


class LotusSection(Section):
    """The relations table: prepared from the frozen metadata, or given ready-made."""

    metadata: Path | None = Field(None, description="LOTUS frozen metadata, CSV or CSV.gz")
    doi2pmid: Path | None = Field(None, description="tab separated: reference_doi, reference_pubmed_id")
    relations: Path | None = Field(None, description="a prepared table; instead of the two above")
    max_relations: Count = Field(20, description="references with more distinct relations are left out")
    max_name_length: Count = Field(60, description="characters; longer names are left out")

    @model_validator(mode="after")
    def _one_source(self) -> LotusSection:
        if (self.relations is None) == (self.metadata is None) or (self.metadata is None) != (self.doi2pmid is None):
            raise ValueError("expected either 'relations', or 'metadata' and 'doi2pmid'")
        return self


class SampleSection(Section):
    """Which references to take."""

    n: Count = Field(500, description="references to pick, of each stratum if 'by' is set")
    item: str = "reference_doi"
    on: tuple[str, ...] = ("organism_wikidata", "structure_wikidata")
    by: str | None = Field(None, description="column whose values are sampled separately")
    strategy: Literal["gme", "gme-sum", "random", "topn-rel", "topn-struct", "topn-org", "topn-sum"] = "gme"
    binary: bool = False
    approx: Count | None = None


class DocumentsSection(Section):
    """Where titles and abstracts come from: local files first, E-utilities for what they lack if allowed."""

    files: tuple[Path, ...] = Field((), description="ready documents with relations of their own (JSON or JSONL)")
    xml: tuple[Path, ...] = Field((), description="PubMed XML files or directories")
    eutils: bool = Field(False, description="ask NCBI E-utilities (network)")


class SpecialiseSection(Section):
    """Self-specialisation: new instructions from the seeds, answered with retrieved abstracts, to train on too."""

    corpus: Path = Field(description="abstracts to answer from (JSON or JSONL); relations are not needed")
    count: Count = Field(200, description="instructions to generate, before filtering")
    retrieve: Count = Field(3, description="abstracts in the context of an answer")


class SynthesisSection(Section):
    """How synthetic abstracts are written and chosen."""

    engine: str = "transformers"
    engine_settings: dict[str, Any] = Field({}, description="as `abroad synth generate --set`")
    workers: Count = Field(1, description="processes that generate, each with an engine (Ray)")
    model: str = "smollm2-135m"
    style: Annotated[str, member_of(PROMPT_STYLES)] = Field(
        "completion", description="form of the prompt: standard, vicuna or completion"
    )
    prompts_per_document: Count = 10
    keywords: Count = 7
    principles: str | None = Field(None, description="'default' or a YAML file: they stand in the prompts")
    topics: bool = Field(False, description="vary aim and technique of the studies")
    curate: Count | None = Field(None, description="train on the so many best and most diverse abstracts only")
    specialise: SpecialiseSection | None = Field(None, description="self-specialisation; null: none")
    temperature: tuple[float, float] = Field((0.0, 1.0), description="drawn uniformly between these")
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    max_tokens: Count = 512
    batch_size: Count = 16
    threshold: Share = Field(0.9, description="least share of relations with both labels in the text")
    fidelity: Share = Field(0.7, description="least share of the names in the text that a label covers; 0: not asked")
    similarity: Share = Field(0.7, description="MinHash similarity from which on a text repeats another")
    best: Count = Field(3, description="abstracts kept for each seed document")

    @model_validator(mode="after")
    def _known_engine(self) -> SynthesisSection:
        from abroad.engines.spec import read_settings

        try:
            read_settings(self.engine, self.engine_settings)
        except InputError as error:
            raise ValueError(str(error)) from None
        return self


class TrainSection(Section):
    """Fine-tuning; the keys of `abroad.training.settings.TrainSettings` plus what to train on."""

    model: str = "smollm2-135m"
    validation: Path | None = Field(None, description="documents to choose the checkpoint by")
    add_seeds: bool = Field(False, description="train on the seed documents with their noisy labels too")
    epochs: Count = 15
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    batch_size: Count = 16
    accumulation: Count = 5
    warmup_steps: Annotated[int, Field(ge=0)] = 100
    lora_rank: Count = 8
    lora_alpha: Count = 16
    lora_dropout: Share = 0.05
    adam_betas: tuple[Share, Share] = (0.9, 0.999)
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    residual_dropout: Share = Field(0.0, description="of the last block; rises linearly from 0 over the depth (LIMA)")
    quantization: Literal["none", "nf4"] = "none"
    gradient_checkpointing: bool = False
    pack: bool = Field(False, description="several examples share a row of max_length tokens; none sees another")
    rope_factor: Annotated[float, Field(ge=1)] = Field(1.0, description="position interpolation: context times this")
    checkpoint_every: Count = Field(50, description="updates between states that a killed run goes on from")
    keep_every: Annotated[int, Field(ge=0)] = Field(1, description="epochs between adapters kept; 0: the best only")
    spike_policy: Literal["continue", "skip", "rollback"] = "continue"
    spike_window: Count = 32
    spike_zscore: Annotated[float, Field(gt=0)] = 6.0
    max_length: Count = 2048
    shuffles: Count = Field(1, description="examples of a document, each with its relations in another order")
    validation_tokens: Count = 256


class ExtractSection(Section):
    """Which extractor, and how it is set; what stands here must be a setting of it.

    Without `model` it is the language model that the run trains, and the other keys are its decoding; the defaults are
    the published settings but for max_new_tokens (1,024 there).
    """

    model: str | None = Field(
        None, description="builtin, a directory or a name, as `abroad extract --model`; null: what the run trains"
    )
    min_score: Share | None = Field(None, description="of the built-in extractor and those trained like it")
    precision: Share | None = Field(None, description="instead: the threshold that gave this precision")
    settings: dict[str, Any] = Field({}, description="of an extractor of another package")
    beams: Count = 3
    max_new_tokens: Count = 512
    length_penalty: float = 1.5
    early_stopping: bool | Literal["never"] = "never"
    force_end: bool = True
    ngram_block: Annotated[int, Field(ge=0)] = Field(0, description="runs of so many tokens come once; 0: no rule")
    chunk_overlap: Annotated[int, Field(ge=0)] = Field(0, description="tokens that chunks of long texts share; 0: none")
    batch_size: Count = 16
    engine: Annotated[str, member_of(ENGINES)] = DEFAULT_ENGINE
    engine_settings: dict[str, Any] = Field({}, description="as `abroad extract --set`")

    def decoding(self) -> Decoding:
        from abroad.extraction.generative.decoding import Decoding

        return Decoding(**{name: getattr(self, name) for name in setting_names(Decoding)})

    def extractor_settings(self) -> dict[str, Any]:
        """What `load_extractor` is given.

        Of the model that the run trains all; of another what is set, since a release says itself how it is decoded.
        """
        if self.model is None:
            return self.model_dump(exclude=_CHOICE)
        return self.model_dump(include=self._given) | self.settings

    def identity(self) -> dict[str, Any]:
        """What is compared when a run goes on; the key of an earlier version where no extractor is chosen."""
        return self.extractor_settings() | ({} if self.model is None else {"model": self.model})

    @property
    def _given(self) -> set[str]:
        return {name for name in self.model_fields_set - {"model", "settings"} if getattr(self, name) is not None}

    @model_validator(mode="after")
    def _known_settings(self) -> ExtractSection:
        from abroad.extraction.load import LANGUAGE_MODEL, check_settings

        try:
            check_settings(self.model or LANGUAGE_MODEL, {**self.model_dump(include=self._given), **self.settings})
        except InputError as error:
            raise ValueError(str(error)) from None
        return self


_CHOICE = {"model", "min_score", "precision", "settings"}


class EvaluateSection(Section):
    """What the predictions are scored on."""

    gold: Path
    protocol: Annotated[str, member_of(PROTOCOLS)] = "upstream"
    resamples: Annotated[int, Field(ge=1000)] = 2000


class CurationSection(Section):
    """Rounds of curation: extract, show a batch to curators, learn from their decisions, show the next."""

    offline: bool = Field(False, description="an HTML page for each batch instead of an Argilla server")
    url: str | None = Field(None, description="of the server; null: ARGILLA_API_URL, else the local one")
    dataset: str = "relations"
    workspace: str = "abroad"
    model: Path | None = Field(None, description="extractor to begin with; null: the one that is built in")
    batch: Count = Field(20, description="documents of a round")
    blind: Share = Field(0.1, description="share of a batch drawn at random, to see what the model misses")
    overlap: Share = Field(0.2, description="share of documents that several curators are shown (server)")
    curators: Annotated[int, Field(ge=2)] = Field(2, description="answers that each of those needs")
    enough: Share = Field(1.0, description="share of a batch that must be decided before a round ends")
    conflicts: Literal["settle", "leave"] = Field(
        "settle", description="a round ends when its conflicts are settled, or goes on without their documents"
    )
    synthetic: tuple[Path, ...] = Field((), description="further documents to train on, of weight 0.5")
    weight: Annotated[float, Field(gt=0)] = Field(2.0, description="of a curated document's candidates in training")
    adopt: Literal["better", "always"] = Field("better", description="when a new model replaces the one before")
    resamples: Annotated[int, Field(ge=1000)] = 2000


class Config(Section):
    """A whole run, from LOTUS rows to a scored report, or rounds of curation where the section `curation` is."""

    out: Path = Field(description="directory of the run; made if missing")
    seed: Annotated[int, Field(ge=0)] = 0
    lotus: LotusSection
    sample: SampleSection = SampleSection()
    documents: DocumentsSection = DocumentsSection()
    synthesis: SynthesisSection = SynthesisSection()
    train: TrainSection = TrainSection()
    extract: ExtractSection = ExtractSection()
    evaluate: EvaluateSection | None = None
    curation: CurationSection | None = Field(None, description="rounds of curation instead of synthesis and training")

    @model_validator(mode="after")
    def _one_end(self) -> Config:
        if self.evaluate is None and self.curation is None:
            raise ValueError("expected a section 'evaluate' with 'gold', or a section 'curation'")
        return self

    def input_files(self) -> dict[str, Path]:
        """Key of the config -> path, for each file that must exist before the run."""
        named: dict[str, Path | None] = {
            "lotus.metadata": self.lotus.metadata,
            "lotus.doi2pmid": self.lotus.doi2pmid,
            "lotus.relations": self.lotus.relations,
            "train.validation": self.train.validation,
            "evaluate.gold": self.evaluate.gold if self.evaluate else None,
        }
        if self.curation is not None:
            named["curation.model"] = self.curation.model
            named |= {f"curation.synthetic[{n}]": path for n, path in enumerate(self.curation.synthetic)}
        named |= {f"documents.files[{n}]": path for n, path in enumerate(self.documents.files)}
        named |= {f"documents.xml[{n}]": path for n, path in enumerate(self.documents.xml)}
        return {key: path for key, path in named.items() if path is not None}


def load_config(path: str | Path) -> Config:
    """Read and check a config; relative paths in it count from the current directory.

    Raises:
        InputError: every mistake of the file at once, each with its key.
    """
    raw = read_yaml(path)
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        raise InputError(mistakes_of(path, error)) from None
    missing = [(key, f"no such file: {file}") for key, file in config.input_files().items() if not file.exists()]
    if missing:
        raise InputError(list_mistakes(path, missing))
    return config


def load_section(path: Path, name: str) -> Any:
    """One section of a config file, checked on its own; its defaults when the file has no such section.

    Raises:
        InputError: as `load_config`, for that section.
    """
    annotation = Config.model_fields[name].annotation
    kind = next(iter(get_args(annotation)), annotation)  # of an optional section
    assert isinstance(kind, type) and issubclass(kind, Section)
    return read_section(path, name, kind)


def show_config(config: Config) -> str:
    """The config as YAML with every default written out; those of a chosen extractor are its own to say."""
    shown = config.model_dump(mode="json")
    if config.extract.model is not None:
        shown["extract"] = config.extract.model_dump(mode="json", exclude_unset=True)
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)
