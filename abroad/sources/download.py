"""Download one file: resumed where it was cut off, checked, and in place whole or not at all.

The bytes so far lie in `<target>.abroad/part`, and what identifies the version they
belong to in `<target>.abroad/part.json`. A later attempt asks for the rest with Range
and If-Range (RFC 9110, sections 13.1.5 and 14.2); a server whose file has
changed since answers with all of it, and the download starts anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.helpers import helper, old_helper
from abroad.core.http import TransientError, answering, check_pace, check_status, open_client, with_retries
from abroad.core.io import file_sha256, write_json
from abroad.core.outputs import check_file
from abroad.core.progress import Progress


@dataclass(frozen=True)
class Check:
    """What the file must be; None where it is not known."""

    size: int | None = None
    algorithm: str | None = None
    digest: str | None = None

    def __post_init__(self) -> None:
        if self.algorithm is not None and self.algorithm not in hashlib.algorithms_available:
            raise InputError(f"unknown checksum algorithm {self.algorithm!r}; expected sha256 or md5")

    def fault(self, path: Path) -> str | None:
        """How the file differs from what it must be, or None."""
        size = path.stat().st_size
        if self.size is not None and size != self.size:
            return f"expected {self.size} bytes, found {size}"
        if self.algorithm is not None:
            with path.open("rb") as stream:
                found = hashlib.file_digest(stream, self.algorithm).hexdigest()
            if found != (self.digest or "").lower():
                return f"expected {self.algorithm} {self.digest}, found {found}"
        return None

    @property
    def words(self) -> str:
        known = (["size"] if self.size is not None else []) + ([self.algorithm] if self.algorithm else [])
        return f"checked by {' and '.join(known)}" if known else "not checked: no size or checksum known"


@dataclass(frozen=True)
class Downloaded:
    """The file in place; `reused` if it was there already, `checked` says by what it was verified."""

    path: Path
    size: int
    sha256: str
    checked: str
    reused: bool = False


def download(
    url: str,
    target: str | Path,
    check: Check | None = None,
    attempts: int = 8,
    first_wait: float = 1.0,
    context: Context | None = None,
) -> Downloaded:
    """Fetch `url` into `target`; a target that passes `check` already is left alone.

    Args:
        check: also without it the size that the server names must be met.
        attempts: tries in this call; each goes on where the one before stopped.
        first_wait: seconds before the second attempt; later waits double.
        context: is told of failed attempts.
    Raises:
        InputError: not an http(s) address.
        AbroadError: the server refuses, the attempts are used up (what came is kept for the
            next run), or the whole file is not what it must be (nothing is kept).
    """
    target, check = Path(target), check or Check()
    if not re.match(r"https?://[^/\s]", url):
        raise InputError(f"{url}: expected an address that starts with http:// or https://")
    if target.is_file() and (check.size or check.digest) and check.fault(target) is None:
        return Downloaded(target, target.stat().st_size, file_sha256(target), check.words, reused=True)
    check_file(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _Part(target, url)
    with open_client(60, follow_redirects=True) as client:
        with_retries(url, attempts, first_wait, context or Context())(_fetch_rest, client, part, check)
    fault = check.fault(part.path)
    if fault:
        part.discard()
        raise AbroadError(f"{url}: the file is not the one expected: {fault}; nothing is kept")
    part.path.replace(target)
    part.discard()
    return Downloaded(target, target.stat().st_size, file_sha256(target), check.words)


class _Part:
    """The bytes so far, and the validator (ETag or date) of the version they belong to."""

    def __init__(self, target: Path, url: str) -> None:
        self.url, self.name = url, target.name
        self.path, self._note = helper(target, "part"), helper(target, "part.json")
        self._take_over(old_helper(target, "part"), old_helper(target, "part.json"))

    def _take_over(self, part: Path, note: Path) -> None:
        """Move what an earlier version left beside the target, if its note says that it is of this address."""
        if self.path.exists() or not part.is_file() or _note_of(note).get("url") != self.url:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(self.path)
        note.replace(self._note)

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def validator(self) -> str | None:
        """The validator to resume with; None if the part is of another address or cannot be trusted."""
        note = _note_of(self._note)
        return note.get("validator") if note.get("url") == self.url else None

    def start(self, validator: str | None) -> None:
        """Begin an empty part of a new version."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # The bytes go before the note: a crash between the two must not pair old bytes with a new version.
        self.path.write_bytes(b"")
        write_json(self._note, {"url": self.url, "validator": validator})

    def discard(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # other helpers of the file may lie there
            self.path.parent.rmdir()


def _note_of(path: Path) -> dict[str, Any]:
    try:
        note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return note if isinstance(note, dict) else {}


def _fetch_rest(client: httpx.Client, part: _Part, check: Check) -> None:
    """One attempt: ask for what is missing and append it; raises TransientError if bytes still lack."""
    # The bytes as stored are wanted: with another encoding, offsets would count something else.
    headers = {"Accept-Encoding": "identity"}
    validator = part.validator()
    if part.size and validator:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": validator}
    with answering(client, "GET", part.url, headers=headers) as response:
        check_status(response)
        if response.status_code == 416 and _range_total(response) == part.size:
            return  # the part is the whole file
        if response.status_code == 416:
            part.discard()
            raise TransientError("the server's file is shorter than the part kept; starting anew")
        if response.status_code not in (200, 206):
            raise AbroadError(f"{part.url}: HTTP {response.status_code}; expected the file")
        resumed = response.status_code == 206
        if resumed and (_range_start(response) != part.size or not validator):
            part.discard()
            raise TransientError("the server sent another range than the one asked for; starting anew")
        if not resumed:
            part.start(_strong_validator(response))
        total = _range_total(response) if resumed else _content_length(response)
        if check.size is not None and total is not None and total != check.size:
            raise AbroadError(f"{part.url}: the server's file has {total} bytes; expected {check.size}")
        _append(client, response, part, total)
    if total is not None and part.size != total:
        if part.size > total:
            part.discard()
        raise TransientError(f"cut off: {part.size} of {total} bytes")


def _append(client: httpx.Client, response: httpx.Response, part: _Part, total: int | None) -> None:
    mebibyte, start = 1 << 20, time.monotonic()
    done = before = part.size
    with (
        Progress(f"downloading {part.name} (MiB)", total and -(-total // mebibyte), done // mebibyte) as progress,
        part.path.open("ab") as stream,
    ):
        # As the network gives them: blocks of a set size would lose the bytes of the last, unfilled one.
        for block in response.iter_raw():
            stream.write(block)
            progress.advance((done + len(block)) // mebibyte - done // mebibyte)
            done += len(block)
            check_pace(client, start, done - before)


def _strong_validator(response: httpx.Response) -> str | None:
    """The ETag, or failing that the date; a weak ETag does not promise equal bytes (RFC 9110, 13.1.5)."""
    etag = response.headers.get("ETag")
    if etag and not etag.startswith("W/"):
        return etag
    return response.headers.get("Last-Modified")


def _content_length(response: httpx.Response) -> int | None:
    match = re.fullmatch(r"\d{1,18}", response.headers.get("Content-Length", ""), re.ASCII)
    return int(match[0]) if match else None


def _range_start(response: httpx.Response) -> int | None:
    match = re.match(r"bytes (\d{1,18})-", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None


def _range_total(response: httpx.Response) -> int | None:
    match = re.search(r"/(\d{1,18})$", response.headers.get("Content-Range", ""))
    return int(match[1]) if match else None
