"""Write the reference pages that follow from the code: the commands, the keys of a run config and of a field.

python -m tools.reference            # write docs/reference/commands.md, config.md and field.md
python -m tools.reference --check    # exit code 1 if they are not what the code says today
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

FOLDER = Path(__file__).parents[1] / "docs" / "reference"
WRITTEN = "<!-- Written by tools/reference.py from the code: change the code, then run `make docs`. -->"

_WORDS = {str: "TEXT", int: "NUMBER", float: "NUMBER", Path: "PATH"}
_CLICKS = {"text": str, "integer": int, "integer range": int, "float": float, "float range": float, "path": Path}
"""Names of click's types, of older versions of typer."""
_NAMES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    dict: "keys and values",
}
_NAMES |= {type(None): "null"}

EXIT_CODES = """\
Every command ends with 0 when its work is done, 1 when it failed, 2 when its usage or input is wrong, and 130 when it
was interrupted; everything so far is then kept. `--help` after any command prints what stands here."""

CONFIG_HEAD = """\
A config is a YAML file with one section for each stage. `abroad config check FILE` finds every mistake of a file at
once, and `abroad config show FILE` prints it with all defaults. Relative paths count from the folder of the config,
or from `--base-dir`."""


FIELD_HEAD = """\
A [field](../how-to/field.md) is a YAML file. `abroad field check FILE` finds every mistake of one at once. Files that
it names count from its folder. NAME stands for a name of your own; a list of mappings has the keys of each below it."""


def commands_page() -> str:
    """The page of all commands, in the order of `abroad --help`."""
    from abroad.cli import app

    root = typer.main.get_command(app)
    parts = [WRITTEN, "# Commands", EXIT_CODES]
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        parts += _command([name], command)
    return "\n\n".join(parts) + "\n"


def _command(words: list[str], command: Any) -> Iterator[str]:
    path = " ".join(["abroad", *words])
    yield f"{'#' * (len(words) + 1)} {path}"
    yield from _help(command.help or "")
    if hasattr(command, "commands"):
        for name, child in command.commands.items():
            yield from _command([*words, name], child)
        return
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    required = [f" {_option_name(p)} {_value(p)}" for p in options if p.required]
    usage = "".join(f" {_optional(p)}" for p in arguments)
    yield f"Usage: `{path}{usage}{''.join(required)} [OPTIONS]`"
    if arguments:
        yield _table(["argument", "meaning"], [[f"`{_value(p)}`", p.help or ""] for p in arguments])
    rows = [[_cell(p), _meaning(p), _default(p)] for p in options if p.name != "help"]
    if rows:
        yield _table(["option", "meaning", "default"], rows)
    if command.epilog:
        yield from _help(command.epilog)


def _help(text: str) -> Iterator[str]:
    """Paragraphs of a help text; examples of it as code."""
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        paragraph = paragraph.replace("\b", "").strip("\n")
        if (match := re.match(r"\s*(Example|More examples):\s+(.*)", paragraph, re.DOTALL)) is not None:
            lines = [" ".join(line.split()) for line in match[2].splitlines()]
            code = "\n".join(lines) if match[1] != "Example" else " ".join(lines)
            yield f"{match[1]}:\n\n```text\n{code}\n```"
        else:
            yield _escaped(" ".join(paragraph.split()))


def _option_name(parameter: Any) -> str:
    return max(parameter.opts, key=len)


def _value(parameter: Any) -> str:
    if parameter.metavar:
        return str(parameter.metavar)
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    if getattr(parameter, "is_flag", False):
        return ""
    if choices := _choices(parameter):
        return f"[{'|'.join(choices)}]"
    return " ".join(_WORDS[kind] for kind in _types(parameter))


def _choices(parameter: Any) -> list[str]:
    """The values of which one is to be given; none where any other may be."""
    given = getattr(getattr(parameter, "type_descriptor", _type(parameter)), "choices", None)
    return [str(getattr(choice, "value", choice)) for choice in given or ()]


def _types(parameter: Any) -> list[type[Any]]:
    """The type of each value that the parameter takes at once."""
    if (descriptor := getattr(parameter, "type_descriptor", None)) is None:
        return [_CLICKS[kind.name] for kind in getattr(_type(parameter), "types", [_type(parameter)])]
    annotation = descriptor.annotation
    return list(get_args(annotation)) if get_origin(annotation) in (list, tuple) else [annotation]


def _type(parameter: Any) -> Any:
    """Of click; newer versions of typer have a description of their own."""
    return getattr(parameter, "type", None)


def _optional(parameter: Any) -> str:
    value = _value(parameter)
    return value if parameter.required or value.startswith("[") else f"[{value}]"


def _cell(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    value = _value(parameter)
    return f"{names} `{value}`" if value else names


def _meaning(parameter: Any) -> str:
    text = _escaped(parameter.help or "")
    bounds = _bounds(parameter)
    notes = [*(["required"] if parameter.required else []), *(["repeatable"] if parameter.multiple else [])]
    notes += [bounds] if bounds else []
    notes += [f"environment: `{parameter.envvar}`"] if parameter.envvar else []
    if parameter.multiple and "repeatable" in text.lower():
        notes.remove("repeatable")
    return f"{text} ({'; '.join(notes)})" if notes else text


def _bounds(parameter: Any) -> str:
    # Newer versions of typer keep them on the option itself.
    low, high = (getattr(parameter, name, getattr(_type(parameter), name, None)) for name in ("min", "max"))
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if low is not None:
        return f"{low:g} or more"
    return f"{high:g} or less" if high is not None else ""


def _default(parameter: Any) -> str:
    value = parameter.default() if callable(parameter.default) else parameter.default
    # Click has a mark of its own for "no default", which is none of these types.
    if isinstance(value, bool) and parameter.secondary_opts:
        return f"`{parameter.opts[0] if value else parameter.secondary_opts[0]}`"
    if isinstance(value, tuple | list) and value:
        return f"`{' '.join(map(str, value))}`"
    return f"`{value}`" if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _escaped(text: str) -> str:
    """Text without marks of Markdown that it does not mean: angle brackets, stars."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else re.sub(r"([*<>\[\]])", r"\\\1", part) for part in parts)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def config_page() -> str:
    """The page of a run config's keys, section by section."""
    from abroad.pipeline.config import Config

    parts = [WRITTEN, "# Keys of a run config", CONFIG_HEAD, *_section(Config, "")]
    return "\n\n".join(parts) + "\n"


def field_page() -> str:
    """The page of a field's keys."""
    from abroad.core.field import Field

    parts = [WRITTEN, "# Keys of a field", FIELD_HEAD, *_section(Field, "")]
    return "\n\n".join(parts) + "\n"


def _section(kind: type[BaseModel], path: str) -> Iterator[str]:
    if path:
        yield f"## {path}"
        first = (kind.__doc__ or "").strip().split("\n\n")[0]
        yield _escaped(" ".join(first.split()))
    rows, below = [], []
    for name, field in kind.model_fields.items():
        inner = _model_of(field.annotation)
        if inner is not None:
            longer = f"{path}.{name}" if path else name
            below.append((inner, f"{longer}.NAME" if get_origin(field.annotation) is dict else longer))
            continue
        default = "required" if field.is_required() else f"`{_plain(field.get_default(call_default_factory=True))}`"
        rows.append([f"`{name}`", _escaped(field.description or ""), _type_name(field.annotation), default])
    if rows:
        yield _table(["key", "meaning", "type", "default"], rows)
    for inner, longer in below:
        yield from _section(inner, longer)


def _model_of(annotation: Any) -> type[BaseModel] | None:
    """The section that a key holds, if it holds one."""
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    return next((kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _type_name(annotation: Any) -> str:
    """What may be given, in words: "number or null"."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(inner[0])
    if origin is Literal:
        return " or ".join(str(value) for value in inner)
    if origin in (Union, UnionType):
        return " or ".join(_type_name(kind) for kind in inner)
    if origin is tuple and inner[-1] is not Ellipsis:
        return ", ".join(_type_name(kind) for kind in inner)
    if origin in (list, tuple):
        return f"list of {_type_name(inner[0])}"
    return _NAMES.get(origin or annotation, getattr(annotation, "__name__", str(annotation)))


def _plain(value: Any) -> str:
    if value is PydanticUndefined:
        return ""
    if isinstance(value, tuple | list | dict | str | int | float | bool) or value is None:
        return json.dumps(value, default=str)
    return str(value)


PAGES = {"commands.md": commands_page, "config.md": config_page, "field.md": field_page}


def main(arguments: list[str]) -> int:
    stale = []
    for name, page in PAGES.items():
        target, text = FOLDER / name, page()
        if not target.exists() or target.read_text(encoding="utf-8") != text:
            stale.append(target)
            if "--check" not in arguments:
                target.write_text(text, encoding="utf-8")
    for target in stale:
        print(f"{target.relative_to(Path.cwd()) if target.is_relative_to(Path.cwd()) else target}: ", end="")
        print("is not what the code says: run `make docs`" if "--check" in arguments else "written")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
