"""The stages in order, what of them is done, and the record of the run.

A stage is done when its settings, its inputs and its outputs are what they
were when it ended; anything else runs again, and within a stage generation,
training and extraction go on record by record where they stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.io import write_json
from abroad.core.provenance import input_hashes, peak_memory_mb, reset_peak_memory, versions
from abroad.core.resume import digest
from abroad.pipeline.config import Config


@dataclass(frozen=True)
class Stage:
    """One arrow of the pipeline.

    Attributes:
        name: as in `--only NAME`.
        inputs, outputs: files and directories it reads and writes.
        settings: what else decides its outputs.
        run: does the work and returns figures for the run record.
    """

    name: str
    inputs: tuple[Path, ...]
    outputs: tuple[Path, ...]
    settings: Any
    run: Callable[[], dict[str, Any]]


class RunRecord:
    """`run.json` of a run directory: config, versions, and for each stage what went in, came out and cost."""

    def __init__(self, config: Config) -> None:
        self.path = config.out / "run.json"
        self.value: dict[str, Any] = {"stages": {}}
        if self.path.exists():
            try:
                self.value = json.loads(self.path.read_text(encoding="utf-8"))
            except ValueError:
                raise InputError(f"{self.path}: broken run record; move it away to start anew") from None
        self.value |= {"config": config.model_dump(mode="json"), "seed": config.seed, "versions": versions()}

    def is_done(self, stage: Stage) -> bool:
        """Whether the stage has run with the same settings and inputs, and its outputs are as it left them."""
        entry = self.value["stages"].get(stage.name)
        if entry is None or entry["settings"] != digest(stage.settings):
            return False
        paths = (*stage.inputs, *stage.outputs)
        if not all(path.exists() for path in paths):
            return False
        return entry["inputs"] == input_hashes(stage.inputs) and entry["outputs"] == input_hashes(stage.outputs)

    def perform(self, stage: Stage) -> dict[str, Any]:
        """Run a stage and record it; returns its figures."""
        missing = [path for path in stage.inputs if not path.exists()]
        if missing:
            raise InputError(f"stage {stage.name!r} needs {missing[0]}, which is not there: run the stages before it")
        hashes = input_hashes(stage.inputs)
        self.value["stages"].pop(stage.name, None)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        reset_peak_memory()
        start = time.monotonic()
        result = stage.run()
        self.value["stages"][stage.name] = {
            "started": started,
            "seconds": round(time.monotonic() - start, 1),
            "peak_memory_mb": peak_memory_mb(),
            "settings": digest(stage.settings),
            "inputs": hashes,
            "outputs": input_hashes(stage.outputs),
            "result": result,
        }
        write_json(self.path, self.value)
        return self.value["stages"][stage.name]


def run_stages(
    config: Config, stages: list[Stage], only: str | None = None, say: Callable[[str], None] = print
) -> RunRecord:
    """Run every stage that is not done, or one alone.

    Args:
        only: name of the stage to run, whether it is done or not.
        say: is told what happens, a line at a time.
    Raises:
        InputError: no stage of that name, or its inputs are missing.
    """
    names = [stage.name for stage in stages]
    if only is not None and only not in names:
        raise InputError(f"no stage {only!r}; expected one of: {', '.join(names)}")
    config.out.mkdir(parents=True, exist_ok=True)
    record = RunRecord(config)
    for number, stage in enumerate(stages, 1):
        if only not in (None, stage.name):
            continue
        head = f"[{number}/{len(stages)}] {stage.name}"
        if only is None and record.is_done(stage):
            say(f"{head}: done before, unchanged ({_figures(record.value['stages'][stage.name]['result'])})")
            continue
        say(f"{head} ...")
        entry = record.perform(stage)
        say(f"{head}: {entry['seconds']} s ({_figures(entry['result'])})")
    return record


def _figures(result: dict[str, Any]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in result.items() if not isinstance(value, dict))
