"""The order of the data: decided before training, written down, and the same again for the same settings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from abroad.training.settings import TrainSettings


@dataclass(frozen=True)
class Update:
    """One update of the weights.

    Attributes:
        number: from 1, over all epochs.
        batches: of each forward pass (all processes together), the places of its examples.
    """

    number: int
    epoch: int
    batches: tuple[tuple[int, ...], ...]

    def ids(self, names: Sequence[str]) -> list[list[str]]:
        return [[names[place] for place in batch] for batch in self.batches]

    def record(self, names: Sequence[str]) -> dict[str, Any]:
        """What the manifest holds of it: ids, and their hash."""
        ids = self.ids(names)
        return {"update": self.number, "epoch": self.epoch, "hash": batch_hash(ids), "ids": ids}


def batch_hash(ids: Sequence[Sequence[str]]) -> str:
    """SHA-256 (16 hex digits) of the ids of an update, in their order."""
    text = "\n".join("\t".join(batch) for batch in ids)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plan_updates(lengths: Sequence[int], settings: TrainSettings) -> list[Update]:
    """All updates of a run: each epoch holds every example once, in an order of its own.

    How many processes share the forward passes of an update changes nothing of it.

    Args:
        lengths: tokens of each example.
    """
    updates: list[Update] = []
    for epoch in range(1, settings.epochs + 1):
        order = list(range(len(lengths)))
        Random(f"{settings.seed}:{epoch}").shuffle(order)
        if settings.pack:
            batches, passes = (
                pack(order, lengths, settings.max_length),
                settings.batch_size * settings.gradient_accumulation_steps,
            )
        else:
            size, passes = settings.batch_size, settings.gradient_accumulation_steps
            batches = [tuple(order[start : start + size]) for start in range(0, len(order), size)]
        for start in range(0, len(batches), passes):
            updates.append(Update(len(updates) + 1, epoch, tuple(batches[start : start + passes])))
    return updates


def pack(order: Sequence[int], lengths: Sequence[int], capacity: int) -> list[tuple[int, ...]]:
    """Rows of at most `capacity` tokens; each example goes to the first row with room, in the order given."""
    rows: list[list[int]] = []
    room: list[int] = []
    for place in order:
        row = next((number for number, left in enumerate(room) if lengths[place] <= left), None)
        if row is None:
            rows.append([])
            room.append(capacity)
            row = len(rows) - 1
        rows[row].append(place)
        room[row] -= lengths[place]
    return [tuple(row) for row in rows]
