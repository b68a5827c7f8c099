"""Records beyond what memory holds in shards, each small enough for it and worked through by one worker at a time.

`<out>.abroad/shards-<identity>/` holds a plan, the inputs of each shard and its results; when all shards are done
their results are joined to `<out>` in the order of the inputs. A plan is whole or absent, results
are appended record by record, and records that an earlier run made for the same input are taken
over, so a run may be killed at any time and continued, also with other inputs added.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.helpers import helper, helper_folder, old_helper
from abroad.core.io import atomic_write, dump_line, read_records, write_json
from abroad.core.progress import tell
from abroad.core.resume import digest, keeps_identity, partial_file, seed_partial, unsharded_files, write_identity
from abroad.core.scratch import EarlierRecords

LARGEST = 4096
"""Records of a shard at most, where nothing else is asked for: a few megabytes."""
_SHARDS_A_WORKER = 8  # so that all end at about the same time


class ShardSource(Protocol):
    """What is split into shards.

    Attributes:
        name: of the records, in the names of files ("prompts").
        key: changes with whatever the records are made of.
        nothing: what to say where there are none.
    """

    @property
    def name(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def nothing(self) -> str: ...

    def records(self, context: Context) -> Iterator[dict[str, Any]]:
        """The records, each with an `id` that no other has."""
        ...


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of the records, with a file for its results; thousands of them take little memory.

    Attributes:
        folder: of all shards.
        number: its place among them.
        count: of its records.
        name: of the records ("prompts").
        identity: of the results, as `partial_file` has it in a name.
    """

    folder: Path
    number: int
    count: int
    name: str
    identity: str

    @property
    def inputs(self) -> Path:
        """JSONL of the records, ids unique over all shards."""
        return self.folder / f"{self.number:05}.{self.name}.jsonl"

    @property
    def out(self) -> Path:
        """JSONL of their results, there when the shard is done."""
        return self.folder / f"{self.number:05}.jsonl"

    @property
    def partial(self) -> Path:
        """Where results lie while the shard is not done."""
        return helper(self.out, f"partial-{self.identity}.jsonl")

    @property
    def done(self) -> bool:
        return self.out.exists()

    def answered(self) -> int:
        """Results on disk, of this run or an earlier one."""
        if self.done:
            return self.count
        for path in (self.partial, old_helper(self.out, "partial")):
            if path.exists():
                with path.open("rb") as stream:
                    return sum(line.endswith(b"\n") for line in stream)
        return 0


Job = Callable[[Shard], int]
"""Works through a shard, and says what that took; it is pickled, and each process has a copy of its own."""


@dataclass(frozen=True)
class ShardPlan:
    """How records are split.

    Attributes:
        identity: whatever must be equal for earlier results to be kept.
        digest: of a record, as its result holds it (`input_digest`).
        largest: records of a shard at most; an existing plan keeps its own.
        earlier: where an earlier version wrote the same results.
    """

    identity: dict[str, Any]
    digest: Callable[[dict[str, Any]], str] = digest
    largest: int = LARGEST
    earlier: Path | None = None


def shard_size(count: int, workers: int, largest: int = LARGEST, smallest: int = 1) -> int:
    """So that each worker has several shards, and none is too large."""
    return max(smallest, min(largest, -(-count // (workers * _SHARDS_A_WORKER))))


class ShardedOutput:
    """The shards of an output."""

    def __init__(self, source: ShardSource, out: Path, how: ShardPlan) -> None:
        self._source, self._out, self._how = source, out, how
        self._identity = how.identity
        self._digest = digest(how.identity)
        self._directory = helper(out, f"shards-{self._digest}")

    def plan(self, context: Context) -> list[Shard]:
        """The shards, in order; those of an interrupted run of the same inputs and identity, or new ones.

        Raises:
            InputError: the inputs cannot be read, or hold no usable record.
        """
        self._take_over()
        self._tell_others()
        fresh = self._directory.with_name(self._directory.name + ".new")
        if not self._directory.exists() and (fresh / "plan.json").exists():
            fresh.rename(self._directory)
        shutil.rmtree(fresh, ignore_errors=True)
        wanted = {"identity": json.loads(json.dumps(self._identity)), self._source.name: self._source.key}
        plan = self._read_plan()
        if plan is None or {key: plan.get(key) for key in wanted} != wanted:
            left = self._write_plan(fresh, wanted)
            if plan is not None and left:
                self._set_aside(plan[self._source.name], left)
            shutil.rmtree(self._directory, ignore_errors=True)
            fresh.rename(self._directory)
            plan = self._read_plan()
            assert plan is not None
        context.rejects.items += plan["rejects"]
        context.rejects.notes += plan.get("notes", [])
        return [self._shard(number, count) for number, count in enumerate(plan["counts"])]

    def _shard(self, number: int, count: int, directory: Path | None = None) -> Shard:
        return Shard(directory or self._directory, number, count, self._source.name, self._digest)

    def _set_aside(self, key: str, left: int) -> None:
        """Keep the results of other inputs than those of now, where a run of those inputs finds them."""
        aside = self._directory.with_name(f"{self._directory.name}-of-{key[:12]}")
        shutil.rmtree(aside, ignore_errors=True)  # what it held went into the directory that takes its place
        self._directory.rename(aside)
        tell(f"{self._out}: {left} unfinished answers to other {self._source.name} stay in {aside}")

    def _tell_others(self) -> None:
        """Say what unfinished work of other settings lies beside this one's."""
        folder, own = self._directory.parent, partial_file(self._out, self._identity)
        if folder != helper_folder(self._out):
            return
        others = [path for path in sorted(folder.glob("partial-*.jsonl")) if path != own]
        shards = [path for path in sorted(folder.glob("shards-*")) if not path.name.startswith(self._directory.name)]
        for other in (*others, *shards):
            tell(f"{self._out}: unfinished work of another model or other settings stays in {other}")

    def _take_over(self) -> None:
        """Move the shards of an earlier version to where they lie now, if they are of this identity."""
        old = old_helper(self._out, "shards")
        plan = self._read_plan(old)
        if plan is not None and plan["identity"] == self._identity and not self._directory.exists():
            self._directory.parent.mkdir(parents=True, exist_ok=True)
            old.rename(self._directory)

    def join(self, shards: list[Shard], context: Context, inputs: Path | None = None) -> int:
        """Write the output of all done shards and remove them; the number of its records.

        Args:
            inputs: where the inputs of all shards go.
        """
        if inputs is not None:
            _concatenate((shard.inputs for shard in shards), inputs)
        for shard in shards:
            beside = helper(shard.out, "rejects.jsonl")
            if beside.exists():
                context.rejects.items += [record for _, _, record in read_records(beside)]
        write_identity(self._out, None)  # killed here, the output is of no identity and the shards still there
        written = _concatenate((shard.out for shard in shards), self._out)
        write_identity(self._out, self._identity)
        plan = self._read_plan() or {}
        for spent in plan.get("spent", []):
            Path(spent).unlink(missing_ok=True)
        shutil.rmtree(self._directory)
        return written

    def _read_plan(self, directory: Path | None = None) -> dict[str, Any] | None:
        path = (directory or self._directory) / "plan.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else None

    def _write_plan(self, directory: Path, wanted: dict[str, Any]) -> int:
        """Split the records; what earlier runs made of them goes with them. The plan itself is written last.

        Returns:
            How many results of the unfinished run at hand are of none of the records.
        """
        directory.mkdir(parents=True)
        context = Context()
        counts: list[int] = []
        sharded, unsharded = self._earlier_files(), unsharded_files(self._out, self._identity, self._how.earlier)
        with EarlierRecords([*unsharded, *sharded], directory / "earlier.sqlite") as earlier:
            records = iter(self._source.records(context))
            while shard := list(islice(records, self._how.largest)):
                self._write_shard(self._shard(len(counts), len(shard), directory), shard, earlier)
                counts.append(len(shard))
            if not counts:
                raise InputError(self._source.nothing)
            left = {path: earlier.left([path]) for path in unsharded if path != self._out}
            self._tell_left(left)
            own = (partial_file(self._out, self._identity), old_helper(self._out, "partial"))
            spent = [str(path) for path in left if path in own and not left[path]]
            about = {"rejects": context.rejects.items, "notes": context.rejects.notes, "spent": spent}
            write_json(directory / "plan.json", {**wanted, "counts": counts, **about})
            return earlier.left([path for path in sharded if path.is_relative_to(self._directory)])

    def _tell_left(self, left: dict[Path, int]) -> None:
        """Say of unfinished work of an unsharded run that some of it is of other inputs, and stays."""
        partial = partial_file(self._out, self._identity)
        if left.get(partial):
            tell(f"{self._out}: unfinished work on {left[partial]} other records stays in {partial}")

    def _write_shard(self, shard: Shard, records: list[dict[str, Any]], earlier: EarlierRecords) -> None:
        with atomic_write(shard.inputs) as stream:
            for record in records:
                stream.write(dump_line(record))
        if not earlier.any:
            return
        found = [earlier.find(str(record["id"]), self._how.digest(record)) for record in records]
        seed_partial(shard.out, self._identity, [line for line in found if line is not None])

    def _earlier_files(self) -> list[Path]:
        """Files with results of this identity: the output of a finished run, the shards of an unfinished one."""
        files = [self._out] if self._out.exists() and keeps_identity(self._out, self._identity) else []
        aside = sorted(self._directory.parent.glob(f"{self._directory.name}-of-*"))
        for directory in (*aside, self._directory):
            plan = self._read_plan(directory)
            if plan is not None and plan["identity"] == json.loads(json.dumps(self._identity)):
                for number, count in enumerate(plan["counts"]):
                    shard = self._shard(number, count, directory)
                    places = (shard.out, shard.partial, old_helper(shard.out, "partial"))
                    files += [path for path in places if path.exists()]
        return files


def _concatenate(files: Iterable[Path], out: Path) -> int:
    """Write files one after the other; the number of lines."""
    lines = 0
    with atomic_write(out, binary=True) as target:
        for file in files:
            data = file.read_bytes()
            lines += data.count(b"\n")
            target.write(data)
    return lines
