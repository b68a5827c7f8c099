"""What a caller in Python gave, checked before it is worked on, and where the call stands.

The type checker has not always been asked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from os import PathLike
from typing import Any, TypeVar

from abroad.core.errors import InputError

T = TypeVar("T")
_OURS = ("abroad", "annotation", "pydantic")


def each_of(values: Any, what: str, kind: type[T] | None = None) -> list[T]:
    """The values as a list, where a caller may have given anything.

    Args:
        values: something to go through; a single value of the kind, a text or a path is none.
        what: was expected, in words ("predictions").
        kind: of each of them; None for any.

    Raises:
        InputError: something else, with what was expected and found.
    """
    if values is None or isinstance(values, str | bytes | PathLike | Mapping) or not isinstance(values, Iterable):
        raise InputError(f"expected {what}, found {'None' if values is None else type(values).__name__}")
    found = list(values)
    wrong = next((item for item in found if kind is not None and not isinstance(item, kind)), None)
    if wrong is not None or (kind is not None and None in found):
        raise InputError(f"expected {what}, found {'None' if wrong is None else type(wrong).__name__} among them")
    return found


def depth_of_caller() -> int:
    """The `stacklevel` by which a warning names the line that called us, however deep in abroad it is raised.

    Where no such line is, as when a command is run, the outermost one of ours is named.
    """
    depth, frame = 0, sys._getframe(1)
    while frame.f_globals.get("__name__", "").partition(".")[0] in _OURS and frame.f_back is not None:
        depth, frame = depth + 1, frame.f_back
    return depth + 1
