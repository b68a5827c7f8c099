"""Name or path of a model -> files that can be loaded: GGUF converted, compressed adapters made whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from abroad.core.cache import cache_directory
from abroad.models.adapters import decompressed
from abroad.models.gguf import converted
from abroad.models.hub import is_hub_name, require
from abroad.models.load import empty_model
from abroad.models.lora import draw_former
from abroad.models.source import COMPRESSED, ModelSource, base_of_adapter, describe_model


def resolve_model(name: str, base: str | None = None) -> ModelSource:
    """Find a model by name or path (`abroad.models.source` lists what may be named) and make it ready to load.

    Args:
        base: replaces the base model that an adapter directory names.
    Returns:
        directories of safetensors, or a hub name.
    Raises:
        InputError: the path is not a model, a packaged model is not installed, or a compressed adapter is damaged.
        AbroadError: there is no way to the hub, and the model is not in the cache.
    """
    source = describe_model(name, base)
    if is_hub_name(source.base):
        require(source.base)
    adapter = source.adapter
    if adapter is not None and (adapter / COMPRESSED).is_file():
        adapter = decompressed(adapter, cache_directory(), _initial_adapter)
    loadable = str(converted(Path(source.base))) if Path(source.base).suffix == ".gguf" else source.base
    return ModelSource(loadable, adapter)


def _initial_adapter(folder: Path, drawn: dict[str, Any]) -> dict[str, np.ndarray]:
    """The adapter that one compressed by an earlier version was trained from, drawn again for the base's shapes."""
    source = resolve_model(base_of_adapter(folder))
    return draw_former(empty_model(source, drawn["rope_factor"]), drawn)
