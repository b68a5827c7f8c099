"""Documents or predictions: what the records of a file of JSON are, told by their fields.

Both have ids and relations, so that either would be read as the other, all its relations set aside, and score nothing.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_records
from abroad.core.record_fields import ABSTRACT, TITLE, find_field

DOCUMENTS, PREDICTIONS = "documents", "predictions"
_LOOKED_AT = 50
"""Records at the beginning of a file."""
_ENTITIES = ("organisms", "chemicals", "entities")


def kind_of_record(record: Any) -> str | None:
    """What a record is; None where it could be either, or neither."""
    if not isinstance(record, dict):
        return None
    relations = record.get("relations")
    if not isinstance(relations, list):
        return DOCUMENTS if _has_text(record) else None
    if any(isinstance(relation, list | tuple) for relation in relations):
        return DOCUMENTS
    if "error" in record or any(isinstance(relation, dict) and "organism" in relation for relation in relations):
        return PREDICTIONS
    return DOCUMENTS if _has_text(record) or any(isinstance(record.get(name), list) for name in _ENTITIES) else None


def kind_of_file(path: Path) -> str | None:
    """What the first records of a file of JSON are, if all are the same.

    Raises:
        InputError: the file cannot be read.
    """
    kinds = {kind_of_record(record) for _, _, record in islice(read_records(path, Context()), _LOOKED_AT)} - {None}
    return kinds.pop() if len(kinds) == 1 else None


def expect(kind: str, path: Path, what: str) -> None:
    """Raise where the records of a file of JSON are of the other kind.

    Raises:
        InputError: says what they are, and that `what` was expected.
    """
    found = kind_of_file(path)
    if found not in (kind, None):
        raise InputError(f"{path}: {found}, and no {kind}; expected {what}")


def _has_text(record: dict[str, Any]) -> bool:
    return any(find_field(field, record) for field in (TITLE, ABSTRACT))
