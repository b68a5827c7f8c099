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

from abroad.cli.common import warn_of_former_name
from abroad.cli.paths import PathCommand
from abroad.core.errors import InputError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from abroad.core.settings import Settings
    from abroad.engines.choice import EngineChoice

AnyChoice = TypeVar("AnyChoice", bound="EngineChoice")

TAKES, FORMER = "__abroad_takes__", "__abroad_former__"
_TAKEN = "abroad.cli.options"
_PLAIN = (bool, int, float, str, Path)


@dataclass(frozen=True)
class Options:
    """Where the options of a parameter come from.

    Attributes:
        source: "package.module:Class" of the settings.
        only: fields that are options; all by default.
        without: fields that are none.
        section: of the file that the command's parameter `config` names, or "section.key"; options override it.
        names: field -> its option, where that is not --field ("--set", or "--structured/--free").
        helps: field -> what the option says, where the field's own description does not fit.
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
        known: dict[str, Any] = {}
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

        section, _, inner = self.section.partition(".")
        found = load_section(config, section)
        if inner:
            found = getattr(found, inner)
        return self.kind.of(found) if found is not None else self.kind()


ENGINE = Options("abroad.engines.choice:EngineChoice")
BASE_DIR = typer.Option(
    None, "--base-dir", metavar="DIR", help="Relative paths in the config count from here. [default: its folder]"
)
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


def renamed(**former: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare what options of a command alone were called in earlier versions: `renamed(most="--max-names")`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        setattr(command, FORMER, {f"--{old.replace('_', '-')}": now for old, now in former.items()})
        return command

    return decorate


def _with_names_of_today(args: list[str], former: Mapping[str, str]) -> Iterator[str]:
    """Words of a command line, options of earlier versions replaced; each is told once."""
    told: set[str] = set()
    for index, word in enumerate(args):
        if word == "--":
            yield from args[index:]
            return
        option, equals, value = word.partition("=")
        if option in former:
            if option not in told:
                warn_of_former_name(option, former[option])
            told.add(option)
            word = f"{former[option]}{equals}{value}"
        yield word


class SettingsCommand(PathCommand):
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

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        former = dict(getattr(self.callback, FORMER, {}))
        if self.params and self._taken:
            former |= {old: now for taken in self._taken.values() for old, now in taken.former.items()}
        return super().parse_args(ctx, list(_with_names_of_today(args, former)))

    def invoke_with_files(self, ctx: Any) -> Any:
        if self._taken:
            ctx.meta[_TAKEN] = {name: taken.given(ctx) for name, taken in self._taken.items()}
        return super().invoke_with_files(ctx)


class _Taken:
    """The parameters of one settings class, as typer makes them of a function with such a signature."""

    def __init__(self, parameter: str, options: Options) -> None:
        self.options = options
        self._names = {f"{parameter}__{name}": name for name in options.fields()}

        def collect(**values: Any) -> dict[str, Any]:
            return values

        made = [_parameter(own, name, options) for own, name in self._names.items()]
        collect.__signature__ = inspect.Signature(made)  # type: ignore[attr-defined]
        collect.__annotations__ = {each.name: each.annotation for each in made}
        app = typer.Typer(add_completion=False)
        app.command()(collect)
        self._command = typer.main.get_command(app)
        self.parameters = self._command.params

    @property
    def former(self) -> dict[str, str]:
        """Option of an earlier version -> option."""
        fields, kind = self.options.fields(), self.options.kind
        former = {f"--{old.replace('_', '-')}": name for old, name in kind.all_former_names().items() if name in fields}
        return {old: self.options.option(name) for old, name in {**former, **self.options.former}.items()}

    def given(self, ctx: Any) -> dict[str, Any]:
        """Take the values out of a context, since the command is handed settings, and keep those that were given."""
        values: dict[str, Any] = self._command.callback(**{own: ctx.params.pop(own) for own in self._names})  # type: ignore[misc]
        return {
            name: _read_assignments(values[own]) if _is_mapping(self.options, name) else values[own]
            for own, name in self._names.items()
            if not ctx.get_parameter_source(own).name.startswith("DEFAULT")
        }


def _parameter(own: str, name: str, options: Options) -> inspect.Parameter:
    """A parameter of a typer command: the option's type, default, limits and help are those of the field."""
    info, default = options.fields()[name], options.default(name)
    annotation, limits = _annotation(info)
    mapping = _is_mapping(options, name)
    option = options.names.get(name) or ("--set" if mapping else options.option(name))
    if annotation is bool and "/" not in option:
        option = f"{option}/--no-{option[2:]}"
    how: dict[str, Any] = {"help": options.helps.get(name, info.description)}
    if name in options.environment:
        how["envvar"] = options.environment[name]
    if mapping:
        annotation, default, how["metavar"] = list[str], [], "KEY=VALUE"
    elif get_origin(annotation) is list:
        default = list(default)
    elif annotation in (int, float):
        how |= limits
    hint = annotation if default is not None else Optional[annotation]  # noqa: UP045 - typer's generics know no |
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(own, kind, default=typer.Option(default, option, **how), annotation=hint)


def _annotation(info: FieldInfo) -> tuple[Any, dict[str, Any]]:
    """What typer makes of a field's type, and its limits; text where typer has no such type, which pydantic reads."""
    from pydantic import BeforeValidator

    annotation, metadata = info.annotation, list(info.metadata)
    if any(isinstance(each, BeforeValidator) for each in metadata):  # it reads words that typer would refuse
        return str, {}
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
