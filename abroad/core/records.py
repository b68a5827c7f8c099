"""Records of JSON in the forms people have: an object {key: record}, an array, one record alone, or JSONL.

JSONL is streamed; the other forms are read whole. What a record means is not this module's business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import IO, Any

from abroad.core.errors import InputError
from abroad.core.jsonl import BadJson, parse_json, parse_lines

_RTF = b"{\\rtf"
Reject = Callable[[str, str], None]
"""Told where a record stood, and why it is set aside; may raise."""


def read_stream(stream: IO[bytes], name: str, reject: Reject) -> Iterator[tuple[str, str | None, Any]]:
    """Yield (where, key, record); the key is None but for an object {key: record}.

    Args:
        stream: binary and seekable.
        name: of the file, for messages.
    Raises:
        InputError: nothing but white space, or JSON that is broken as a whole.
    """
    first, second = _first_lines(stream)
    if not first:
        raise InputError(f"{name}: the file holds only white space; expected JSON records")
    if first.startswith(b"[") and not _starts_lines(first, second):
        yield from _read_array(stream.read(), name, reject)
    elif not _is_lines(first, second):
        yield from _read_object(stream.read(), name, reject)
    else:
        number, broken = 0, dict[str, str]()
        for number, value in parse_lines(stream):
            if broken:
                reject(*broken.popitem())
            if isinstance(value, BadJson):
                broken[f"{name}:{number}"] = str(value)
            else:
                yield f"{name}:{number}", None, value
        damage = getattr(getattr(stream, "raw", None), "damage", None)
        if broken and damage is None:
            reject(*broken.popitem())
        elif damage is not None:  # the last line is the one that is cut off
            reject(f"{name}:{number}", damage)


def is_json_lines(stream: IO[bytes]) -> bool:
    """Whether a stream, which is wound back, holds one object a line, as far as its first two lines tell."""
    first, second = _first_lines(stream)
    return first.startswith(b"{") and not first.startswith(_RTF) and _is_lines(first, second)


def _is_lines(first: bytes, second: bytes) -> bool:
    return not first.startswith(b"{") or _is_record(first) or second.startswith(b"{")


def _first_lines(stream: IO[bytes]) -> tuple[bytes, bytes]:
    """The first two lines that are not blank, without the mark of UTF-8; the stream is wound back."""
    lines = [line.strip().removeprefix(b"\xef\xbb\xbf") for line, _ in zip(_filled(stream), range(2), strict=False)]
    stream.seek(0)
    return (*lines, b"", b"")[:2]  # type: ignore[return-value]


def _filled(stream: IO[bytes]) -> Iterator[bytes]:
    return (line for line in stream if line.removeprefix(b"\xef\xbb\xbf").strip())


def _is_record(line: bytes) -> bool:
    """Whether a line is one record of JSONL, and not a whole object {key: record}, nor a part of one."""
    try:
        value = parse_json(line)
    except BadJson:
        return line.endswith(b"}")
    return not (value and all(isinstance(item, dict) for item in value.values())) and not _holds_array(value)


def _starts_lines(first: bytes, second: bytes) -> bool:
    """Whether a line that starts with "[" is one of JSONL (broken, or an array), since the next line is a record."""
    try:
        return first != b"[" and isinstance(parse_json(second), dict | list)
    except BadJson:
        return False


def _holds_array(value: dict[str, Any]) -> bool:
    """{"documents": [{...}, ...]}: one list of records under a name."""
    items = next(iter(value.values())) if len(value) == 1 else None
    return isinstance(items, list) and bool(items) and all(isinstance(item, dict) for item in items)


def _read_object(data: bytes, name: str, reject: Reject) -> Iterator[tuple[str, str | None, Any]]:
    text = _decode(data, name)
    try:
        value = json.loads(text, object_pairs_hook=_pairs_without_repeats)
    except json.JSONDecodeError as error:
        raise InputError(f"{name}:{error.lineno}: broken JSON ({error.msg}, column {error.colno})") from None
    except _RepeatedKey as error:
        raise InputError(f"{name}: the key {error} stands twice; expected unique ids") from None
    except (RecursionError, ValueError):
        raise InputError(f"{name}: JSON nested too deep, or an integer of thousands of digits") from None
    if _holds_array(value):
        for number, record in enumerate(next(iter(value.values())), 1):
            yield from _usable(f"{name}: record {number}", None, record, reject)
    elif "id" in value or not any(isinstance(item, dict) for item in value.values()):
        yield from _usable(name, None, value, reject)
    else:
        for key, record in value.items():
            yield from _usable(f"{name}: {key}", key, record, reject)


def _read_array(data: bytes, name: str, reject: Reject) -> Iterator[tuple[str, str | None, Any]]:
    """The records of an array; those before a fault are kept, what follows it is set aside with its line."""
    text = _decode(data, name)
    decode = json.JSONDecoder().raw_decode
    place, number = _after_space(text, text.index("[") + 1), 0
    while text[place : place + 1] != "]":
        number += 1
        try:
            record, place = decode(text, place)
            place = _after_space(text, place)
            if text[place : place + 1] not in (",", "]"):
                raise json.JSONDecodeError("Expecting ',' or ']'", text, place)
        except json.JSONDecodeError as error:
            reason = f"broken JSON (line {error.lineno}, column {error.colno}: {error.msg}); the rest is not read"
            reject(f"{name}: record {number}", reason)
            return
        except (RecursionError, ValueError):
            reason = "JSON nested too deep, or an integer of thousands of digits; the rest is not read"
            reject(f"{name}: record {number}", reason)
            return
        yield from _usable(f"{name}: record {number}", None, record, reject)
        if text[place] == ",":
            place = _after_space(text, place + 1)
    if text[place + 1 :].strip():
        reject(name, "there is more after the end of the array; it is not read")


def _after_space(text: str, place: int) -> int:
    while text[place : place + 1] and text[place] in " \t\r\n":
        place += 1
    return place


def _usable(where: str, key: str | None, record: Any, reject: Reject) -> Iterator[tuple[str, str | None, Any]]:
    """The record, if it can be written again; else its reason goes to `reject`."""
    try:
        json.dumps([key, record], ensure_ascii=False).encode()
    except UnicodeEncodeError:
        reject(where.encode("utf-8", "replace").decode(), "half of a surrogate pair in a string: no character")
        return
    yield where, key, record


def _decode(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{name}: not UTF-8 at byte {error.start}; expected UTF-8 JSON") from None


class _RepeatedKey(Exception):
    pass


def _pairs_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        raise _RepeatedKey(repr(next(key for key in keys if keys.count(key) > 1)))
    return result
