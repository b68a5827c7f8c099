"""QuickStatements of what was extracted, and a word on what is not among them: the last step of `abroad extract`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from abroad.core.context import Context
from abroad.core.schema import Document, Prediction
from abroad.linking.quickstatements import write_quickstatements
from abroad.sources.name_index import NameIndex


def write_statements(
    path: Path, parts: Iterable[tuple[Sequence[Document], Sequence[Prediction]]], names: NameIndex, context: Context
) -> None:
    """Write what Wikidata lacks, and say how many relations are left out and why.

    Args:
        parts: documents with their predictions, some at a time.
    """
    report = write_quickstatements(path, parts, names)
    context.say(
        f"{path}: {report.written} statements; {report.known} known already, {report.disputed} "
        f"disputed, {report.without_item} without a Wikidata item of both sides, {report.without_reference} "
        "without a reference"
    )
