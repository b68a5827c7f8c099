"""Where the annotation server of this machine keeps its data, and what it leaves there for other commands."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

CREDENTIALS = "credentials.json"  # written by server/launch.py, readable by its owner only


@dataclass(frozen=True)
class Credentials:
    """How to speak to a server.

    Attributes:
        url: of the server.
        api_key: of its owner, or of the user who runs a command.
    """

    url: str
    api_key: str


def data_directory() -> Path:
    """Per-user data of abroad's annotation: ABROAD_ANNOTATION_DIR, else below XDG_DATA_HOME."""
    given = os.environ.get("ABROAD_ANNOTATION_DIR")
    if given:
        return Path(given).expanduser()
    share = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(share).expanduser() / "abroad" / "annotation"


def default_home() -> Path:
    """Directory of the local server's data when no other is named."""
    return data_directory() / "home"


def local_credentials(home: Path | None = None) -> Credentials | None:
    """What the local server wrote when it last started; None if it never did."""
    path = (home or default_home()) / CREDENTIALS
    try:
        values = json.loads(path.read_text())
        return Credentials(values["url"], values["api_key"])
    except (OSError, ValueError, KeyError):
        return None
