"""What `configs/*.yaml` may say: one pydantic model a stage, checked in full before anything runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from abroad.core.errors import InputError
from abroad.core.io import require_file

if TYPE_CHECKING:
    from abroad.extraction.generative.decoding import Decoding

_Share = Annotated[float, Field(ge=0, le=1)]
_Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A part of the config; unknown keys are mistakes, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LotusSection(Section):
    """The relations table: prepared from the frozen metadata, or given ready-made."""

    metadata: Path | None = Field(None, description="LOTUS frozen metadata, CSV or CSV.gz")
    doi2pmid: Path | None = Field(None, description="tab separated: reference_doi, reference_pubmed_id")
    relations: Path | None = Field(None, description="a prepared table; instead of the two above")
    max_relations: _Count = Field(20, description="references with more distinct relations are left out")
    max_name_length: _Count = Field(60, description="characters; longer names are left out")

    @model_validator(mode="after")
    def _one_source(self) -> LotusSection:
        if (self.relations is None) == (self.metadata is None) or (self.metadata is None) != (self.doi2pmid is None):
            raise ValueError("expected either 'relations', or 'metadata' and 'doi2pmid'")
        return self


class SampleSection(Section):
    """Which references to take."""

    n: _Count = Field(500, description="references to pick, of each stratum if 'by' is set")
    item: str = "reference_doi"
    on: tuple[str, ...] = ("organism_wikidata", "structure_wikidata")
    by: str | None = Field(None, description="column whose values are sampled separately")
    strategy: Literal["gme", "gme-sum", "random", "topn-rel", "topn-struct", "topn-org", "topn-sum"] = "gme"
    binary: bool = False
    approx: _Count | None = None


class DocumentsSection(Section):
    """Where titles and abstracts come from: local files first, E-utilities for what they lack if allowed."""

    files: tuple[Path, ...] = Field((), description="ready documents with relations of their own (JSON or JSONL)")
    xml: tuple[Path, ...] = Field((), description="PubMed XML files or directories")
    eutils: bool = Field(False, description="ask NCBI E-utilities (network)")


class SpecialiseSection(Section):
    """Self-specialisation: new instructions from the seeds, answered with retrieved abstracts, to train on too."""

    corpus: Path = Field(description="abstracts to answer from (JSON or JSONL); relations are not needed")
    count: _Count = Field(200, description="instructions to generate, before filtering")
    retrieve: _Count = Field(3, description="abstracts in the context of an answer")


class SynthesisSection(Section):
    """How synthetic abstracts are written and chosen."""

    engine: str = "transformers"
    engine_settings: dict[str, Any] = Field({}, description="as `abroad synth generate --set`")
    workers: _Count = Field(1, description="processes that generate, each with an engine (Ray)")
    model: str = "smollm2-135m"
    style: str = Field("completion", description="form of the prompt: standard, vicuna or completion")
    prompts_per_document: _Count = 10
    keywords: _Count = 7
    principles: str | None = Field(None, description="'default' or a YAML file: they stand in the prompts")
    topics: bool = Field(False, description="vary aim and technique of the studies")
    curate: _Count | None = Field(None, description="train on the so many best and most diverse abstracts only")
    specialise: SpecialiseSection | None = Field(None, description="self-specialisation; null: none")
    temperature: tuple[float, float] = Field((0.0, 1.0), description="drawn uniformly between these")
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.95
    max_tokens: _Count = 512
    batch_size: _Count = 16
    threshold: _Share = Field(0.9, description="least share of relations with both labels in the text")
    fidelity: _Share = Field(0.7, description="least share of the names in the text that a label covers; 0: not asked")
    similarity: _Share = Field(0.7, description="MinHash similarity from which on a text repeats another")
    best: _Count = Field(3, description="abstracts kept for each seed document")

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
    epochs: _Count = 15
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    batch_size: _Count = 16
    accumulation: _Count = 5
    warmup_steps: Annotated[int, Field(ge=0)] = 100
    lora_rank: _Count = 8
    lora_alpha: _Count = 16
    lora_dropout: _Share = 0.05
    adam_betas: tuple[_Share, _Share] = (0.9, 0.999)
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    residual_dropout: _Share = Field(0.0, description="of the last block; rises linearly from 0 over the depth (LIMA)")
    quantization: Literal["none", "nf4"] = "none"
    gradient_checkpointing: bool = False
    pack: bool = Field(False, description="several examples share a row of max_length tokens; none sees another")
    rope_factor: Annotated[float, Field(ge=1)] = Field(1.0, description="position interpolation: context times this")
    checkpoint_every: _Count = Field(50, description="updates between states that a killed run goes on from")
    keep_every: Annotated[int, Field(ge=0)] = Field(1, description="epochs between adapters kept; 0: the best only")
    spike_policy: Literal["continue", "skip", "rollback"] = "continue"
    spike_window: _Count = 32
    spike_zscore: Annotated[float, Field(gt=0)] = 6.0
    max_length: _Count = 2048
    shuffles: _Count = Field(1, description="examples of a document, each with its relations in another order")
    validation_tokens: _Count = 256


class ExtractSection(Section):
    """Decoding; defaults are the published settings but for max_new_tokens (1,024 there)."""

    beams: _Count = 3
    max_new_tokens: _Count = 512
    length_penalty: float = 1.5
    early_stopping: bool | Literal["never"] = "never"
    force_end: bool = True
    ngram_block: Annotated[int, Field(ge=0)] = Field(0, description="runs of so many tokens come once; 0: no rule")
    chunk_overlap: Annotated[int, Field(ge=0)] = Field(0, description="tokens that chunks of long texts share; 0: none")
    batch_size: _Count = 16
    engine: Literal["transformers", "vllm"] = "transformers"
    engine_settings: dict[str, Any] = Field({}, description="as `abroad extract --set`")

    def decoding(self) -> Decoding:
        from abroad.extraction.generative.decoding import Decoding

        return Decoding(**self.model_dump(exclude={"batch_size", "engine", "engine_settings"}))

    @model_validator(mode="after")
    def _known_settings(self) -> ExtractSection:
        from abroad.engines.spec import read_settings

        try:
            read_settings(self.engine, self.engine_settings)
        except InputError as error:
            raise ValueError(str(error)) from None
        return self


class EvaluateSection(Section):
    """What the predictions are scored on."""

    gold: Path
    protocol: Literal["upstream", "strict", "grounded"] = "upstream"
    resamples: Annotated[int, Field(ge=1000)] = 2000


class LeaderboardModel(Section):
    """A model of the leaderboard; a text in its place is the name of the model."""

    model: str
    name: str = Field("", description="in the table; else the model's")
    engine: str = "transformers"
    batch_size: _Count = 16
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


class LeaderboardSection(Section):
    """Which models are set side by side, and asked how: every combination is a row."""

    models: tuple[LeaderboardModel, ...] = (LeaderboardModel(model="smollm2-135m"),)
    styles: tuple[Literal["classic", "instruct", "cot"], ...] = ("classic", "cot")
    shots: tuple[Annotated[int, Field(ge=0)], ...] = (0, 5)
    retrieve: tuple[Literal["fixed", "bm25", "embeddings"], ...] = ("fixed", "bm25")
    rank: tuple[str, ...] = Field(("none",), description="none, likelihood, product, er-g, er-d: what to rank by")
    keep: Annotated[float, Field(gt=0, le=1)] = Field(0.5, description="share of the ranked relations that stays")
    examples: Path | None = Field(None, description="documents to take examples from; else our own")
    embedder: str | None = Field(None, description="encoder of 'embeddings'; else minilm-l6")
    chat: Literal["auto", "always", "never"] = "auto"
    structured: bool | None = Field(None, description="answers bound to their form; else unless the engine is openai")
    fewer_shots: bool = False
    images: Annotated[int, Field(ge=0)] = Field(0, description="longest side of images in pixels; 0: none are shown")
    tokens_per_character: Annotated[float, Field(gt=0)] | None = Field(None, description="budget; else by style")
    protocol: Literal["upstream", "strict", "grounded"] = "upstream"
    resamples: Annotated[int, Field(ge=1000)] = 2000
    seed: Annotated[int, Field(ge=0)] = 0


class CurationSection(Section):
    """Rounds of curation: extract, show a batch to curators, learn from their decisions, show the next."""

    offline: bool = Field(False, description="an HTML page for each batch instead of an Argilla server")
    url: str | None = Field(None, description="of the server; null: ARGILLA_API_URL, else the local one")
    dataset: str = "relations"
    workspace: str = "abroad"
    model: Path | None = Field(None, description="extractor to begin with; null: the one that is built in")
    batch: _Count = Field(20, description="documents of a round")
    blind: _Share = Field(0.1, description="share of a batch drawn at random, to see what the model misses")
    overlap: _Share = Field(0.2, description="share of documents that several curators are shown (server)")
    curators: Annotated[int, Field(ge=2)] = Field(2, description="answers that each of those needs")
    enough: _Share = Field(1.0, description="share of a batch that must be decided before a round ends")
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
        raise InputError(_list_mistakes(path, missing))
    return config


def load_section(path: Path, name: str) -> Any:
    """One section of a config file, checked on its own; its defaults when the file has no such section.

    Raises:
        InputError: as `load_config`, for that section.
    """
    annotation = LeaderboardSection if name == "leaderboard" else Config.model_fields[name].annotation
    model = next(iter(get_args(annotation)), annotation)  # of an optional section
    assert isinstance(model, type) and issubclass(model, Section)
    raw = read_yaml(path)
    try:
        return model.model_validate(raw.get(name) or {})
    except ValidationError as error:
        raise InputError(mistakes_of(path, error, (name,))) from None


def read_yaml(path: str | Path, what: str = "a YAML config") -> dict[str, Any]:
    """A YAML file that holds a mapping.

    Raises:
        InputError: anything else, with the line where it is broken.
    """
    path = require_file(path, what)
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; expected {what}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise InputError(f"{where}: broken YAML ({getattr(error, 'problem', None) or 'cannot be parsed'})") from None
    if not isinstance(raw, dict):
        raise InputError(f"{path}: expected a mapping of sections, found {type(raw).__name__}")
    return raw


def show_config(config: Config) -> str:
    """The config as YAML with every default written out."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "(top)"


def _message(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown key"
    message = error["msg"].removeprefix("Value error, ")
    return message if error["type"] in ("missing", "value_error") else f"{message}, found {error['input']!r}"


def mistakes_of(path: str | Path, error: ValidationError, prefix: tuple[str, ...] = ()) -> str:
    """All mistakes that pydantic found in a file, in one line, each with its key."""
    return _list_mistakes(path, [(_key((*prefix, *item["loc"])), _message(item)) for item in error.errors()])


def _list_mistakes(path: str | Path, mistakes: list[tuple[str, str]]) -> str:
    count = f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
    return f"{path}: {count}: " + "; ".join(f"{key}: {message}" for key, message in mistakes)
