"""Which files are results of abroad and no documents, so that a folder that holds them can be read again."""

from __future__ import annotations

from pathlib import Path

from abroad.core.marks import WRITING, WRITTEN, writer_of

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
        if (writer := writer_of(path, name)) is not None:
            command = writer.command or "abroad"
            return None if command in _WRITE_DOCUMENTS else command
    return None
