"""A large prompt file in shards, each small enough for memory and answered by one worker at a time.

`<out>.abroad/shards-<identity>/` holds a plan, the prompts of each shard and its results; when all shards are done
their results are joined to `<out>` in the order of the prompts. A plan is whole or absent, results
are appended record by record, and records that an earlier run made for the same prompt are taken
over, so a run may be killed at any time and continued, also with other prompts added.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.helpers import helper, old_helper
from abroad.core.io import atomic_write, dump_line, file_sha256, read_records, require_file, write_json
from abroad.core.jsonl import parse_json
from abroad.core.progress import tell
from abroad.core.resume import digest, keeps_identity, seed_partial, write_identity

LARGEST = 4096
"""Prompts of a shard: a few megabytes, and work for minutes."""


@dataclass(frozen=True)
class Shard:
    """A part of the prompts, with a file for its answers.

    Attributes:
        prompts: JSONL of prompt records, ids unique over all shards.
        out: JSONL of their answers, there when the shard is done.
        count: of the prompts.
    """

    prompts: Path
    out: Path
    count: int

    @property
    def done(self) -> bool:
        return self.out.exists()

    def answered(self) -> int:
        """Records on disk, of this run or an earlier one."""
        for path in (self.out, *_partial_files(self.out)):
            if path.exists():
                with path.open("rb") as stream:
                    return sum(line.endswith(b"\n") for line in stream)
        return 0


def _partial_files(out: Path) -> list[Path]:
    """Unfinished records of a shard, those of an earlier version too."""
    return [*sorted(out.parent.glob(helper(out, "partial-*.jsonl").name)), old_helper(out, "partial")]


class ShardedOutput:
    """The shards of an output.

    Args:
        identity: whatever must be equal for earlier records to be kept.
        largest: prompts of a shard at most; an existing plan keeps its own.
    """

    def __init__(self, prompts: Path, out: Path, identity: dict[str, Any], largest: int = LARGEST) -> None:
        self._prompts, self._out, self._identity, self._largest = prompts, out, identity, largest
        self._directory = helper(out, f"shards-{digest(identity)}")

    def plan(self, context: Context) -> list[Shard]:
        """The shards, in order; those of an interrupted run of the same prompts and identity, or new ones.

        Raises:
            InputError: the prompt file cannot be read, or holds no usable record.
        """
        self._take_over()
        fresh = self._directory.with_name(self._directory.name + ".new")
        if not self._directory.exists() and (fresh / "plan.json").exists():
            fresh.rename(self._directory)
        shutil.rmtree(fresh, ignore_errors=True)
        wanted = {
            "identity": self._identity,
            "prompts": file_sha256(require_file(self._prompts, "prompts of `abroad synth instruct`")),
        }
        plan = self._read_plan()
        if plan is None or {key: plan[key] for key in wanted} != wanted:
            left = self._write_plan(fresh, wanted)
            if plan is not None and left:
                self._set_aside(plan["prompts"], left)
            shutil.rmtree(self._directory, ignore_errors=True)
            fresh.rename(self._directory)
            plan = self._read_plan()
            assert plan is not None
        context.rejects.items += plan["rejects"]
        return [
            Shard(self._directory / f"{number:05}.prompts.jsonl", self._directory / f"{number:05}.jsonl", count)
            for number, count in enumerate(plan["counts"])
        ]

    def _set_aside(self, prompts: str, left: int) -> None:
        """Keep the answers to other prompts than those of now, where a run of those prompts finds them."""
        aside = self._directory.with_name(f"{self._directory.name}-of-{prompts[:12]}")
        shutil.rmtree(aside, ignore_errors=True)  # what it held went into the directory that takes its place
        self._directory.rename(aside)
        tell(f"{self._out}: {left} unfinished answers to other prompts stay in {aside}")

    def _take_over(self) -> None:
        """Move the shards of an earlier version to where they lie now, if they are of this identity."""
        old = old_helper(self._out, "shards")
        plan = self._read_plan(old)
        if plan is not None and plan["identity"] == self._identity and not self._directory.exists():
            self._directory.parent.mkdir(parents=True, exist_ok=True)
            old.rename(self._directory)

    def join(self, shards: list[Shard], context: Context) -> int:
        """Write the output of all done shards and remove them; the number of its records."""
        written = 0
        with atomic_write(self._out, binary=True) as target:
            for shard in shards:
                with shard.out.open("rb") as stream:
                    for line in stream:
                        target.write(line)
                        written += 1
        for shard in shards:
            beside = helper(shard.out, "rejects.jsonl")
            if beside.exists():
                context.rejects.items += [record for _, _, record in read_records(beside)]
        write_identity(self._out, self._identity)
        shutil.rmtree(self._directory)
        return written

    def _read_plan(self, directory: Path | None = None) -> dict[str, Any] | None:
        path = (directory or self._directory) / "plan.json"
        return json.loads(path.read_text("utf-8")) if path.exists() else None

    def _write_plan(self, directory: Path, wanted: dict[str, Any]) -> int:
        """Split the prompts; what earlier runs answered goes with them. The plan itself is written last.

        Returns:
            How many answers of the unfinished run at hand are to none of the prompts.
        """
        directory.mkdir(parents=True)
        context = Context()
        counts: list[int] = []
        earlier = _EarlierRecords(self._earlier_files())
        shard: list[dict[str, Any]] = []
        for record in self._usable_prompts(context):
            shard.append(record)
            if len(shard) == self._largest:
                self._write_shard(directory / f"{len(counts):05}", shard, earlier)
                counts.append(len(shard))
                shard = []
        if shard:
            self._write_shard(directory / f"{len(counts):05}", shard, earlier)
            counts.append(len(shard))
        if not counts:
            raise InputError(f"{self._prompts}: no usable prompt record in the file")
        write_json(directory / "plan.json", {**wanted, "counts": counts, "rejects": context.rejects.items})
        return earlier.left(self._directory)

    def _usable_prompts(self, context: Context) -> Iterator[dict[str, Any]]:
        seen: set[bytes] = set()
        for where, _, record in read_records(self._prompts, context):
            if not isinstance(record, dict) or not isinstance(record.get("prompt"), str) or "id" not in record:
                context.rejects.add(where, "expected a prompt record with 'id' and 'prompt'")
                continue
            # Short hashes in place of ids: a million of them take little memory.
            key = hashlib.blake2b(str(record["id"]).encode(), digest_size=12).digest()
            if key in seen:
                context.rejects.add(where, f"the id {record['id']!r} stands twice; the first is kept")
            else:
                seen.add(key)
                yield record

    def _write_shard(self, path: Path, records: list[dict[str, Any]], earlier: _EarlierRecords) -> None:
        with atomic_write(path.with_name(path.name + ".prompts.jsonl")) as stream:
            for record in records:
                stream.write(dump_line(record))
        found = [earlier.find(str(record["id"]), digest(record)) for record in records]
        seed_partial(path.with_name(path.name + ".jsonl"), self._identity, [line for line in found if line is not None])

    def _earlier_files(self) -> list[Path]:
        """Files with results of this identity: the output of a finished run, the shards of an unfinished one."""
        files = [self._out] if self._out.exists() and keeps_identity(self._out, self._identity) else []
        aside = sorted(self._directory.parent.glob(f"{self._directory.name}-of-*"))
        for directory in (*aside, self._directory):
            plan = self._read_plan(directory)
            if plan is not None and plan["identity"] == self._identity:
                for number in range(len(plan["counts"])):
                    shard = directory / f"{number:05}.jsonl"
                    files += [path for path in (shard, *_partial_files(shard)) if path.exists()]
        return files


class _EarlierRecords:
    """Where each record of earlier files lies, by id and input; the records themselves stay on disk."""

    def __init__(self, files: list[Path]) -> None:
        self._files = files
        self._places: dict[tuple[str, str], tuple[int, int]] = {}
        self._found: set[tuple[str, str]] = set()
        for number, path in enumerate(files):
            offset = 0
            with path.open("rb") as stream:
                for line in stream:
                    if line.endswith(b"\n"):
                        record = parse_json(line)
                        self._places[str(record["id"]), record.get("input_digest", "")] = (number, offset)
                    offset += len(line)

    def left(self, directory: Path) -> int:
        """How many records of a directory's files nobody has found."""
        inside = {number for number, path in enumerate(self._files) if path.is_relative_to(directory)}
        return sum(number in inside and key not in self._found for key, (number, _) in self._places.items())

    def find(self, id: str, input_digest: str) -> dict[str, Any] | None:
        if (id, input_digest) not in self._places:
            return None
        number, offset = self._places[id, input_digest]
        self._found.add((id, input_digest))
        with self._files[number].open("rb") as stream:
            stream.seek(offset)
            return parse_json(stream.readline())
