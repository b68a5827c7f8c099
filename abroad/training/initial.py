"""The adapter as it is drawn before training: the same for the same seed, with or without the training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from abroad.training.settings import TrainSettings
from abroad.training.state import trainable


def draw_adapter(base: str, fields: dict[str, Any]) -> dict[str, np.ndarray]:
    """Initial weights (float32) by the names peft stores them under.

    Args:
        base: name or path of the base model.
        fields: of `TrainSettings` that shape an adapter: seed, lora_rank, lora_alpha, lora_dropout, rope_factor.
    """
    from abroad.models import load_model, resolve_model
    from abroad.training.train import peft_names, with_adapter

    settings = replace(TrainSettings(model=base), **fields)
    model = with_adapter(load_model(resolve_model(base), rope_factor=settings.rope_factor), settings)
    return {name: value.detach().float().cpu().numpy() for name, value in peft_names(dict(trainable(model))).items()}
