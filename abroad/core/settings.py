"""Settings in YAML files: checked in full before anything runs, every mistake told at once with its key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from abroad.core.bounded_yaml import load_yaml
from abroad.core.errors import InputError
from abroad.core.io import require_file

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A part of the config; unknown keys are mistakes, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


AnySection = TypeVar("AnySection", bound=Section)


def read_section(path: Path, name: str, kind: type[AnySection]) -> AnySection:
    """The section `name` of a YAML file, checked on its own; its defaults when the file has no such section.

    Raises:
        InputError: the file cannot be read, or every mistake of the section at once.
    """
    raw = read_yaml(path)
    try:
        return kind.model_validate(raw.get(name) or {})
    except ValidationError as error:
        raise InputError(mistakes_of(path, error, (name,))) from None


def read_yaml(path: str | Path, what: str = "a YAML config") -> dict[str, Any]:
    """A YAML file that holds a mapping.

    Raises:
        InputError: anything else, with the line where it is broken.
    """
    path = require_file(path, what)
    try:
        raw = load_yaml(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; expected {what}") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark else str(path)
        raise InputError(f"{where}: broken YAML ({getattr(error, 'problem', None) or 'cannot be parsed'})") from None
    if not isinstance(raw, dict):
        raise InputError(f"{path}: expected a mapping of sections, found {type(raw).__name__}")
    return raw


def _key(location: tuple[int | str, ...]) -> str:
    return ".".join(map(str, location)) or "(top)"


def _message(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "unknown key"
    message = error["msg"].removeprefix("Value error, ")
    return message if error["type"] in ("missing", "value_error") else f"{message}, found {error['input']!r}"


def mistakes_of(path: str | Path, error: ValidationError, prefix: tuple[str, ...] = ()) -> str:
    """All mistakes that pydantic found in a file, in one line, each with its key."""
    return list_mistakes(path, [(_key((*prefix, *item["loc"])), _message(item)) for item in error.errors()])


def list_mistakes(path: str | Path, mistakes: list[tuple[str, str]]) -> str:
    """(key, what is wrong with it) of a file, in one line."""
    count = f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
    return f"{path}: {count}: " + "; ".join(f"{key}: {message}" for key, message in mistakes)
