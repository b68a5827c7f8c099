"""Position interpolation (Chen et al., arXiv 2306.15595): a longer context for models with rotary positions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.io import write_json

_FILE = "abroad_model.json"


def interpolate(config: Any, factor: float, name: str) -> None:
    """Stretch the context of a model's config by `factor`: positions are divided by it.

    Raises:
        InputError: the model has learned positions (BioGPT, GPT-2), which cannot be stretched.
    """
    if factor == 1:
        return
    if factor < 1:
        raise InputError(f"rope_factor {factor}: expected 1 or more")
    text = config.get_text_config()
    text.rope_parameters = stretched(text, factor, name)
    text.max_position_embeddings = int(text.max_position_embeddings * factor)


def stretched(config: Any, factor: float, name: str) -> dict[str, Any]:
    """The rotary parameters of a text model's config, their positions divided by `factor`.

    Models with several kinds of layers (Gemma 3: full attention, and attention within a window) have parameters for
    each kind, and each is stretched.

    Raises:
        InputError: the model has learned positions, or such as are scaled already in another way.
    """
    parameters = getattr(config, "rope_parameters", None)
    if not parameters:
        raise InputError(
            f"{name}: a {config.model_type} model has learned positions, which cannot be interpolated; "
            "leave rope_factor at 1 and extract long documents in chunks (chunk_overlap)"
        )
    by_kind = all(isinstance(value, dict) for value in parameters.values())
    if by_kind:
        return {kind: _linear(values, factor, f"{name}: {kind}") for kind, values in parameters.items()}
    if any(isinstance(value, dict) for value in parameters.values()):
        raise InputError(f"{name}: its rotary parameters are of a form that is not known; leave rope_factor at 1")
    return _linear(parameters, factor, name)


def _linear(parameters: dict[str, Any], factor: float, name: str) -> dict[str, Any]:
    if parameters.get("rope_type", "default") not in ("default", "linear"):
        raise InputError(f"{name}: positions are scaled already ({parameters['rope_type']}); leave rope_factor at 1")
    earlier = float(parameters.get("factor", 1.0)) if parameters.get("rope_type") == "linear" else 1.0
    return {**parameters, "rope_type": "linear", "factor": earlier * factor}


def write_factor(adapter: Path, factor: float) -> None:
    """Note beside an adapter the factor its base model was trained with."""
    write_json(adapter / _FILE, {"rope_factor": factor})


def read_factor(adapter: Path | None) -> float:
    """The factor noted beside an adapter; 1 if there is none."""
    path = adapter / _FILE if adapter is not None else None
    if path is None or not path.is_file():
        return 1.0
    try:
        return float(json.loads(path.read_text("utf-8"))["rope_factor"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: expected JSON with a number rope_factor") from None
