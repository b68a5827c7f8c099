"""What came of a training run, and the mark that says that one ended."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from abroad.core.helpers import helper
from abroad.core.io import file_sha256, write_json
from abroad.models.source import ADAPTER

_FINISHED = "finished.json"  # helper of the run's directory


@dataclass(frozen=True)
class TrainReport:
    """What came of a training run.

    Attributes:
        adapter: directory of the adapter, loadable with `abroad extract --model`.
        examples: trained on.
        steps: updates made.
        best_f1: percent on the validation documents; None without any.
        resumed_from: update the run continued at; 0 for a fresh one.
        spikes: loss spikes met.
    """

    adapter: Path
    examples: int
    steps: int
    best_f1: float | None
    resumed_from: int
    spikes: int = 0


def write_finished(out: Path, identity: str, report: TrainReport) -> None:
    """Say that a run ended, once its adapter is in place."""
    figures = {key: value for key, value in asdict(report).items() if key not in ("adapter", "resumed_from")}
    mark = {"identity": identity, "adapter": file_sha256(out / ADAPTER), "report": figures}
    write_json(helper(out, _FINISHED), mark)


def read_finished(out: Path, identity: str) -> TrainReport | None:
    """The report of a run that ended with this identity, and whose adapter is as it left it; else None."""
    try:
        mark = json.loads(helper(out, _FINISHED).read_text("utf-8"))
        if mark["identity"] != identity or mark["adapter"] != file_sha256(out / ADAPTER):
            return None
        return TrainReport(out, resumed_from=mark["report"]["steps"], **mark["report"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
