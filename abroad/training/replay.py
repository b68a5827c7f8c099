"""Whether the data of a run come again in the same order, and its losses with them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.schema import Document
from abroad.documents.instructions import Task
from abroad.models.source import INITIAL
from abroad.training.record import METRICS, ORDER, course, read_log
from abroad.training.settings import TrainSettings
from abroad.training.train import TrainingRun


@dataclass(frozen=True)
class Replay:
    """What came of reading the data of a run once more.

    Attributes:
        updates: whose hashes were compared; of these `equal` are equal.
        first_difference: the first update whose data differ; None if none does.
        losses: (update, loss recorded, loss now) of the updates made again.
    """

    updates: int
    equal: int
    first_difference: int | None
    losses: tuple[tuple[int, float, float], ...]


def recorded_settings(run: Path) -> TrainSettings:
    """The settings of a run, of its `training.json`.

    Raises:
        InputError: no such record.
    """
    path = run / "training.json"
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected the directory of a run of `abroad train`")
    fields: dict[str, Any] = json.loads(path.read_text("utf-8"))["settings"]
    fields["adam_betas"] = tuple(fields["adam_betas"])
    return TrainSettings.recorded(fields)


def replay(run: Path, documents: Sequence[Document | Task], updates: int, context: Context) -> Replay:
    """Plan the run again and compare each update's hash with the manifest; make the first `updates` of them again."""
    settings = recorded_settings(run)
    manifest = {record["update"]: record for record in course(read_log(run / ORDER))}
    if not manifest:
        raise InputError(f"{run / ORDER}: no manifest of the data order")
    with tempfile.TemporaryDirectory(prefix="abroad-replay-") as folder:
        again = TrainingRun(documents, [], settings.replace(keep_every=0), Path(folder), context)
        planned = {update.number: update.record(again.names)["hash"] for update in again.updates}
        same = [number for number, record in manifest.items() if planned.get(number) == record["hash"]]
        different = sorted(set(manifest) - set(same))
        losses: list[tuple[int, float, float]] = []
        if updates:
            again.updates = [u for u in again.updates if u.number in manifest]
            again.stop_after = updates
            if (run / INITIAL).is_file():  # earlier versions drew it in another way
                again.begin_with(run / INITIAL)
            again.train()
            before, made = (
                {r["update"]: r["loss"] for r in course(read_log(place / METRICS)) if r["loss"] is not None}
                for place in (run, Path(folder))
            )
            losses = [(number, before[number], loss) for number, loss in made.items() if number in before]
    return Replay(len(manifest), len(same), different[0] if different else None, tuple(losses))
