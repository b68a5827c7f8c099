"""Which files are results of abroad and no documents, so that a folder that holds them can be read again."""

from __future__ import annotations

import json
from pathlib import Path

from abroad.core.helpers import helper_folder
from abroad.core.outputs import WRITING, WRITTEN

_WRITE_DOCUMENTS = frozenset(
    f"abroad {command}"
    for command in (
        *("documents fetch", "documents annotate", "documents split", "documents docbin"),
        *("synth select", "synth curate", "annotate pull"),
    )
)
"""Commands whose results are documents."""


def written_by(path: Path) -> str | None:
    """The command that wrote a file, where that is no command that writes documents; None for any other file."""
    for name in (WRITTEN, WRITING):
        try:
            mark = json.loads((helper_folder(path) / name).read_text(encoding="utf-8"))
            command = str(mark.get("command") or "abroad")
        except (OSError, ValueError, AttributeError, RecursionError):
            continue
        return None if command in _WRITE_DOCUMENTS else command
    return None
