"""Fine-tuning from files to an adapter: `abroad train` and `abroad run` call the same function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.context import Context
from abroad.core.field import find_field
from abroad.documents.inputs import read_documents_of
from abroad.documents.instructions import read_training_set
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
    examples = [item for path in training_sets for item in read_training_set(path, context, field)]
    held_out = [] if validation is None else read_documents_of(field, validation, context)
    return train(examples, held_out, settings, out, context)
