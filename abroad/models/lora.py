"""The LoRA adapter of a loaded model: drawn from a seed, the same with or without the training that follows."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from abroad.core.errors import InputError, MissingDependencyError
from abroad.models.backend import import_transformers
from abroad.models.initial import initial_matrix


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


@dataclass(frozen=True)
class LoraShape:
    """What decides an adapter before it is trained.

    Attributes:
        rank: of its matrices.
        alpha: its scale times the rank.
        dropout: of what goes into it.
        seed: of its first weights.
        targets: the layers whose names end like this; empty for every linear layer but the output layer.
    """

    rank: int
    alpha: int
    dropout: float
    seed: int
    targets: Sequence[str] = ()


def add_lora(model: Any, shape: LoraShape) -> Any:
    """Add an adapter: to every linear layer but the output layer (BioGPT: q, k, v, out, fc1, fc2), or its targets.

    The same seed gives the same weights, whatever device and precision the model has (`abroad.models.initial`);
    without weights (on the meta device) it gets none.

    Raises:
        InputError: the model has no such layer.
    """
    import torch

    model = _with_lora(model, shape)
    with torch.no_grad():
        for name, value in trainable(model):
            if not value.is_meta:
                drawn = initial_matrix(shape.seed, peft_name(name), tuple(value.shape))
                value.copy_(torch.from_numpy(drawn).to(value.device, value.dtype))
    return model


def _with_lora(model: Any, shape: LoraShape) -> Any:
    """The adapter as peft draws it: all matrices in one go."""
    names = {name.rpartition(".")[2] for name, _ in model.named_modules()}
    if unknown := [target for target in shape.targets if target.rpartition(".")[2] not in names]:
        linear = sorted({n.rpartition(".")[2] for n, module in model.named_modules() if hasattr(module, "in_features")})
        raise InputError(f"lora_targets: the model has no layer {unknown[0]!r}; expected some of: {', '.join(linear)}")
    peft = import_peft()
    import_transformers()[0].set_seed(shape.seed)
    config = peft.LoraConfig(
        r=shape.rank,
        lora_alpha=shape.alpha,
        lora_dropout=shape.dropout,
        target_modules=_targets(model, shape.targets),
        task_type="CAUSAL_LM",
    )
    with warnings.catch_warnings():
        # of an output layer that shares its weights with the embeddings (BioGPT): `load_model` parts them to merge
        warnings.filterwarnings("ignore", message=".*tie_word_embeddings.*")
        return peft.get_peft_model(model, config)


def _targets(model: Any, targets: Sequence[str]) -> list[str] | str:
    """The layers that get an adapter, as peft takes them: of a model that reads images those of its language model."""
    part = language_part(model)
    if not part:
        return list(targets) or "all-linear"
    inner = model.get_submodule(part)
    linear = {name.rpartition(".")[2] for name, module in inner.named_modules() if hasattr(module, "in_features")}
    ends = "|".join(re.escape(end) for end in (targets or sorted(linear)))
    return rf"(?:.*\.)?{re.escape(part)}\.(?:.*\.)?(?:{ends})"


def language_part(model: Any) -> str:
    """Name of the language model within a model that reads images; empty of one that reads text only."""
    if not getattr(model.config, "vision_config", None):
        return ""
    decoder = model.get_decoder()
    return next(name for name, module in model.named_modules() if module is decoder)


def draw_former(empty: Any, drawn: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Initial weights (float32) by the names peft stores, as earlier versions drew them: by torch, in one go.

    Args:
        empty: the base model without its weights, on the meta device, in the precision that training had; the
            adapter stays on it.
        drawn: seed, lora_rank, lora_alpha and lora_dropout, as training recorded them.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer

    kind: Any = BaseTunerLayer  # one of its methods sees each matrix as it was drawn
    move, drawn_by = kind._move_adapter_to_device_of_base_layer, {}

    def look(layer: Any, adapter: str, device: Any = None) -> None:
        # as drawn, rounded to the base's precision; from here on it goes to where there are no values
        dtype = layer.get_base_layer().weight.dtype
        parts = {part: getattr(layer, part)[adapter].weight.detach() for part in ("lora_A", "lora_B")}
        drawn_by[layer] = {part: value.to(dtype).float().numpy() for part, value in parts.items()}
        move(layer, adapter, device)

    kind._move_adapter_to_device_of_base_layer = look
    try:
        figures = (drawn["lora_rank"], drawn["lora_alpha"], drawn["lora_dropout"], drawn["seed"])
        model = _with_lora(empty, LoraShape(*figures, drawn.get("lora_targets") or ()))
    finally:
        kind._move_adapter_to_device_of_base_layer = move
    layers = ((name, drawn_by[layer]) for name, layer in model.named_modules() if layer in drawn_by)
    return {f"{name}.{part}.weight": value for name, parts in layers for part, value in parts.items()}


def trainable(model: Any) -> Iterator[tuple[str, Any]]:
    """Names and parameters that are trained."""
    return ((name, value) for name, value in model.named_parameters() if value.requires_grad)


def peft_names(tensors: dict[str, Any]) -> dict[str, Any]:
    """Tensors by the names that peft stores."""
    return {peft_name(name): value for name, value in tensors.items()}


def peft_name(name: str) -> str:
    """A name as peft stores it: without the name of the adapter."""
    return name.replace(".default.", ".")
