"""What a run consists of: stages, each with what it reads, what it writes, and what decides the latter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from abroad.core.context import Context


@dataclass(frozen=True)
class Stage:
    """One arrow of the pipeline, or one step of a round of curation.

    Attributes:
        name: as in `--only NAME`.
        inputs: files and directories that it reads.
        outputs: files and directories that it writes.
        settings: what else decides its outputs: the identity of its settings.
        run: does the work and returns figures for the run record.
    """

    name: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    settings: Any
    run: Callable[[Context], dict[str, Any]]


class Performer(Protocol):
    """What runs stages and remembers them, as the record of a run does."""

    def has_performed(self, name: str) -> bool:
        """Whether a stage of that name has come to its end."""

    def perform(self, stage: Stage, context: Context) -> dict[str, Any]:
        """Run a stage and remember it; returns its entry, with "result" and "seconds"."""
