"""Instruction sets: a task with its input and answer; JSONL files of them, or of documents, to train on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field, built_in_field
from abroad.core.ids import is_missing, read_id
from abroad.core.io import read_records
from abroad.core.schema import Document
from abroad.documents.inputs import read_documents_of


@dataclass(frozen=True)
class Task:
    """An instruction with its answer, to train on.

    Attributes:
        kind: one of `abroad.synthesis.tasks.kinds.kinds()`, or "generated".
        input: what the instruction is about: a text, or the words of a question.
        source: id of the document it was made of; empty for a generated one.
        origin: the source of that document, where there are several.
    """

    id: str
    kind: str
    instruction: str
    input: str
    output: str
    source: str = ""
    origin: str = ""

    @property
    def text(self) -> str:
        """What a model reads of it; of extraction it is the text alone, as of a document."""
        return self.input if self.kind == "extract" else f"{self.input}\n{self.instruction}".strip()

    def to_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "origin" or value}

    @classmethod
    def from_dict(cls, record: Any) -> Task:
        """Check one record of an instruction set; `kind` and `source` may be missing.

        Raises:
            InputError: names the field and what was expected.
        """
        if not isinstance(record, dict):
            raise InputError("expected an object with instruction, input and output")
        for name in ("instruction", "output"):
            if not isinstance(record.get(name), str) or not record[name].strip():
                raise InputError(f"expected a non-empty string in {name}")
        if not isinstance(record.get("input", ""), str):
            raise InputError("expected a string in input")
        fields = {name: str(record.get(name) or "") for name in ("instruction", "input", "output", "origin")}
        for name in ("id", "source"):
            fields[name] = "" if is_missing(record.get(name)) else read_id(record[name], f"'{name}'")
        return cls(kind=str(record.get("kind") or "generated"), **fields)


def read_training_set(path: str | Path, context: Context, field: Field | None = None) -> list[Document | Task]:
    """Documents, or the tasks of an instruction set, told by the first record.

    Args:
        field: that documents must be of; natural products without it.
    Raises:
        InputError: the file cannot be read, holds nothing usable, or documents of another field.
    """
    first = next(read_records(path, Context()), None)
    if first is None or not isinstance(first[2], dict) or "instruction" not in first[2]:
        return [*read_documents_of(field or built_in_field(), path, context)]
    tasks: list[Document | Task] = []
    for where, _, record in read_records(path, context):
        try:
            tasks.append(Task.from_dict(record))
        except InputError as error:
            context.rejects.add(where, str(error))
    if not tasks:
        raise InputError(f"{path}: no usable task in the file")
    return tasks
