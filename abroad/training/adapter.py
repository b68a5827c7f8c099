"""A model made ready for training: what is frozen, what is checkpointed, and its adapter."""

from __future__ import annotations

from typing import Any

from abroad.models.lora import add_lora, import_peft
from abroad.training.dropout import add_residual_dropout
from abroad.training.settings import TrainSettings


def with_adapter(model: Any, settings: TrainSettings) -> Any:
    """Make a loaded model ready for training, and add its adapter."""
    if settings.quantization != "none":
        model = import_peft().prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    return add_adapter(model, settings)


def add_adapter(model: Any, settings: TrainSettings) -> Any:
    """Add the adapter to a model whose weights are as they will be in training, without values or with them."""
    model.config.use_cache = False
    if settings.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    # the adapter is drawn now, after all else that draws: compression draws it again from the seed alone
    model = add_lora(model, settings.lora_shape)
    if settings.residual_dropout:
        add_residual_dropout(model, settings.residual_dropout)
    return model
