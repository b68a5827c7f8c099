"""Models by their names on the Hugging Face hub: which snapshot a name means, and whether it can be had at all.

The hub's own client asks again and again for half a minute where there is no network. Here it is looked once whether
there is a way; where there is none, what is in the cache of this machine has to do, or the name is refused at once.
"""

from __future__ import annotations

import contextlib
import functools
import os
from collections.abc import Iterable
from pathlib import Path

import httpx

from abroad.core.errors import AbroadError, InputError
from abroad.core.http import TransientError, answering, open_client

_SECONDS = 3.0
_CONFIGS = ("config.json", "adapter_config.json")


def is_hub_name(name: str) -> bool:
    """Whether this is a name of the hub (owner/model) and no path."""
    return name.count("/") == 1 and not name.startswith((".", "/", "~")) and not Path(name).exists()


def is_offline() -> bool:
    """Whether HF_HUB_OFFLINE forbids the network."""
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def require(name: str) -> None:
    """See to it that a model of the hub can be loaded: from there, or from the cache of this machine.

    Raises:
        InputError: it is not in the cache, and HF_HUB_OFFLINE is set.
        AbroadError: it is not in the cache, and there is no way to the hub.
    """
    if is_offline():
        if not _cached(name):
            raise InputError(
                f"{name}: not in this machine's cache of models, and HF_HUB_OFFLINE forbids to fetch it; unset that, "
                "or give the directory of a model"
            )
    elif not _reachable():
        if not _cached(name):
            raise AbroadError(
                f"{name}: not in this machine's cache of models, and there is no way to {_endpoint()}; give the "
                "directory of a model, or try again with a network"
            )
        _go_offline()


@functools.cache
def snapshot(name: str) -> str:
    """The commit that a name of the hub means now; "" where nobody can say."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    if is_offline() or not _reachable():
        return _cached(name)
    for file in _CONFIGS:
        try:
            return Path(hf_hub_download(name, file)).parent.name
        except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError):  # no such file, model, or right to it
            continue
    return ""


def small_files(name: str, files: Iterable[str]) -> list[Path]:
    """Those of some small files that a model of the hub has, fetched where they can be; others are left out."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    found, offline = [], is_offline() or not _reachable()
    for file in files:
        with contextlib.suppress(HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError, ValueError):
            found.append(Path(hf_hub_download(name, file, local_files_only=offline)))
    return found


def _cached(name: str) -> str:
    """The commit in the cache of this machine, "" for none."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = [try_to_load_from_cache(name, file) for file in _CONFIGS]
    except HFValidationError:
        return ""
    return next((Path(path).parent.name for path in found if isinstance(path, str)), "")


def _endpoint() -> str:
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


@functools.cache
def _reachable() -> bool:
    try:
        with open_client(_SECONDS) as client, answering(client, "HEAD", _endpoint()):
            return True
    except (httpx.HTTPError, httpx.InvalidURL, TransientError):
        return False


def _go_offline() -> None:
    """Tell the hub's client, for this process and those that it starts."""
    from huggingface_hub import constants

    os.environ["HF_HUB_OFFLINE"] = "1"
    constants.HF_HUB_OFFLINE = True
