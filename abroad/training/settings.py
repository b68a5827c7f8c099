"""Settings of a fine-tuning run; plain values, so that reading a config needs no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrainSettings:
    """Defaults are the published ones for BioGPT (Delmas et al. 2024) but for the epochs and warm-up of small sets.

    Attributes:
        model: name or path of the base model, as `abroad.models` resolves it.
        batch_size, accumulation: examples a forward pass, and passes an update.
        lora_rank, lora_alpha, lora_dropout: of the adapter (arXiv 2106.09685).
        quantization: "none", or "nf4" for QLoRA on CUDA.
        max_length: tokens of text and relations; longer documents are set aside.
        shuffles: examples made of a document, each with its relations in another order.
        validation_tokens: budget of new tokens a document when F1 is measured.
    """

    model: str = "smollm2-135m"
    epochs: int = 15
    learning_rate: float = 1e-4
    batch_size: int = 16
    accumulation: int = 5
    warmup_steps: int = 100
    lora_rank: int = 8
    lora_alpha: int = 16
    lora_dropout: float = 0.05
    weight_decay: float = 0.0
    quantization: str = "none"
    gradient_checkpointing: bool = False
    max_length: int = 2048
    shuffles: int = 1
    validation_tokens: int = 256
    seed: int = 0
