"""Settings of a fine-tuning run; plain values, so that reading a config needs no torch."""

from __future__ import annotations

from dataclasses import dataclass

SPIKE_POLICIES = ("continue", "skip", "rollback")


@dataclass(frozen=True)
class TrainSettings:
    """Defaults are the published ones for BioGPT (Delmas et al. 2024) but for the epochs and warm-up of small sets.

    Attributes:
        model: name or path of the base model, as `abroad.models` resolves it.
        batch_size, accumulation: examples a forward pass of one process, and passes an update.
        adam_betas, weight_decay, max_grad_norm: of AdamW; the learning rate falls linearly to zero.
        lora_rank, lora_alpha, lora_dropout: of the adapter (arXiv 2106.09685).
        residual_dropout: dropout on what each block adds, rising linearly from 0 to this over the depth (LIMA).
        quantization: "none", or "nf4" for QLoRA.
        max_length: tokens of text and relations; longer documents are set aside.
        pack: several examples share one row of `max_length` tokens; none sees another.
        rope_factor: position interpolation: the context becomes this many times as long (RoPE models only).
        shuffles: examples made of a document, each with its relations in another order.
        validation_tokens: budget of new tokens a document when F1 is measured.
        checkpoint_every: updates between states that a killed run goes on from, and that a roll-back returns to.
        keep_every: epochs between adapters that are kept in `checkpoints/`; 0 keeps the best one only.
        spike_policy: what follows a loss spike: "continue", "skip" the update, or "rollback" and leave the batch out.
        spike_window, spike_zscore: a spike is so many standard deviations above the mean of so many updates.
    """

    model: str = "smollm2-135m"
    epochs: int = 15
    learning_rate: float = 1e-4
    batch_size: int = 16
    accumulation: int = 5
    warmup_steps: int = 100
    adam_betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    lora_rank: int = 8
    lora_alpha: int = 16
    lora_dropout: float = 0.05
    residual_dropout: float = 0.0
    quantization: str = "none"
    gradient_checkpointing: bool = False
    max_length: int = 2048
    pack: bool = False
    rope_factor: float = 1.0
    shuffles: int = 1
    validation_tokens: int = 256
    checkpoint_every: int = 50
    keep_every: int = 1
    spike_policy: str = "continue"
    spike_window: int = 32
    spike_zscore: float = 6.0
    seed: int = 0
