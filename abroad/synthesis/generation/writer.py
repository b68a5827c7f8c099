"""A model that writes texts, and the folder where they are kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.io import read_records, write_jsonl
from abroad.engines.base import Engine
from abroad.synthesis.generation.generate import generate_abstracts


@dataclass(frozen=True)
class Writer:
    """A model that writes texts, and where they are kept, so that a rerun goes on.

    Attributes:
        engine: writes them.
        identity: what decides a text beside its prompt (engine, model).
        work: the folder.
        context: is told what is set aside and how far it is.
    """

    engine: Engine
    identity: dict[str, Any]
    work: Path
    context: Context

    def write(self, prompts: Iterable[dict[str, Any]], asked: str, written: str) -> list[dict[str, Any]]:
        """The texts of prompts; both are kept, in the files of these names."""
        write_jsonl(self.work / asked, prompts)
        generate_abstracts(self.work / asked, self.work / written, self.engine, self.context, self.identity)
        return [record for _, _, record in read_records(self.work / written)]
