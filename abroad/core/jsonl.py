"""The one reader of JSONL: files, pipes, and what an interrupted run left.

A line ends at "\\n" (or "\\r\\n") and nowhere else. `str.splitlines` also breaks at U+2028, U+2029, U+0085, U+000B
and others, all of which may stand unescaped in a JSON string, and so tears records apart.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from abroad.core.errors import LONG_INTEGER, MAX_DIGITS

_LONG_INTEGER = re.compile(
    rf'(?:(?P<key>"(?:[^"\\]|\\.){{0,200}}")\s*:|[\[,]|^)\s*-?(?P<digits>[0-9]{{{MAX_DIGITS + 1},}})'
)


class BadJson(ValueError):
    """Bytes or text that are no JSON value we can keep; the message says why, for people."""


def split_lines(text: str) -> list[str]:
    """The lines of a text, without their ends; nothing follows a last line end."""
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]


def parse_json(data: bytes | str) -> Any:
    """One JSON value that can also be written again.

    Raises:
        BadJson: not UTF-8, not JSON, nested too deep, an integer too long, or half of a surrogate pair in a string.
    """
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data.removeprefix("\ufeff")
        value = json.loads(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise BadJson(f"not UTF-8 at byte {error.start} of the line") from None
    except UnicodeEncodeError:
        raise BadJson("half of a surrogate pair in a string (\\ud800 to \\udfff): no character") from None
    except json.JSONDecodeError as error:
        raise BadJson(f"broken JSON ({error.msg}, column {error.colno})") from None
    except RecursionError:
        raise BadJson("JSON nested too deep") from None
    except ValueError:
        raise BadJson(f"broken JSON ({long_integer(text)[0]})") from None
    return value


def long_integer(text: str) -> tuple[str, int]:
    """What to say of the first integer in JSON that Python refuses to read, with its key, and its line."""
    found = _LONG_INTEGER.search(text)
    if found is None:
        return LONG_INTEGER, 1
    key = f" in {found['key'][:80]}" if found["key"] else ""
    return f"an integer of {len(found['digits']):,} digits{key}", text.count("\n", 0, found.start("digits")) + 1


def without_halves(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair: models and servers break pairs, and half is none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def first_half(text: str) -> int | None:
    """Where the first half of a surrogate pair stands that is no character; None for a sound text."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return error.start
    return None


def parse_lines(lines: Iterable[bytes]) -> Iterator[tuple[int, Any]]:
    """Yield (line number, value) of each line that is not blank; a bad line gives its `BadJson` as the value.

    Args:
        lines: a stream opened in binary mode, or lines that were broken at "\\n" alike.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield number, parse_json(line)
            except BadJson as error:
                yield number, error


def read_jsonl(path: str | Path) -> list[Any]:
    """The records of a file that abroad wrote.

    Raises:
        BadJson: a line is no JSON.
    """
    with Path(path).open("rb") as stream:
        return list(_whole(parse_lines(stream)))


def loads_jsonl(text: str) -> list[Any]:
    """The records of a text.

    Raises:
        BadJson: a line is no JSON.
    """
    return list(_whole(parse_lines(io.BytesIO(text.encode()))))


def _whole(values: Iterable[tuple[int, Any]]) -> Iterator[Any]:
    for _, value in values:
        if isinstance(value, BadJson):
            raise value
        yield value
