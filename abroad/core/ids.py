"""What may be an id: of documents, predictions, entities and decisions alike."""

from __future__ import annotations

from typing import Any

from abroad.core.errors import InputError, short


def is_missing(value: Any) -> bool:
    """Whether a record has no id: none, an empty text, or NaN, as pandas writes it."""
    return value is None or (isinstance(value, str) and not value.strip()) or value != value


def is_id(value: Any) -> bool:
    """Whether a value is an id: a text or a whole number, also as 7.0, which pandas makes of 7 beside a missing one."""
    if isinstance(value, str):
        return bool(value.strip())
    return type(value) is int or (isinstance(value, float) and value.is_integer())


def read_id(value: Any, what: str = "id") -> str:
    """The id as a text: 7 and "7" are one.

    Args:
        what: it is, for the message.
    Raises:
        InputError: it is missing, or is true, 1.5, a list or an object, which would be one only by its spelling.
    """
    if not is_id(value):
        raise InputError(f"expected a text or a whole number as {what}, found {short(value)}")
    return str(int(value)) if isinstance(value, float) else str(value)
