"""Fine-tuning from files to an adapter: `abroad train` and `abroad run` call the same function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.context import Context
from abroad.core.field import Field, built_in_field, find_field
from abroad.core.schema import Document
from abroad.documents.images import located
from abroad.documents.inputs import read_documents_of
from abroad.documents.instructions import Task, read_training_set
from abroad.training.settings import TrainSettings

if TYPE_CHECKING:
    from abroad.training.train import TrainReport


def train_stage(
    training_sets: Sequence[Path], validation: Path | None, out: Path, settings: TrainSettings, context: Context
) -> TrainReport:
    """Train an adapter on documents and instruction sets, joined, and write it to the folder `out`.

    Args:
        validation: documents that the best checkpoint is chosen by; without any it is the last.
    Raises:
        InputError: a file that cannot be read, no document that fits, or a model that cannot be loaded.
    """
    from abroad.training.train import train

    field = find_field(settings.field)
    examples = [item for path in training_sets for item in read_examples(path, context, field)]
    held_out = read_held_out(validation, context, field)
    return train(examples, held_out, settings, out, context)


def read_examples(path: Path, context: Context, field: Field | None = None) -> list[Document | Task]:
    """`read_training_set`, whose documents' images count from the folder of the file.

    Raises:
        InputError: likewise.
    """
    folder = _folder(path)
    items = read_training_set(path, context, field)
    return [located(item, folder) if isinstance(item, Document) else item for item in items]


def read_held_out(path: Path | None, context: Context, field: Field | None = None) -> list[Document]:
    """Documents for validation, likewise; none without a file."""
    if path is None:
        return []
    return [located(item, _folder(path)) for item in read_documents_of(field or built_in_field(), path, context)]


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent
