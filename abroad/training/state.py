"""Where a training run stands, on disk: trained weights, optimizer, random numbers, course of the loss; no pickles."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.io import write_json
from abroad.core.progress import tell
from abroad.models.lora import trainable
from abroad.training.processes import fill, whole

_MARK = "run.json"
_KEPT = 2  # states on disk: the last, and one before it in case that was cut short


@dataclass(frozen=True)
class TrainerState:
    """What is not a tensor.

    Attributes:
        update: the last update made.
        losses: window of the guard, of the loss.
        norms: likewise, of the norm of the gradient.
        sizes: likewise, of the size of the update.
        spiking_since: first update of a spike of the loss that goes on.
        left_out: updates whose batches are left out.
        best: best F1 so far, and the update it was reached at.
    """

    update: int = 0
    losses: tuple[float, ...] = ()
    left_out: tuple[int, ...] = ()
    best: tuple[float, int] | None = None
    norms: tuple[float, ...] = ()
    sizes: tuple[float, ...] = ()
    spiking_since: int | None = None


class StateStore:
    """States of a run in `<directory>/update-N`, each whole or not there.

    Unfinished states of another run are set aside as `<directory>-<identity>` with the run's logs, and taken up again
    when that run comes back: a mistyped setting loses nothing.

    Args:
        identity: of settings and data.
        first: whether this process writes.
        logs: names of files beside the directory that belong to the run.
    """

    def __init__(self, directory: Path, identity: str, first: bool, logs: Sequence[str] = ()) -> None:
        self.directory, self._first, self._logs = directory, first, logs
        if not first:
            return
        shutil.rmtree(_gone(directory), ignore_errors=True)
        found = owner_of(directory)
        if found != identity:
            self._set_aside(found)
            aside = self._aside(identity)
            if aside.exists():
                tell(f"{aside}: unfinished work of these settings and data is taken up again")
                aside.rename(directory)
            write_json(directory / _MARK, identity)
        self._move_logs(directory / "logs", directory.parent)

    def _aside(self, identity: str | None) -> Path:
        return self.directory.with_name(f"{self.directory.name}-{str(identity or 'unknown')[:16]}")

    def _set_aside(self, found: str | None) -> None:
        if not self._states():
            shutil.rmtree(self.directory, ignore_errors=True)
            return
        aside = self._aside(found)
        self._move_logs(self.directory.parent, self.directory / "logs")
        shutil.rmtree(aside, ignore_errors=True)
        self.directory.rename(aside)
        tell(f"{self.directory}: unfinished work of other settings or data; it is set aside as {aside}")

    def _move_logs(self, source: Path, target: Path) -> None:
        for name in self._logs:
            if (source / name).is_file():
                target.mkdir(exist_ok=True)
                (source / name).replace(target / name)

    def last(self) -> Path | None:
        """The latest state."""
        return max(self._states(), key=_number, default=None)

    def before(self, update: int) -> Path | None:
        """The latest state in which an update was not made yet."""
        return max((path for path in self._states() if _number(path) < update), key=_number, default=None)

    def _states(self) -> list[Path]:
        return [path for path in self.directory.glob("update-*") if (path / "standing.json").exists()]

    def drop_after(self, update: int) -> None:
        """Remove the states after an update, to which a run returned."""
        for path in self._states() if self._first else ():
            if _number(path) > update:
                shutil.rmtree(path)

    def save(self, trainer_state: TrainerState, model: Any, optimizer: Any) -> None:
        """Write a state and drop the oldest, but not the one before a spike that goes on; one process writes."""
        self.write(self.directory / f"update-{trainer_state.update:06}", trainer_state, model, optimizer)
        if not self._first:
            return
        spiking = trainer_state.spiking_since
        good = self.before(spiking) if spiking is not None else None
        for old in sorted(self._states(), key=_number)[:-_KEPT]:
            if old != good:
                shutil.rmtree(old)

    def write(self, target: Path, trainer_state: TrainerState, model: Any, optimizer: Any) -> None:
        """Write a state to a folder, whole or not at all; all processes call it, one writes."""
        import torch
        from safetensors.torch import save_file

        tensors = {f"weight|{name}": whole(value).contiguous() for name, value in trainable(model)}
        plain: dict[str, Any] = {}
        places: set[int] = set()
        names = {id(parameter): name for name, parameter in trainable(model)}
        for parameter, state in optimizer.state.items():
            for key, value in state.items():
                place = f"optimizer|{names[id(parameter)]}|{key}"
                if torch.is_tensor(value):
                    tensors[place] = _apart(whole(value).contiguous(), places)
                else:
                    plain[place] = value
        tensors["random"] = torch.get_rng_state()
        if torch.cuda.is_available():
            tensors["random_cuda"] = torch.cuda.get_rng_state()
        if not self._first:
            return
        partial = target.with_name(target.name + ".part")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        save_file(tensors, partial / "tensors.safetensors")
        write_json(partial / "standing.json", {**vars(trainer_state), "optimizer": plain})
        shutil.rmtree(target, ignore_errors=True)
        partial.rename(target)

    def load(self, path: Path, model: Any, optimizer: Any) -> TrainerState:
        """Put a state back."""
        import torch
        from safetensors.torch import load_file

        tensors = load_file(path / "tensors.safetensors")
        record = json.loads((path / "standing.json").read_text("utf-8"))
        plain = record.pop("optimizer")
        optimizer.state.clear()
        for name, parameter in trainable(model):
            fill(parameter, tensors[f"weight|{name}"])
            prefix = f"optimizer|{name}|"
            state = {key.removeprefix(prefix): value for key, value in plain.items() if key.startswith(prefix)}
            for key, value in tensors.items():
                if key.startswith(prefix):
                    state[key.removeprefix(prefix)] = _like(value, parameter)
            if state:
                optimizer.state[parameter] = state
        torch.set_rng_state(tensors["random"])
        if "random_cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random_cuda"])
        best = record["best"]
        return TrainerState(
            record["update"],
            tuple(record["losses"]),
            tuple(record["left_out"]),
            (best[0], best[1]) if best else None,
            # states of earlier versions have no more
            tuple(record.get("norms", ())),
            tuple(record.get("sizes", ())),
            record.get("spiking_since"),
        )

    def clear(self) -> None:
        """Remove all states when the run is done."""
        if self._first:
            clear_states(self.directory)


def clear_states(directory: Path) -> None:
    """Remove all states at once, so that a crash leaves no part of them to go on from."""
    gone = _gone(directory)
    shutil.rmtree(gone, ignore_errors=True)
    if directory.exists():
        directory.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def _gone(directory: Path) -> Path:
    return directory.with_name(f"{directory.name}.gone")


def owner_of(directory: Path) -> str | None:
    """Identity of the run whose states lie in a directory; None if it says none."""
    try:
        return str(json.loads((directory / _MARK).read_text("utf-8")))
    except (OSError, ValueError):
        return None


def _number(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _apart(value: Any, places: set[int]) -> Any:
    """A tensor that shares its memory with no earlier one; optimizers in 8 bits have one table for all parameters."""
    if value.data_ptr() in places:
        return value.clone()
    places.add(value.data_ptr())
    return value


def _like(value: Any, parameter: Any) -> Any:
    """A tensor of the optimizer, sharded as its parameter is."""
    import torch

    if not value.dim():
        return value  # Adam's step count stays where it was made: on the CPU
    if value.shape != parameter.shape:
        return value.to(parameter.device)  # tables of an optimizer in 8 bits
    target = torch.zeros_like(parameter, dtype=value.dtype)
    fill(target, value)
    return target
