"""Settings: one frozen class for each job, checked whenever one is made, in Python, from a command or from YAML.

A class of settings stands beside the code that uses it. `abroad.pipeline.config` composes the file of a run of them,
and the commands take their options from them (`abroad.cli.options`).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, TypeVar, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from abroad.core.arguments import depth_of_caller
from abroad.core.bounded_yaml import load_yaml
from abroad.core.errors import LONG_INTEGER, FormerNameWarning, InputError, nearest, short
from abroad.core.io import require_file
from abroad.core.sentences import sentence

Share = Annotated[float, Field(ge=0, le=1)]
PositiveShare = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
CountOrNone = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Seed = Annotated[int, Field(ge=0)]

if TYPE_CHECKING:
    _Checked = BaseModel
else:

    class _Refusing(type(BaseModel)):
        """Makes a wrong value an `InputError` where an instance is made by hand; within a file, see `mistakes_of`."""

        def __call__(cls, *args, **values):
            try:
                return super().__call__(*args, **values)
            except ValidationError as error:
                raise InputError(mistakes_of(cls.__name__, error, kind=cls)) from None

    class _Checked(BaseModel, metaclass=_Refusing):
        pass


class Settings(_Checked):
    """What a job can be told; values are checked, unknown names are mistakes, and nothing changes afterwards.

    Attributes:
        former_names: name that a field had in earlier versions -> its name. The old one is still read. Records of
            runs keep it, so that work of an earlier version is taken up.
        later_fields: fields that came after records of runs were first written.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    former_names: ClassVar[Mapping[str, str]] = {}
    later_fields: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _read_as_given(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        values, numbers = cls._renamed(values), _numbers(cls)
        for name, value in values.items():  # Path takes the empty one for the current directory
            if value == "" and name in cls.model_fields and "Path" in str(cls.model_fields[name].annotation):
                raise ValueError(f"{name!r}: expected a path, found no text")
        return {name: _no_number(value) if name in numbers else value for name, value in values.items()}

    @classmethod
    def all_former_names(cls) -> dict[str, str]:
        """The former names of this class and of those that it is composed of."""
        return {old: name for base in cls.__mro__ for old, name in vars(base).get("former_names", {}).items()}

    @classmethod
    def _renamed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        former = cls.all_former_names()
        renamed = {name: value for name, value in values.items() if name not in former}
        for old in former.keys() & values.keys():
            name = former[old]
            if name in values:
                raise ValueError(f"{old!r} is the former name of {name!r}: expected one of them, found both")
            told = f"{old} is called {name} now; the former name is still read"
            warnings.warn(told, FormerNameWarning, stacklevel=depth_of_caller())
            renamed[name] = values[old]
        return renamed

    @classmethod
    def recorded(cls, values: Mapping[str, Any]) -> Self:
        """Settings that an earlier run wrote down, by whichever names they had then.

        Raises:
            InputError: they are none.
        """
        former = cls.all_former_names()
        return cls(**{former.get(name, name): value for name, value in values.items()})

    @classmethod
    def of(cls, wider: Settings, **changes: Any) -> Self:
        """The settings of this class among those of a wider one, such as a section of a config.

        Raises:
            InputError: a change that is out of range.
        """
        own = {name: field.get_default(call_default_factory=True) for name, field in cls.model_fields.items()}
        given = {
            name: getattr(wider, name)
            for name, default in own.items()
            if name in type(wider).model_fields
            and (name in wider.model_fields_set or getattr(wider, name) != default)  # a class may have another default
        }
        return cls(**given | cls._renamed(changes))

    def replace(self, **changes: Any) -> Self:
        """The same settings with other values, which are checked like all others.

        Raises:
            InputError: no such setting, or a value out of range.
        """
        return type(self)(**{name: getattr(self, name) for name in self.model_fields_set} | self._renamed(changes))

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Like pydantic's, but what is changed is checked: the same as `replace`."""
        return self.replace(**update) if update else super().model_copy(deep=deep)

    def identity(self) -> dict[str, Any]:
        """What is compared when work is resumed: as JSON, by the names that records have had from the first."""
        former = {name: old for old, name in self.all_former_names().items()}
        values = self.model_dump(mode="json")
        for name in type(self).model_fields:
            if isinstance(inner := getattr(self, name), Settings):
                values[name] = inner.identity()
        default = {name: field.default for name, field in type(self).model_fields.items() if name in self.later_fields}
        return {
            former.get(name, name): value
            for name, value in values.items()
            if name not in default or getattr(self, name) != default[name]
        }


class _Truth:
    """Stands for a truth value where a number is expected: pydantic takes `True` itself for 1."""

    def __init__(self, value: bool) -> None:
        self.value = value

    def __repr__(self) -> str:
        return repr(self.value)


def _no_number(value: Any) -> Any:
    """The same with its truth values, also those within lists and mappings, as what no number is made of."""
    if isinstance(value, bool):
        return _Truth(value)
    if isinstance(value, Mapping):
        return {key: _no_number(inner) for key, inner in value.items()}
    return type(value)(map(_no_number, value)) if type(value) in (list, tuple, set) else value


@cache
def _numbers(kind: type[BaseModel]) -> frozenset[str]:
    """The fields that take a number, perhaps among others, but no truth value."""
    leaves = {name: _leaves(field.annotation) for name, field in kind.model_fields.items()}
    return frozenset(name for name, kinds in leaves.items() if kinds & {int, float} and bool not in kinds)


def _leaves(annotation: Any) -> set[Any]:
    """The types that an annotation names, within unions, containers and `Annotated`; of a literal, of its values."""
    if get_origin(annotation) is Annotated:
        return _leaves(get_args(annotation)[0])
    if get_origin(annotation) is Callable:
        return {Callable}
    if get_origin(annotation) is Literal:
        return {type(value) for value in get_args(annotation)}
    return set().union(*map(_leaves, get_args(annotation))) if get_args(annotation) else {annotation}


class NoSettings(Settings):
    """The settings of a job of which nothing can be set."""


AnySettings = TypeVar("AnySettings", bound=Settings)


def read_section(path: Path, name: str, kind: type[AnySettings]) -> AnySettings:
    """The section `name` of a YAML file, checked on its own; its defaults when the file has no such section.

    Raises:
        InputError: the file cannot be read, or every mistake of the section at once.
    """
    return check(kind, read_yaml(path).get(name) or {}, path, (name,))


def check(kind: type[AnySettings], values: Any, where: str | Path, prefix: tuple[str, ...] = ()) -> AnySettings:
    """Settings of values that somebody wrote.

    Args:
        kind: the class.
        values: a mapping.
        where: they stand, for the message.
        prefix: keys under which they stand there.

    Raises:
        InputError: every mistake at once, each with its key.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise InputError(mistakes_of(where, error, prefix, kind)) from None


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
    return ".".join(map(str, location))


def _message(error: Any, kind: type[BaseModel] | None) -> str:
    if error["type"] == "extra_forbidden":
        *path, key = error["loc"]
        near = nearest(str(key), _keys(kind, path))
        return f"unknown key; did you mean {near}?" if near else "unknown key"
    if error["type"] in ("missing", "value_error"):
        return sentence(error)
    found = LONG_INTEGER if error["type"] == "int_parsing_size" else short(error["input"])
    return f"{sentence(error)}, found {found}"


def _keys(kind: type[BaseModel] | None, path: Sequence[int | str]) -> list[str]:
    """Keys that a mapping may have which stands in a model at a path; none where that is no model."""
    within = False  # a mapping or a list of models, whose own key or number comes next
    for part in path:
        if within:
            within = False
            continue
        field = kind.model_fields.get(str(part)) if kind is not None else None
        kinds = (field.annotation, *get_args(field.annotation)) if field is not None else ()
        within = any(get_origin(k) in (dict, list, tuple) for k in kinds)
        kinds = (*kinds, *(inner for k in kinds for inner in get_args(k)))
        kind = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)
    return list(kind.model_fields) if kind is not None else []


def mistakes_of(
    path: str | Path, error: ValidationError, prefix: tuple[str, ...] = (), kind: type[BaseModel] | None = None
) -> str:
    """All mistakes that pydantic found in a file, in one line, each with its key.

    Args:
        kind: the model that the file should have been, for the keys that it may have.
    """
    return list_mistakes(path, mistakes_in(error, prefix, kind))


def mistakes_in(
    error: ValidationError, prefix: tuple[str, ...] = (), kind: type[BaseModel] | None = None
) -> list[tuple[str, str]]:
    """(key, what is wrong with it) of each mistake that pydantic found in what should be of a model."""
    return [(_key((*prefix, *item["loc"])), _message(item, kind)) for item in error.errors()]


def list_mistakes(path: str | Path, mistakes: list[tuple[str, str]]) -> str:
    """(key, what is wrong with it) of a file, in one line."""
    count = f"{len(mistakes)} mistake{'s' if len(mistakes) > 1 else ''}"
    return f"{path}: {count}: " + "; ".join(f"{key}: {text}" if key else text for key, text in mistakes)
