"""The public files abroad can download, and what their servers say of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

import httpx
import yaml

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.http import TransientError, open_client, request
from abroad.sources.download import Check


@dataclass(frozen=True)
class Entry:
    """One public file; size and checksums are None where nobody has measured them."""

    title: str
    doi: str
    url: str
    record_api: str
    file: str
    licence: str
    cite: str
    size: int | None = None
    sha256: str | None = None
    md5: str | None = None


def load_entry(name: str) -> Entry:
    """The entry of that name.

    Raises:
        InputError: the manifest has none.
    """
    entries = yaml.safe_load(files("abroad.sources").joinpath("manifest.yaml").read_text(encoding="utf-8"))
    if name not in entries:
        raise InputError(f"no file {name!r} in the manifest; expected one of: {', '.join(entries)}")
    return Entry(**entries[name])


def published_check(entry: Entry, url: str | None, context: Context) -> Check:
    """What the download is checked against: the manifest, or where it is silent, the Zenodo record.

    Zenodo lists each file of a record with `key`, `size` and `checksum`
    ("md5:..."): https://developers.zenodo.org/#records.

    Args:
        url: an address given by the user; Zenodo is then not asked, for a mirror need not be that file.
        context: is told when the record cannot be read: the size the server names is then the only check.
    """
    if entry.sha256 or entry.md5:
        algorithm, digest = ("sha256", entry.sha256) if entry.sha256 else ("md5", entry.md5)
        return Check(entry.size, algorithm, digest)
    if url is not None:
        return Check(entry.size)
    try:
        with open_client(30, headers={"Accept": "application/json"}, follow_redirects=True) as client:
            response = request(client, "GET", entry.record_api)
        response.raise_for_status()
        listed = next(item for item in response.json()["files"] if item["key"] == entry.file)
        algorithm, _, digest = listed["checksum"].partition(":")
        return Check(int(listed["size"]), algorithm, digest)
    except (httpx.HTTPError, TransientError, ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        context.say(
            f"{entry.record_api}: no checksum to be had ({str(error) or type(error).__name__}); checking the size only"
        )
        return Check(entry.size)
