"""What a training run leaves for others to trust it (after LLM360 K2, arXiv 2501.07124).

In the run's directory: `order.jsonl` (every update's ids and their hash), `metrics.jsonl` (also as TensorBoard
files in `tensorboard/`), `scores.jsonl` (F1 of each checkpoint), `spikes.jsonl`, `training.json` (settings, hashes,
installed packages) and `history.svg`; in `spikes/` the states that met a spike, with their optimizers.

Nothing is erased where a run rolls back: a record `{"rolled_back_to": N, ...}` follows in each log by update, and what
was made again comes after it. `course` gives the updates that led to the adapter.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from abroad.core.io import atomic_write, dump_line, write_json, write_jsonl
from abroad.core.jsonl import BadJson, parse_lines

ORDER, METRICS, SCORES, SPIKES = "order.jsonl", "metrics.jsonl", "scores.jsonl", "spikes.jsonl"
SPIKE_STATES = "spikes"
"""Folder of the states that met a spike."""
LOGS = (ORDER, METRICS, SCORES, SPIKES)
_BY_UPDATE = (ORDER, METRICS, SCORES)
_BACK = "rolled_back_to"


class TrainingRecord:
    """The record of one run, written by its first process only.

    Args:
        out: directory of the run.
        active: False for the other processes: nothing is written.
    """

    def __init__(self, out: Path, active: bool = True) -> None:
        self.out, self._active = out, active
        self._board: Any = None
        if active:
            out.mkdir(parents=True, exist_ok=True)

    def describe(self, settings: dict[str, Any], facts: dict[str, Any]) -> None:
        """Write settings, facts, and the packages that are installed."""
        if self._active:
            found = {dist.metadata["Name"]: dist.version for dist in importlib.metadata.distributions()}
            packages = dict(sorted(found.items(), key=lambda item: str(item[0]).lower()))
            write_json(self.out / "training.json", {"settings": settings, **facts, "packages": packages})

    def forget_after(self, update: int) -> None:
        """Drop what a run that was killed wrote after its last state, which is made again; spikes did happen.

        What came before the last roll-back stays, of later updates too.
        """
        if not self._active:
            return
        for name in _BY_UPDATE:
            path = self.out / name
            if path.exists():
                records = read_log(path)
                since = max((n for n, record in enumerate(records) if _BACK in record), default=-1) + 1
                write_jsonl(path, records[:since] + [r for r in records[since:] if r.get("update", 0) <= update])
        if update == 0 and not any(_BACK in record for record in read_log(self.out / ORDER)):
            (self.out / SPIKES).unlink(missing_ok=True)

    def roll_back(self, update: int, to: int, left_out: Sequence[int]) -> None:
        """Say in every log that a run returned from one update to an earlier one, and what it leaves out now."""
        for name in _BY_UPDATE:
            self._append(name, {_BACK: to, "from": update, "left_out": list(left_out)})

    def add(self, name: str, record: dict[str, Any]) -> None:
        """Append a record to one of the logs; numbers of metrics go to TensorBoard too."""
        self._append(name, record)
        if self._active and name in (METRICS, SCORES):
            self._to_board(record)

    def _append(self, name: str, record: dict[str, Any]) -> None:
        if self._active:
            with (self.out / name).open("a", encoding="utf-8") as stream:
                stream.write(dump_line(record))

    def _to_board(self, record: dict[str, Any]) -> None:
        if self._board is None:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:  # TensorBoard is no part of a bare torch
                return
            self._board = SummaryWriter(str(self.out / "tensorboard"))
        for name, value in record.items():
            if name not in ("update", "epoch") and isinstance(value, int | float):
                self._board.add_scalar(name, value, record["update"])

    def close(self) -> None:
        """Write the plot, and all that is still in memory."""
        if not self._active:
            return
        if self._board is not None:
            self._board.close()
        with atomic_write(self.out / "history.svg") as stream:
            metrics, scores = (course(read_log(self.out / name)) for name in (METRICS, SCORES))
            stream.write(plot_history(metrics, scores, read_log(self.out / SPIKES)))


def read_log(path: Path) -> list[dict[str, Any]]:
    """Records of a log; a line cut short by a crash is left out, a missing file is empty."""
    records = []
    if path.exists():
        with path.open("rb") as stream:
            for _, record in parse_lines(stream):
                if isinstance(record, BadJson):
                    break
                records.append(record)
    return records


def course(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The records of the updates that led to the adapter: without those that a roll-back undid."""
    kept: list[dict[str, Any]] = []
    for record in records:
        if _BACK in record:
            kept = [earlier for earlier in kept if earlier["update"] <= record[_BACK]]
        else:
            kept.append(record)
    return kept


def plot_history(
    metrics: Sequence[dict[str, Any]], scores: Sequence[dict[str, Any]], spikes: Sequence[dict[str, Any]]
) -> str:
    """Loss, spikes, and F1 of the checkpoints over the updates, as SVG text."""
    from matplotlib.figure import Figure

    from abroad.core.pages import svg

    figure = Figure(figsize=(8, 4))
    axes = figure.add_subplot()
    finite = [record for record in metrics if record["loss"] is not None]
    axes.plot([r["update"] for r in finite], [r["loss"] for r in finite], color="#3a6ea5", linewidth=1)
    for spike in spikes:
        axes.axvline(spike["update"], color="#c0392b", linestyle=":", linewidth=1)
    axes.set_xlabel("update" + (" (dotted: loss spikes)" if spikes else ""))
    axes.set_ylabel("loss", color="#3a6ea5")
    axes.set_ylim(bottom=0)
    if scores:
        other = axes.twinx()
        other.plot([r["update"] for r in scores], [r["f1"] for r in scores], "o-", color="#d98a4a", markersize=4)
        other.set_ylabel("F1 on the validation documents", color="#b36a2e")
        other.set_ylim(0, 100)
    figure.tight_layout()
    return svg(figure)
