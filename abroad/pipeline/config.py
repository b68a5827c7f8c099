"""What `configs/*.yaml` may say: sections of stages, checked before anything runs, and which stages follow from them.

With `lotus` and an end, `evaluate` or `curation`, a config is a whole run, and a section that is left out has its
defaults. Any other config has the stages whose sections stand in it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import Field, ValidationError, model_validator

from abroad.core.errors import InputError, expected
from abroad.core.field import Field as FieldFile
from abroad.core.field import find_field, is_built_in_name
from abroad.core.settings import Seed, Settings, check, list_mistakes, mistakes_in, read_yaml
from abroad.documents.sampling import SampleSettings
from abroad.extraction.load import check_extractor
from abroad.pipeline.field import KEY, alone, contradictions, extractor_settings, fields_in, fields_of, with_field
from abroad.pipeline.paths import rebased
from abroad.pipeline.sections import (
    DocumentsSection,
    EvaluateSection,
    ExtractSection,
    LotusSection,
    SynthesisSection,
    TrainSection,
    with_seed,
)
from annotation.loop.settings import CurationSettings


class Config(Settings):
    """A run: from LOTUS rows to a scored report, rounds of curation, or the stages whose sections stand here."""

    out: Path = Field(description="Directory of the run, which is made if it is missing.")
    seed: Seed = Field(0, description="Seed of every stage that has none of its own.")
    field: Path | None = Field(
        None, description="File of the field that the run is of, which every stage follows; null: natural products."
    )
    lotus: LotusSection | None = Field(
        None, description="The table of relations to sample from; null: the documents are your own."
    )
    sample: SampleSettings = Field(SampleSettings(), description="How references are drawn from the table.")
    documents: DocumentsSection = Field(DocumentsSection(), description="Where titles and abstracts come from.")
    synthesis: SynthesisSection = Field(
        SynthesisSection(), description="How synthetic abstracts are written and chosen."
    )
    train: TrainSection = Field(TrainSection(), description="How a language model is fine-tuned.")
    extract: ExtractSection = Field(ExtractSection(), description="Which extractor reads the documents, and how.")
    evaluate: EvaluateSection | None = Field(None, description="What the predictions are scored on.")
    curation: CurationSettings | None = Field(
        None, description="Rounds of curation, in place of synthesis and training."
    )

    @model_validator(mode="before")
    @classmethod
    def _sections_in_use(cls, values: Any) -> Any:
        """Add the sections that the run has by default, and give the run's seed to those that name none."""
        seed = values.get("seed", 0) if isinstance(values, Mapping) else None
        if type(seed) is not int or seed < 0:
            return values
        given = {name: value for name, value in values.items() if value is not None or name not in _SECTIONS}
        for name in sorted(_implied(given.keys())):
            given.setdefault(name, {})
        return {name: with_seed(value, seed) if name in _SEEDED else value for name, value in with_field(given).items()}

    @model_validator(mode="after")
    def _consistent(self) -> Config:
        if missing := [f"{key}: {what}" for key, what in self._missing()]:
            raise ValueError("; ".join(missing))
        return self

    @property
    def is_whole(self) -> bool:
        """Whether this is a run from LOTUS to a report or to curators, sections left out at their defaults."""
        return self.lotus is not None and (self.evaluate is not None or self.curation is not None)

    def uses(self, section: str) -> bool:
        """Whether the run has the stages of a section."""
        if self.is_whole and section in ("synthesis", "train") and self.extract.model is not None:
            return False  # no stage would use what is trained
        return section in self.model_fields_set and getattr(self, section) is not None

    def in_use(self) -> dict[str, Any]:
        """The config as JSON, with the defaults of every section that the run has, and no other section."""
        return self.model_dump(mode="json", exclude=type(self).model_fields.keys() - self.model_fields_set - {"seed"})

    def _missing(self) -> Iterator[tuple[str, str]]:
        """(key, what it lacks) of each section that cannot be without another."""
        own = bool(self.documents.files or self.documents.xml)
        stages = [name for name in _SECTIONS if self.uses(name)]
        if not stages or (stages == ["lotus"] and self.lotus is not None and self.lotus.metadata is None):
            yield "out", "nothing to do: expected sections of stages, such as 'documents' and 'extract' with 'model'"
        if self.lotus is None:
            if self.uses("sample"):
                yield "sample", "draws from a table of relations: expected a section 'lotus'"
            if self.documents.eutils:
                yield "documents.eutils", "asks for what was sampled: expected a section 'lotus'"
            elif self.uses("documents") and not own:
                yield "documents", "expected 'files' or 'xml', or a section 'lotus' to sample from"
        documents = self.uses("documents")
        for name in ("synthesis", "train", "curation"):
            if self.uses(name) and not documents:
                yield name, "begins with documents: expected a section 'documents' with 'files' or 'xml'"
        if self.uses("train") and not self.uses("synthesis") and not self.train.add_seeds:
            yield "train", "nothing to train on: expected a section 'synthesis', or 'add_seeds: true'"
        if self.curation is None:
            yield from self._missing_at_the_end(documents)
        yield from contradictions(fields_of(self))

    def _missing_at_the_end(self, documents: bool) -> Iterator[tuple[str, str]]:
        chosen = self.extract.model is not None
        if self.evaluate is not None and not self.uses("extract") and not self.uses("train"):
            yield "evaluate", "nothing to score: expected a section 'extract' with 'model', or 'train'"
        elif self.uses("extract") and not chosen and not self.uses("train"):
            yield "extract", "expected 'model' (builtin, a directory or a name), or a section 'train'"
        elif self.uses("extract") and not chosen and self.evaluate is None:
            yield "extract", "what is trained here reads gold documents: expected a section 'evaluate', or 'model'"
        elif self.uses("extract") and not documents and self.evaluate is None:
            yield "extract", "nothing to read: expected a section 'documents', or 'evaluate' with 'gold'"
        if self.uses("extract") and not chosen and self.extract.has_threshold:
            yield (
                "extract",
                "'min_score' and 'precision' are of the built-in extractor or one like it: expected 'model'",
            )
        if self.uses("train") and chosen:
            yield "train", "of no use beside extract.model, which names another extractor: leave one of them out"

    def input_files(self) -> dict[str, Path]:
        """Key of the config -> path, for each file that must exist before the run."""
        named: dict[str, Path | None] = {
            "train.validation": self.train.validation,
            "evaluate.gold": self.evaluate.gold if self.evaluate else None,
        }
        named |= {key: file for key, file in fields_of(self).items() if not is_built_in_name(file)}
        if self.lotus is not None:
            named |= {f"lotus.{key}": getattr(self.lotus, key) for key in ("metadata", "doi2pmid", "relations")}
        if self.curation is not None:
            named["curation.model"] = self.curation.model
            named |= {f"curation.synthetic[{n}]": path for n, path in enumerate(self.curation.synthetic)}
        named |= {f"documents.files[{n}]": path for n, path in enumerate(self.documents.files)}
        named |= {f"documents.xml[{n}]": path for n, path in enumerate(self.documents.xml)}
        return {key: path for key, path in named.items() if path is not None}


_SECTIONS = ("lotus", "sample", "documents", "synthesis", "train", "extract", "evaluate", "curation")
_SEEDED = ("sample", "synthesis", "train", "evaluate")
_ENDS = {"evaluate", "curation"}


def _implied(given: Set[str]) -> set[str]:
    """Sections that a run has without being told, beside those that are given."""
    if "lotus" not in given:
        return {"extract"} if {"train", "evaluate"} <= given else set()
    if given & _ENDS:
        return {"sample", "documents", "synthesis", "train", "extract"}
    return {"sample"} if "documents" in given else set()


def load_config(path: str | Path, base_dir: Path | None = None) -> Config:
    """Read and check a config.

    Args:
        base_dir: from where relative paths in it count; None: from its own folder (`abroad.pipeline.paths`).

    Raises:
        InputError: every mistake of the file at once, each with its key.
    """
    config = rebased(check(Config, _read(path), path), Path(path), base_dir)
    missing = [(key, f"no such file: {file}") for key, file in config.input_files().items() if not file.exists()]
    missing += _useless_extractor(config.extract, extractor_settings(config))
    if missing:
        raise InputError(list_mistakes(path, missing))
    for file in dict.fromkeys(fields_of(config).values()):
        if mistakes := list(alone(config, find_field(file))):
            raise InputError(list_mistakes(path, mistakes))
    return config


def load_section(path: Path, name: str) -> Any:
    """One section of a config file, checked on its own; its defaults when the file has no such section.

    Its paths count as those of a whole config.

    Raises:
        InputError: as `load_config`, for that section.
    """
    raw = _read(path)
    if unknown := unknown_sections(raw):
        raise InputError(list_mistakes(path, unknown))
    if mistakes := list(contradictions(fields_in({KEY: raw.get(KEY), name: raw.get(name)}))):
        raise InputError(list_mistakes(path, mistakes))
    values = with_field({name: None, **raw})[name]
    return rebased(check(_section(name), values or {}, path, (name,)), Path(path))


def _read(path: str | Path) -> dict[str, Any]:
    """The keys of a config; a file of a field, which is YAML too, is told from one."""
    raw = read_yaml(path)
    if len(raw.keys() & FieldFile.model_fields.keys()) > len(raw.keys() & {*_known_keys()}):
        raise InputError(
            f"{path}: expected a config, found a field: `abroad field check {path}` checks it; a config names it "
            f"(field: {Path(path).name})"
        )
    return raw


def unknown_sections(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(key, what is wrong with it) of each key of a file that neither a run nor a command has a use for."""
    known = _known_keys()
    return [(str(key), f"unknown section; {expected(str(key), known)}") for key in raw if key not in known]


def _known_keys() -> list[str]:
    """The keys that a config may have, be it of a run or for single commands."""
    return [*Config.model_fields, *(name for name in _OF_COMMANDS if name not in Config.model_fields)]


def _section(name: str) -> type[Settings]:
    """The class of a section that stands alone, for a single command."""
    if name in _OF_COMMANDS:
        module, _, attribute = _OF_COMMANDS[name].partition(":")
        alone: type[Settings] = getattr(import_module(module), attribute)
        return alone
    annotation = Config.model_fields[name].annotation
    kind = next(iter(get_args(annotation)), annotation)  # of an optional section
    assert isinstance(kind, type) and issubclass(kind, Settings)
    return kind


def check_config(path: str | Path, base_dir: Path | None = None) -> list[str]:
    """Find every mistake of a config, or of a file that holds sections for single commands.

    Returns:
        The sections that were checked alone; none of a whole config.

    Raises:
        InputError: as `load_config`.
    """
    return [name for name, _ in _checked(path, base_dir)[1]]


def _checked(path: str | Path, base_dir: Path | None) -> tuple[Config | None, list[tuple[str, Settings]]]:
    """A whole config, or else the sections of a file that has no key of a run, each by its name."""
    raw = _read(path)
    if not raw:
        raise InputError(f"{path}: no sections; expected one of: {', '.join(_known_keys())}")
    if raw.keys() & _OF_A_RUN:
        return load_config(path, base_dir), []
    mistakes, sections = [*unknown_sections(raw), *contradictions(fields_in(raw))], []
    for name, values in with_field(raw).items():
        if name == KEY or name not in _known_keys():
            continue
        kind = _section(name)
        try:
            section = rebased(kind.model_validate(values or {}), Path(path), base_dir)
        except ValidationError as error:
            mistakes += mistakes_in(error, (name,), kind)
            continue
        sections.append((name, section))
        mistakes += _useless_fields(name, section)
        mistakes += (
            _useless_extractor(section, section.extractor_settings()) if isinstance(section, ExtractSection) else []
        )
    if mistakes:
        raise InputError(list_mistakes(path, mistakes))
    return None, sections


def _useless_fields(name: str, section: Settings) -> list[tuple[str, str]]:
    """What is wrong with the fields that a section names."""
    found = []
    for key, file in fields_of(section).items():
        try:
            find_field(file)
        except InputError as error:
            found.append((f"{name}.{key}", str(error)))
    return found


def _useless_extractor(section: ExtractSection, settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is seen to be wrong with the extractor that a section names, before it is loaded."""
    try:
        if section.model is not None:
            check_extractor(section.model, settings)
    except InputError as error:
        return [("extract.model", str(error))]
    return []


_OF_A_RUN = {"out", "seed", "lotus"}  # keys that only a run has a use for
_OF_COMMANDS = {
    "evaluate": "abroad.pipeline.sections:EvaluateOptions",
    "leaderboard": "abroad.experiments.leaderboard.settings:LeaderboardSettings",
    "rank": "abroad.ranking.rank:RankSettings",
}
"""Sections that single commands read otherwise than a run, or that a run has not; imported when they are asked for."""


def show_config(config: Config) -> str:
    """The config as YAML with every default written out; those of a chosen extractor are its own to say."""
    shown = config.in_use()
    if config.extract.model is not None:
        shown["extract"] = _as_given(config.extract)
    return _to_yaml(shown)


def show_file(path: str | Path, base_dir: Path | None = None) -> str:
    """As `show_config`, of a file with a whole config or with sections for single commands.

    Raises:
        InputError: as `check_config`.
    """
    config, sections = _checked(path, base_dir)
    if config is not None:
        return show_config(config)
    return _to_yaml({name: _as_shown(section) for name, section in sections})


def _as_shown(section: Settings) -> dict[str, Any]:
    if isinstance(section, ExtractSection) and (section.model is not None or section.has_threshold):
        return _as_given(section)
    return section.model_dump(mode="json")


def _as_given(section: ExtractSection) -> dict[str, Any]:
    return section.model_dump(mode="json", exclude_unset=True)


def _to_yaml(shown: dict[str, Any]) -> str:
    return yaml.safe_dump(shown, sort_keys=False, allow_unicode=True)
