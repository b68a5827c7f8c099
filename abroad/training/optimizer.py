"""The optimizer of a training run, and its learning rate."""

from __future__ import annotations

from typing import Any

from abroad.models.lora import trainable
from abroad.training.processes import Processes
from abroad.training.settings import TrainSettings


def make_optimizer(model: Any, settings: TrainSettings, processes: Processes) -> Any:
    """AdamW; in 8 bits and paged for QLoRA in one process (bitsandbytes has none for sharded weights)."""
    import torch

    parameters = [value for _, value in trainable(model)]
    options: dict[str, Any] = {
        "lr": settings.learning_rate,
        "betas": tuple(settings.adam_betas),
        "weight_decay": settings.weight_decay,
    }
    if settings.quantization != "none" and processes.count == 1:
        import bitsandbytes

        return bitsandbytes.optim.PagedAdamW8bit(parameters, **options)
    return torch.optim.AdamW(parameters, **options)


def schedule(update: int, updates: int, warmup: int, least: float = 0.0) -> float:
    """Share of the learning rate: up to 1 over the warm-up (a fifth of all updates at most), then linearly down.

    Args:
        least: the share at the last update; without one the line ends at 0 after it.
    """
    warmup = min(warmup, updates // 5)
    if update <= warmup:
        return update / (warmup + 1)
    if least:
        return 1 - (1 - least) * (update - warmup - 1) / max(updates - warmup - 1, 1)
    return max((updates - update + 1) / max(updates - warmup, 1), 0.0)
