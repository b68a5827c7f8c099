"""transformers and torch: imported when asked for, and kept quiet."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from abroad.core.errors import MissingDependencyError


def import_transformers() -> tuple[Any, Any]:
    """Import (transformers, torch), or say how to install them.

    Raises:
        MissingDependencyError: the `train` extra is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingDependencyError(error.name or "transformers", "train", "a language model") from None
    # peft imports bitsandbytes, which notes at every start that a kernel nobody asked for is missing.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    return transformers, torch


@contextlib.contextmanager
def quiet_loading() -> Any:
    """Silence transformers' weight-loading bars and notes; ours say what is going on."""
    transformers, _ = import_transformers()
    notes = transformers.utils.logging
    verbosity = notes.get_verbosity()
    notes.set_verbosity_error()
    notes.disable_progress_bar()
    try:
        yield
    finally:
        notes.set_verbosity(verbosity)
        notes.enable_progress_bar()
