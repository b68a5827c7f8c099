"""The stages in order, what of them is done, and the record of the run.

A stage is done when its settings, its inputs and its outputs are what they
were when it ended; anything else runs again, and within a stage generation,
training and extraction go on record by record where they stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import write_json, write_rejects
from abroad.core.locks import held
from abroad.core.outputs import Kind, Output, check_file, check_outputs, unwritable
from abroad.core.provenance import input_hashes, peak_memory_mb, reset_peak_memory, versions
from abroad.core.resume import digest
from abroad.core.stage import Stage
from abroad.models.identity import named_digest
from abroad.pipeline.config import Config
from abroad.pipeline.paths import OUT, paths_of

_MODELS = ("model", "base", "amateur", "rank_model")
"""Settings of stages that name a model."""
_ALL = "*"
"""Begun, in a record of an earlier version: it did not say what was."""


class RunRecord:
    """`run.json` of a run directory: config, versions, and for each stage what went in, came out and cost.

    It also says which stages were begun (`begun`), and so what in the directory is abroad's.
    """

    def __init__(self, config: Config) -> None:
        self.path = config.out / "run.json"
        self._given = [path for name, path in paths_of(config) if name != OUT]
        check_file(self.path)
        self.value: dict[str, Any] = {"stages": {}}
        if self.path.exists():
            try:
                self.value = json.loads(self.path.read_text(encoding="utf-8"))
            except ValueError:
                raise InputError(f"{self.path}: broken run record; move it away to start anew") from None
            if not isinstance(self.value, dict) or not isinstance(self.value.get("stages"), dict):
                raise InputError(f"{self.path}: no run record of abroad; move it away to start anew")
            self.value.setdefault("begun", [_ALL])
        self.value.setdefault("begun", [])
        self.value |= {"config": config.in_use(), "seed": config.seed, "versions": versions()}

    def check(self, stages: Sequence[Stage], only: str | None = None, force: bool = False) -> None:
        """Refuse stages that would overwrite what the run reads, or what no stage wrote.

        What a stage reads is the run's own only if an earlier stage makes it.

        Args:
            only: name of the stage that is run; the others are looked at for what they read.
        Raises:
            InputError: says which file, and what to do.
        """
        read = [path for stage in stages for path in stage.inputs]
        made: set[Path] = set()
        given = [path for path in self._given if path not in read]
        for stage in stages:
            given += [path for path in stage.inputs if path.absolute() not in made]
            made |= {path.absolute() for path in stage.outputs}
        for stage in stages:
            if only not in (None, stage.name):
                continue
            outputs = [_output(stage, path, self._is_ours(stage, path)) for path in stage.outputs]
            check_outputs(outputs, [*given, *stage.inputs], force, "abroad run")

    def _is_ours(self, stage: Stage, path: Path) -> bool:
        """Whether an output may be made anew: the stage wrote it, and nobody changed it since."""
        if _ALL in self.value["begun"] or not path.exists():
            return True
        if stage.name not in self.value["begun"]:
            return False
        wrote = self.value["stages"].get(stage.name, {}).get("outputs", {})
        return all(wrote.get(file, found) == found for file, found in input_hashes([path]).items())

    def is_done(self, stage: Stage) -> bool:
        """Whether the stage has run with the same settings and inputs, and its outputs are as it left them."""
        entry = self.value["stages"].get(stage.name)
        if entry is None or entry["settings"] != digest(stage.settings):
            return False
        paths = (*stage.inputs, *stage.outputs)
        if not all(path.exists() for path in paths):
            return False
        models = _models_in(stage.settings)
        if entry.get("models", models) != models:  # a local model was replaced in place
            return False
        return entry["inputs"] == input_hashes(stage.inputs) and entry["outputs"] == input_hashes(stage.outputs)

    def has_performed(self, name: str) -> bool:
        """Whether a stage of that name has come to its end, whatever its settings were."""
        return name in self.value["stages"]

    def perform(self, stage: Stage, context: Context) -> dict[str, Any]:
        """Run a stage, write what it set aside beside its first output, and record it; returns its figures."""
        missing = [path for path in stage.inputs if not path.exists()]
        if missing:
            raise InputError(f"stage {stage.name!r} needs {missing[0]}, which is not there: run the stages before it")
        hashes = input_hashes(stage.inputs)
        self.value["stages"].pop(stage.name, None)
        if stage.name not in self.value["begun"]:
            self.value["begun"].append(stage.name)
        write_json(self.path, self.value)  # killed from here on, what the stage wrote is its own
        started = datetime.now(UTC).isoformat(timespec="seconds")
        reset_peak_memory()
        start = time.monotonic()
        own = replace(context.apart(), say=lambda message: context.say(f"  {message}"))
        result = stage.run(own)
        models = _models_in(stage.settings)
        if stage.outputs:
            write_rejects(own, stage.outputs[0])
            result = {**result, "set_aside": len(own.rejects)}
        self.value["stages"][stage.name] = {
            **({"models": models} if models else {}),
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


def _models_in(settings: Any) -> dict[str, str]:
    """Name -> digest of the weights of each local model that a stage's settings name."""
    found: dict[str, str] = {}
    for key, value in settings.items() if isinstance(settings, dict) else ():
        if key in _MODELS and isinstance(value, str) and (weights := named_digest(value)):
            found[value] = weights
        found |= _models_in(value)
    return found


def _output(stage: Stage, path: Path, ours: bool) -> Output:
    kind = Kind("what a stage writes", folder=not path.suffix, recognise=lambda path: ours)
    return Output(path, kind, f"stage {stage.name!r}:")


def run_stages(
    config: Config,
    stages: list[Stage],
    context: Context,
    only: str | None = None,
    force: bool = False,
) -> RunRecord:
    """Run every stage that is not done, or one alone.

    Args:
        context: is told what happens, a line at a time; each stage sets records aside on its own.
        only: name of the stage to run, whether it is done or not.
        force: overwrite files in the run's directory that no stage wrote.
    Raises:
        InputError: no stage of that name, its inputs are missing, or a file stands in the way.
    """
    names = [stage.name for stage in stages]
    if only is not None and only not in names:
        raise InputError(f"no stage {only!r}; expected one of: {', '.join(names)}")
    check_outputs([Output(config.out, Kind("a run", folder=True, recognise=lambda path: True), "out:")])
    with held(config.out, "abroad run"):
        return _run_stages(config, stages, context, only, force)


def _run_stages(config: Config, stages: list[Stage], context: Context, only: str | None, force: bool) -> RunRecord:
    record = RunRecord(config)
    record.check(stages, only, force)
    try:
        config.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(config.out, error) from None
    for number, stage in enumerate(stages, 1):
        if only not in (None, stage.name):
            continue
        head = f"[{number}/{len(stages)}] {stage.name}"
        if only is None and record.is_done(stage):
            context.say(f"{head}: done before, unchanged ({_figures(record.value['stages'][stage.name]['result'])})")
            continue
        context.say(f"{head} ...")
        entry = record.perform(stage, context)
        context.say(f"{head}: {entry['seconds']} s ({_figures(entry['result'])})")
    return record


def _figures(result: dict[str, Any]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in result.items() if not isinstance(value, dict))
