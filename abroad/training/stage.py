"""Fine-tuning from files to an adapter: `abroad train` and `abroad run` call the same function."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from abroad.core.context import Context
from abroad.documents.inputs import read_documents
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

    examples = [item for path in training_sets for item in read_training_set(path, context)]
    held_out = read_documents(validation, context) if validation is not None else []
    return train(examples, held_out, settings, out, context)
