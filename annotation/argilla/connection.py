"""A client of an Argilla server: the local one of `abroad annotate serve`, or any other by its URL and an API key.

client = connect()                                  # the local server, or ARGILLA_API_URL and ARGILLA_API_KEY
client = connect("https://argilla.example.org", "my key")
with explained(client):                             # SDK errors in the block become ours, with advice
    client.datasets(...)
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abroad.core.errors import AbroadError, InputError, MissingDependencyError
from annotation.home import Credentials, local_credentials

if TYPE_CHECKING:
    from argilla import Argilla

OLDEST_SERVER = (2, 5)  # custom fields and overlap of records are needed
_PROBE_SECONDS = 10


def connect(url: str | None = None, api_key: str | None = None, home: Path | None = None) -> Argilla:
    """A checked connection: the server answers, its version suits, the key is known there.

    Args:
        url: of the server; else ARGILLA_API_URL, else what the local server left in its home.
        api_key: else ARGILLA_API_KEY, else that of the local server, which goes to no other.
        home: the local server's directory, if not the default one.
    Raises:
        InputError: no server named and none here, no key, wrong key, or a URL that is none.
        AbroadError: the server is away, is not Argilla, or its version does not suit.
        MissingDependencyError: the SDK is not installed.
    """
    try:
        import argilla
    except ImportError:
        raise MissingDependencyError("argilla", "annotation", "work with Argilla") from None
    from argilla._exceptions import ArgillaCredentialsError, ForbiddenError

    chosen = credentials(url, api_key, home)
    _check_version(chosen.url, argilla.__version__)
    try:
        with explained(chosen.url):
            return argilla.Argilla(api_url=chosen.url, api_key=chosen.api_key)
    except (ArgillaCredentialsError, ForbiddenError):
        raise InputError(
            f"{chosen.url}: the server does not know this API key; "
            "find yours in its web page under 'My settings' and give it with --api-key or ARGILLA_API_KEY"
        ) from None


def credentials(url: str | None = None, api_key: str | None = None, home: Path | None = None) -> Credentials:
    """URL and key that `connect` uses.

    Raises:
        InputError: no server named and none here, no key, or a URL that is none.
    """
    local = local_credentials(home)
    if home is None or url or api_key:
        url = url or os.environ.get("ARGILLA_API_URL")
        api_key = api_key or os.environ.get("ARGILLA_API_KEY")
    if not url:
        if local is None:
            where = f" in {home}" if home else ""
            raise InputError(
                f"no annotation server{where}: start one with `abroad annotate serve`, "
                "or name one with --url and --api-key (or ARGILLA_API_URL and ARGILLA_API_KEY)"
            )
        return Credentials(local.url, api_key or local.api_key)
    url = url.rstrip("/")
    if not re.match(r"https?://[^/\s]+", url):
        raise InputError(f"{url}: expected the server's address, such as http://127.0.0.1:6900")
    if not api_key and local is not None and local.url == url:
        api_key = local.api_key
    if not api_key:
        raise InputError(f"{url}: an API key is needed: --api-key or ARGILLA_API_KEY (web page, 'My settings')")
    return Credentials(url, api_key)


def _check_version(url: str, sdk: str) -> None:
    import httpx

    with explained(url):
        # No retries here: whoever waits for a server that is away wants to know at once.
        answer = httpx.get(f"{url}/api/v1/version", timeout=_PROBE_SECONDS, follow_redirects=True)
    try:
        version = str(answer.raise_for_status().json()["version"])
        numbers = tuple(int(number) for number in version.split(".")[:2])
    except (httpx.HTTPStatusError, ValueError, KeyError, TypeError):
        raise AbroadError(
            f"{url}: something answers there, but not as Argilla does (HTTP {answer.status_code}); check the address"
        ) from None
    if numbers[0] != int(sdk.split(".")[0]) or numbers < OLDEST_SERVER:
        oldest = ".".join(map(str, OLDEST_SERVER))
        raise AbroadError(
            f"{url}: the server is Argilla {version}, the client here is {sdk}; "
            f"they do not fit: a server of {oldest} or newer with the same first number is needed"
        )


@contextlib.contextmanager
def explained(server: Any) -> Iterator[None]:
    """Turn what goes wrong between us and a server in the block into errors that say what to do.

    Args:
        server: a client, or the server's URL.
    Raises:
        AbroadError: the server went away, or answered with an error.
        InputError: the server refuses the key's user this, or refuses what was sent.
    """
    import httpx

    url = getattr(server, "api_url", server)
    try:
        yield
    except httpx.TimeoutException:
        raise AbroadError(f"{url}: the server is there but does not answer in time; try again") from None
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise AbroadError(
            f"{url}: no server answers ({error or type(error).__name__}); is it running? "
            "`abroad annotate serve` starts the local one; what arrived there is kept: run the command again to go on"
        ) from None
    except Exception as error:
        status = getattr(error, "status_code", None)
        if status is None or not type(error).__module__.startswith("argilla."):
            raise
        said = re.sub(r"^Argilla SDK error: ", "", str(error))
        if status == 401:
            raise InputError(f"{url}: the server does not know this API key (any more)") from None
        if status == 403:
            raise InputError(f"{url}: this needs the API key of an owner or admin: {said}") from None
        raise (InputError if status in (400, 404, 409, 422) else AbroadError)(f"{url}: {said}") from None
