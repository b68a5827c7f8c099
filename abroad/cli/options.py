"""Options of a command that are the fields of a settings class: their names, types, ranges, defaults and helps.

`@takes(settings=Options("package.module:Class"))` fills the parameter `settings` of a command with an instance of the
class, made of what was given on the command line and of a section of `--config` where the command has one. The class
is imported when the command is run or asked for its own help, so that `abroad --help` loads no settings.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType, SimpleNamespace, UnionType
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    Optional,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import typer
from typer.core import TyperCommand

from abroad.cli.common import warn_of_former_name
from abroad.core.errors import InputError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from abroad.core.settings import Settings
    from abroad.engines.choice import EngineChoice

AnyChoice = TypeVar("AnyChoice", bound="EngineChoice")

TAKES = "__abroad_takes__"
_TAKEN = "abroad.cli.options"
_PLAIN = (bool, int, float, str, Path)


@dataclass(frozen=True)
class Options:
    """Where the options of a parameter come from.

    Attributes:
        source: "package.module:Class" of the settings.
        only: fields that are options; all by default.
        without: fields that are none.
        section: of the file that the command's parameter `config` names; options override it.
        names: field -> its option, where that is not --field ("--set", or "--structured/--free").
        helps: field -> what the option says, where the field's own description does not fit.
        defaults: field -> (default of the option, why it is another than the field's).
        former: option of an earlier version -> field.
        environment: field -> variable that gives its value where the option is not given.
        partial: hand over a mapping of what was given, not settings: what they are of, the command finds out.
    """

    source: str
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    section: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    helps: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    partial: bool = False

    @functools.cached_property
    def kind(self) -> type[Settings]:
        module, _, name = self.source.partition(":")
        kind: type[Settings] = getattr(importlib.import_module(module), name)
        return kind

    def fields(self) -> dict[str, FieldInfo]:
        """The fields that are options."""
        known = self.kind.model_fields
        return {name: known[name] for name in self.only or known if name not in self.without}

    def option(self, name: str) -> str:
        """The first option of a field, as messages name it."""
        return self.names.get(name, f"--{name.replace('_', '-')}").partition("/")[0]

    def default(self, name: str) -> Any:
        if name in self.defaults:
            return self.defaults[name][0]
        return self.kind.model_fields[name].get_default(call_default_factory=True)

    def settings(self, given: Mapping[str, Any], config: Path | None) -> Any:
        """What the command is handed.

        Raises:
            InputError: a value that is out of range, named by its option, or a mistake in the config.
        """
        from pydantic import ValidationError

        from abroad.core.settings import mistakes_in

        if self.partial:
            return dict(given)
        known = {name: default for name, (default, _) in self.defaults.items()}
        if self.section and config is not None:
            base = self.read_section(config)
            known = {name: getattr(base, name) for name in base.model_fields_set}
        values = {name: {**known.get(name, {}), **v} if isinstance(v, dict) else v for name, v in given.items()}
        try:
            return self.kind.model_validate(known | values)
        except ValidationError as error:
            raise InputError("; ".join(self._named(key, text) for key, text in mistakes_in(error))) from None

    def _named(self, key: str, text: str) -> str:
        name = key.partition(".")[0]
        return f"{self.option(name)}: {text}" if name in self.fields() else text

    def read_section(self, config: Path) -> Settings:
        """The settings in a config's section; further keys there are of the section, not of the settings."""
        from abroad.pipeline.config import load_section

        return self.kind.of(load_section(config, self.section))


ENGINE = Options("abroad.engines.choice:EngineChoice")
EUTILS = Options(
    "abroad.sources.eutils:EutilsSettings",
    only=("email", "base_url"),
    environment={"api_key": "NCBI_API_KEY", "email": "NCBI_EMAIL"},
)


def takes(**options: Options) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare which parameters of a command are settings; `@writes` stands above it."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(command)
        own = {name: hint for name, hint in command.__annotations__.items() if name not in options}
        hints = get_type_hints(SimpleNamespace(__annotations__=own), command.__globals__, include_extras=True)
        kind = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            each.replace(annotation=hints[name], kind=kind)
            for name, each in signature.parameters.items()
            if name not in options
        ]
        parameters.append(inspect.Parameter("context", kind, annotation=typer.Context))

        @functools.wraps(command)
        def filled(*, context: typer.Context, **values: Any) -> Any:
            for name, each in options.items():
                values[name] = each.settings(context.meta[_TAKEN][name], values.get("config"))
            return command(**values)

        filled.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        filled.__annotations__ = {**hints, "context": typer.Context}
        setattr(filled, TAKES, options)
        return filled

    return decorate


def with_base_url(choice: AnyChoice, base_url: str | None) -> AnyChoice:
    """An engine of a server, where `--base-url` gives its address beside the engine's other settings."""
    if base_url is None:
        return choice
    return choice.replace(engine_settings=choice.engine_settings | {"base_url": base_url})


def taken(context: typer.Context) -> Iterator[tuple[str, Any]]:
    """(field, value) of each option of settings that was given."""
    for values in context.meta.get(_TAKEN, {}).values():
        yield from values.items()


class SettingsCommand(TyperCommand):
    """A command whose parameters of settings become options when they are first asked for."""

    _taken: Mapping[str, _Taken] | None = None

    @property
    def params(self) -> list[Any]:
        options: Mapping[str, Options] = getattr(self.callback, TAKES, {})
        if self._taken is None and options:
            self._taken = {name: _Taken(name, each) for name, each in options.items()}
            self._params += [parameter for taken in self._taken.values() for parameter in taken.parameters]
        return self._params

    @params.setter
    def params(self, values: list[Any]) -> None:
        self._params = values

    def invoke(self, ctx: Any) -> Any:
        if self._taken:
            ctx.meta[_TAKEN] = {name: taken.given(ctx) for name, taken in self._taken.items()}
        return super().invoke(ctx)


@dataclass(frozen=True)
class _Word:
    """An option: the parameter that stands for it, its field, and the option itself if it is of an earlier version."""

    parameter: str
    field: str
    former: str | None = None


class _Taken:
    """The parameters of one settings class, as typer makes them of a function with such a signature."""

    def __init__(self, parameter: str, options: Options) -> None:
        self.options, self._words = options, list(_words(parameter, options))

        def collect(**values: Any) -> dict[str, Any]:
            return values

        made = [_parameter(word, options) for word in self._words]
        collect.__signature__ = inspect.Signature(made)  # type: ignore[attr-defined]
        collect.__annotations__ = {each.name: each.annotation for each in made}
        app = typer.Typer(add_completion=False)
        app.command()(collect)
        self._command = typer.main.get_command(app)
        self.parameters = self._command.params

    def given(self, ctx: Any) -> dict[str, Any]:
        """Take the values out of a context, since the command is handed settings, and keep those that were given."""
        found = {word.parameter: ctx.params.pop(word.parameter) for word in self._words}
        values: dict[str, Any] = self._command.callback(**found)  # type: ignore[misc]
        result: dict[str, Any] = {}
        for word in self._words:
            if ctx.get_parameter_source(word.parameter).name.startswith("DEFAULT"):
                continue
            now = self.options.option(word.field)
            if word.former is not None:
                warn_of_former_name(word.former, now)
            if word.field in result:
                raise InputError(f"{word.former} is the former name of {now}: expected one of them, found both")
            value = values[word.parameter]
            result[word.field] = _read_assignments(value) if _is_mapping(self.options, word.field) else value
        return result


def _words(parameter: str, options: Options) -> Iterator[_Word]:
    for name in options.fields():
        yield _Word(f"{parameter}__{name}", name)
    former = {f"--{old.replace('_', '-')}": name for old, name in options.kind.former_names.items()}
    for number, (old, name) in enumerate({**former, **options.former}.items()):
        if name in options.fields():
            yield _Word(f"{parameter}__former_{number}", name, old)


def _parameter(word: _Word, options: Options) -> inspect.Parameter:
    """A parameter of a typer command: the option's type, default, limits and help are those of the field."""
    info, default = options.fields()[word.field], options.default(word.field)
    annotation, limits = _annotation(info)
    mapping, flag = _is_mapping(options, word.field), annotation is bool
    name = word.former or options.names.get(word.field) or ("--set" if mapping else options.option(word.field))
    if flag and "/" not in name:
        name = f"{name}/--no-{name[2:]}"
    how: dict[str, Any] = {"help": options.helps.get(word.field, info.description), "hidden": word.former is not None}
    if word.field in options.environment:
        how["envvar"] = options.environment[word.field]
    if mapping:
        annotation, default, how["metavar"] = list[str], [], "KEY=VALUE"
    elif get_origin(annotation) is list:
        default = list(default)
    elif annotation in (int, float):
        how |= limits
    hint = annotation if default is not None else Optional[annotation]  # noqa: UP045 - typer's generics know no |
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(word.parameter, kind, default=typer.Option(default, name, **how), annotation=hint)


def _annotation(info: FieldInfo) -> tuple[Any, dict[str, Any]]:
    """What typer makes of a field's type, and its limits; text where typer has no such type, which pydantic reads."""
    annotation, metadata = info.annotation, list(info.metadata)
    if get_origin(annotation) in (Union, UnionType):
        inner = [each for each in get_args(annotation) if each is not NoneType]
        annotation = inner[0] if len(inner) == 1 else str
    if get_origin(annotation) is Annotated:
        annotation, *more = get_args(annotation)
        metadata += [part for each in more for part in getattr(each, "metadata", [each])]
    limits = {
        word: getattr(each, name)
        for each in metadata
        for name, word in (("ge", "min"), ("le", "max"))
        if getattr(each, name, None) is not None
    }
    parts = get_args(annotation)
    if get_origin(annotation) is tuple:
        plain = tuple(get_args(part)[0] if get_origin(part) is Annotated else part for part in parts)
        return (list[plain[0]] if parts[-1] is ... else tuple[plain]), {}  # type: ignore[valid-type]
    if annotation in _PLAIN or get_origin(annotation) is Literal:
        return annotation, limits
    return str, {}


def _is_mapping(options: Options, name: str) -> bool:
    return get_origin(options.fields()[name].annotation) is dict


def _read_assignments(values: list[str]) -> dict[str, str]:
    from abroad.engines.spec import parse_assignments

    return parse_assignments(values)
