"""The version of the package, as it was installed."""

from __future__ import annotations

from functools import cache


@cache
def version() -> str:
    """The version; "0+unknown" of a source tree that was never installed."""
    from importlib import metadata

    try:
        return metadata.version("abroad")
    except metadata.PackageNotFoundError:
        return "0+unknown"
