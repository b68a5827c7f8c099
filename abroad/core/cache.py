"""The folder of a user for what is the same for every output: converted models, answers of servers."""

from __future__ import annotations

import os
from pathlib import Path


def cache_directory() -> Path:
    """$ABROAD_CACHE, or ~/.cache/abroad; it need not be there."""
    return Path(os.environ.get("ABROAD_CACHE") or Path.home() / ".cache" / "abroad")
