"""The LoRA adapter of a loaded model: drawn from a seed, the same with or without the training that follows."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from abroad.core.errors import InputError, MissingDependencyError
from abroad.models.backend import import_transformers


def import_peft() -> Any:
    """Import peft, or say how to install it.

    Raises:
        MissingDependencyError: the `train` extra is not installed.
    """
    try:
        import peft
    except ImportError:
        raise MissingDependencyError("peft", "train", "fine-tuning") from None
    return peft


def add_lora(model: Any, rank: int, alpha: int, dropout: float, seed: int, targets: Sequence[str] = ()) -> Any:
    """Add an adapter to every linear layer but the output layer (BioGPT: q, k, v, out, fc1, fc2).

    The same model and seed give the same weights: compression relies on it.

    Args:
        targets: instead, the layers whose names end like this.
    Raises:
        InputError: the model has no such layer.
    """
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    if unknown := [target for target in targets if target.rpartition(".")[2] not in names]:
        linear = sorted({n.rpartition(".")[2] for n, module in model.named_modules() if hasattr(module, "in_features")})
        raise InputError(f"lora_targets: the model has no layer {unknown[0]!r}; expected some of: {', '.join(linear)}")
    peft = import_peft()
    import_transformers()[0].set_seed(seed)
    config = peft.LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=dropout,
        target_modules=list(targets) or "all-linear",
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # of an output layer that shares its weights with the embeddings (BioGPT): `load_model` parts them to merge
        warnings.filterwarnings("ignore", message=".*tie_word_embeddings.*")
        return peft.get_peft_model(model, config)


def draw_adapter(model: Any, drawn: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Initial weights (float32) by the names peft stores them under.

    Args:
        model: the base model, loaded; the adapter stays on it.
        drawn: seed, lora_rank, lora_alpha and lora_dropout, as training recorded them.
    """
    shape = (drawn["lora_rank"], drawn["lora_alpha"], drawn["lora_dropout"], drawn["seed"])
    model = add_lora(model, *shape, drawn.get("lora_targets") or ())
    return {name: value.detach().float().cpu().numpy() for name, value in peft_names(dict(trainable(model))).items()}


def trainable(model: Any) -> Iterator[tuple[str, Any]]:
    """Names and parameters that are trained."""
    return ((name, value) for name, value in model.named_parameters() if value.requires_grad)


def peft_names(tensors: dict[str, Any]) -> dict[str, Any]:
    """Names as peft stores them: without the name of the adapter."""
    return {name.replace(".default.", "."): value for name, value in tensors.items()}
