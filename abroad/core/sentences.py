"""What pydantic finds wrong with a value, as sentences of ours: what was expected, in words of who writes a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Context = Mapping[str, Any]


def sentence(error: Mapping[str, Any]) -> str:
    """What was expected, of one of `ValidationError.errors()`; pydantic's own words for what is not known here."""
    kind, context = str(error["type"]), error.get("ctx", {})
    if kind == "value_error":
        return str(error["msg"]).removeprefix("Value error, ")
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}"
    if kind in _BY_CONTEXT:
        return f"expected {_BY_CONTEXT[kind](context)}"
    return str(error["msg"])


def _items(bound: str, key: str) -> Callable[[Context], str]:
    return lambda context: f"{bound} {_counted(context[key], 'item')}"


def _characters(bound: str, key: str) -> Callable[[Context], str]:
    return lambda context: f"{bound} {_counted(context[key], 'character')}"


def _figure(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else f"{value:,}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


_WHOLE, _NUMBER, _TRUTH = "a whole number", "a number", "true or false"
_EXPECTED = {
    "missing": "a value here, which is missing",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "a number",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "a finite number",
    "bool_type": _TRUTH,
    "bool_parsing": _TRUTH,
    "string_type": "text",
    "string_unicode": "text",
    "path_type": "a path",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "none_required": "nothing (null)",
}
_BY_CONTEXT: dict[str, Callable[[Context], str]] = {
    "greater_than": lambda context: f"more than {_figure(context['gt'])}",
    "greater_than_equal": lambda context: f"{_figure(context['ge'])} or more",
    "less_than": lambda context: f"less than {_figure(context['lt'])}",
    "less_than_equal": lambda context: f"{_figure(context['le'])} or less",
    "multiple_of": lambda context: f"a multiple of {_figure(context['multiple_of'])}",
    "too_short": _items("at least", "min_length"),
    "too_long": _items("at most", "max_length"),
    "string_too_short": _characters("at least", "min_length"),
    "string_too_long": _characters("at most", "max_length"),
    "string_pattern_mismatch": lambda context: f"text of the form {context['pattern']}",
    "literal_error": lambda context: str(context["expected"]).replace("'", ""),
    "enum": lambda context: str(context["expected"]).replace("'", ""),
    "union_tag_not_found": lambda context: f"the key {str(context['discriminator']).strip(chr(39))}",
    "union_tag_invalid": lambda context: (
        f"{str(context['discriminator']).strip(chr(39))}: one of {str(context['expected_tags']).replace(chr(39), '')}, "
        f"not {context['tag']}"
    ),
}
