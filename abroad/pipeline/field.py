"""The field of a run: `field: FILE` beside the sections of a config, which every section that has a field follows.

A section may name its field itself, as in earlier versions; two that differ are a mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from abroad.core.field import find_field
from abroad.core.settings import Settings

if TYPE_CHECKING:
    from abroad.core.field import Field
    from abroad.documents.sampling import SampleSettings
    from abroad.pipeline.sections import ExtractSection, LotusSection

KEY = "field"
_SECTIONS = ("synthesis", "train", "evaluate", "rank")
"""Those whose settings have a field."""
_ON, _ITEM = ("head", "tail"), "PMID"
"""Columns of a table of relations of another field than natural products."""


class Run(Protocol):
    """What of a config (`abroad.pipeline.config.Config`) a field decides."""

    @property
    def field(self) -> Path | None: ...

    @property
    def lotus(self) -> LotusSection | None: ...

    @property
    def sample(self) -> SampleSettings: ...

    @property
    def extract(self) -> ExtractSection: ...

    def uses(self, section: str) -> bool: ...


def with_field(raw: Mapping[str, Any]) -> dict[str, Any]:
    """A config as it was read, each section with the field of the run if it names none itself."""
    value = raw.get(KEY)
    if not isinstance(value, str) or not value:
        return dict(raw)
    return {name: _filled(section, value) if name in _SECTIONS else section for name, section in raw.items()}


def _filled(section: Any, value: str) -> Any:
    if section is None:
        return {KEY: value}
    if not isinstance(section, Mapping):
        return section
    own = section.get(KEY)
    return {**section, KEY: value if own is None else own}


def fields_of(config: Settings) -> dict[str, Path]:
    """Key -> field, of the run, of its sections and of sections within these, where one is named."""
    found: dict[str, Path] = {}
    for name in sorted(config.model_fields_set):
        value = getattr(config, name)
        if name == KEY and value is not None:
            found[KEY] = value
        elif isinstance(value, Settings):
            found |= {f"{name}.{key}": file for key, file in fields_of(value).items()}
    return found


def fields_in(raw: Mapping[str, Any], prefix: str = "") -> dict[str, Path]:
    """As `fields_of`, of a config as it was read."""
    found: dict[str, Path] = {}
    for name, value in raw.items():
        if name == KEY and isinstance(value, str):
            found[f"{prefix}{KEY}"] = Path(value)
        elif isinstance(value, Mapping) and (prefix or name in _SECTIONS):
            found |= fields_in(value, f"{prefix}{name}.")
    return found


def contradictions(fields: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """(key, what is wrong with it) of each section whose field is another one than the run's, or than the first's.

    Args:
        fields: key -> field, as `fields_of` and `fields_in` give them.
    """
    first = next(iter(sorted(fields, key=lambda key: (key != KEY, key))), None)
    for key, file in fields.items():
        if first is not None and file != fields[first]:
            yield key, f"{file} beside {first}: {fields[first]}: expected one field for all of a run"


def alone(config: Run, field: Field) -> Iterator[tuple[str, str]]:
    """(key, what is wrong with it) of what a config asks for that natural products alone have."""
    if field.is_built_in:
        return
    if config.uses("curation"):
        yield "curation", f"of natural products alone: leave it out beside the field {field.name}"
    if config.lotus is not None and config.lotus.relations is None:
        yield (
            "lotus.metadata",
            f"of natural products alone: expected 'relations', a table of the field {field.name} (PMID, head, tail)",
        )
    if (model := config.extract.model) is not None and _finds_products(model):
        what = f"{model} is of natural products alone: expected an extractor of the field {field.name}"
        yield "extract.model", what
    if config.extract.index is not None:
        yield "extract.index", f"of natural products alone: leave it out beside the field {field.name}"


def _finds_products(model: str) -> bool:
    from abroad.core.registry import Capability
    from abroad.extraction.load import extractor_kind

    return Capability.NATURAL_PRODUCTS in extractor_kind(model).capabilities


def sampling(config: Run) -> SampleSettings:
    """How references are drawn: of another field, by the columns that its table has, where no others are named."""
    settings = config.sample
    if find_field(config.field).is_built_in:
        return settings
    own = {"on": _ON, "item": _ITEM}
    return settings.replace(**{name: value for name, value in own.items() if name not in settings.model_fields_set})


def extractor_settings(config: Run) -> dict[str, Any]:
    """What the extractor of a run is given: with the run's field, if it asks for the one that it is told."""
    from abroad.core.registry import setting_names
    from abroad.extraction.load import extractor_kind

    settings = config.extract.extractor_settings()
    if config.field is not None and config.extract.model is not None:
        kind = extractor_kind(config.extract.model)
        if KEY in setting_names(kind.Settings) and settings.get(KEY) is None:
            return {**settings, KEY: config.field}
    return settings


def files_of(config: Settings) -> tuple[Path, ...]:
    """The file of the run's field, which stages read that follow it; none of a built-in field."""
    fields = fields_of(config)
    return tuple(file for file in dict.fromkeys(fields.values()) if file.exists())
