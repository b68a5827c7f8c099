"""From where the relative paths of a config count: `--base-dir`, or else the folder of the config.

Earlier versions counted from the current directory. A config whose inputs are all there, and not all in its own folder,
is still read so as a whole, with a word.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from abroad.core.arguments import depth_of_caller
from abroad.core.errors import FormerNameWarning
from abroad.core.field import is_built_in_name
from abroad.core.settings import Settings
from abroad.extraction.load import EXTRACTORS
from abroad.models.source import ENCODERS, PACKAGED
from abroad.pipeline.sections import ExtractSection

_MODELS = ("model", "base", "amateur", "rank_model", "embedder")
"""Settings that name a model, which is a path where there is one and the name means nothing already."""
OUT = "out"
AnySettings = TypeVar("AnySettings", bound=Settings)


class FormerPathsWarning(FormerNameWarning):
    """The paths of a config were counted from the current directory, as in earlier versions."""


def rebased(settings: AnySettings, config: Path, base_dir: Path | None = None) -> AnySettings:
    """The settings of a config with its relative paths counted from where they count.

    Args:
        config: the file.
        base_dir: the folder that was asked for.
    """
    base = base_dir if base_dir is not None else _base(settings, config)
    return _moved(settings, base)


def _base(settings: Settings, config: Path) -> Path:
    folder, here = config.absolute().parent, Path()
    if folder.resolve() == here.resolve():
        return here
    inputs = [path for name, path in paths_of(settings) if name != OUT and not path.is_absolute()]
    outputs = [path for name, path in paths_of(settings) if name == OUT and not path.is_absolute()]
    if inputs:
        former = not all((folder / path).exists() for path in inputs) and all(path.exists() for path in inputs)
    else:  # a run that an earlier version began
        former = any((path / "run.json").exists() and not (folder / path).exists() for path in outputs)
    if not former:
        return config.parent
    warnings.warn(
        f"the paths in {config} were counted from the current directory, where they are; they count from the folder of "
        "the config now: change them, or give --base-dir .",
        FormerPathsWarning,
        stacklevel=depth_of_caller(),
    )
    return here


def paths_of(settings: Settings) -> Iterator[tuple[str, Path]]:
    """(field, path) of every path that was given, at any depth."""
    for name in sorted(settings.model_fields_set):
        value = getattr(settings, name)
        if isinstance(value, Settings):
            yield from paths_of(value)
        else:
            yield from ((name, path) for path in _as_paths(value))


def _as_paths(value: Any) -> Iterator[Path]:
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, Path):
            yield item


def _moved(settings: AnySettings, base: Path) -> AnySettings:
    changes = {}
    for name in settings.model_fields_set:
        value = getattr(settings, name)
        if isinstance(value, Settings):
            moved = _moved(value, base)
        else:
            moved = value if _is_a_name(settings, name, value) else _moved_value(name, value, base)
        if moved != value:
            changes[name] = moved
    return settings.replace(**changes) if changes else settings


def _is_a_name(settings: Settings, key: str, value: Any) -> bool:
    """Whether a setting has a name that is looked up before any path is, by what loads it too."""
    if key not in _MODELS or not isinstance(value, str):
        return False
    if key == "embedder":
        return value in ENCODERS
    return value in PACKAGED or (isinstance(settings, ExtractSection) and key == "model" and value in EXTRACTORS)


def _moved_value(name: str, value: Any, base: Path) -> Any:
    if name == "field" and value is not None and is_built_in_name(value):
        return value
    if isinstance(value, Path):
        return _joined(base, value)
    if isinstance(value, tuple):
        return tuple(_joined(base, item) if isinstance(item, Path) else item for item in value)
    if name in _MODELS and isinstance(value, str):
        path = _joined(base, Path(value))
        return str(path) if path != Path(value) and path.exists() else value
    return value


def _joined(base: Path, path: Path) -> Path:
    """The path in the base, without the `..` that leads out of it where that is the same file."""
    joined = base / path
    plain = Path(os.path.normpath(joined))
    return plain if os.path.realpath(plain) == os.path.realpath(joined) else joined
