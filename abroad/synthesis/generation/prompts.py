"""The prompts of a file as what is split into shards."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import short
from abroad.core.ids import is_id
from abroad.core.io import file_sha256, read_records, require_file
from abroad.core.scratch import SeenIds

_WHAT = "prompts of `abroad synth instruct`"


class PromptFile:
    """Prompt records (JSONL); those that are none, or have the id of an earlier one, are set aside."""

    name = "prompts"

    def __init__(self, path: Path) -> None:
        self._path = path
        self.nothing = f"{path}: no usable prompt record in the file"

    @cached_property
    def key(self) -> str:
        """The hash of the file.

        Raises:
            InputError: there is none.
        """
        return file_sha256(require_file(self._path, _WHAT))

    def lines(self) -> int:
        """How many lines the file has.

        Raises:
            InputError: there is none.
        """
        with require_file(self._path, _WHAT).open("rb") as stream:
            return sum(1 for _ in stream)

    def records(self, context: Context) -> Iterator[dict[str, Any]]:
        """The usable records, in the order of the file."""
        with SeenIds() as seen:
            for where, _, record in read_records(self._path, context):
                if not isinstance(record, dict) or not isinstance(record.get("prompt"), str) or "id" not in record:
                    context.rejects.add(where, "expected a prompt record with 'id' and 'prompt'")
                elif not is_id(record["id"]):
                    reason = f"expected a text or a whole number as 'id', found {short(record['id'])}"
                    context.rejects.add(where, reason)
                elif seen.add(str(record["id"])) is not None:
                    context.rejects.add(where, f"the id {record['id']!r} stands twice; the first is kept")
                else:
                    yield record
