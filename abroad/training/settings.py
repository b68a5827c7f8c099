"""Settings of a fine-tuning run; plain values, so that reading a config needs no torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from abroad.core.settings import Count, CountOrNone, NotNegative, Positive, Seed, Settings, Share

if TYPE_CHECKING:
    from abroad.models.lora import LoraShape


class TrainSettings(Settings):
    """How an adapter is trained.

    Defaults are the published ones for BioGPT (Delmas et al. 2024) but for the epochs and warm-up of small sets.
    """

    later_fields: ClassVar[frozenset[str]] = frozenset(
        {"min_lr_rate", "lora_targets", "spike_patience", "field", "resolution", "text_share"}
    )
    former_names: ClassVar[Mapping[str, str]] = {
        "accumulation": "gradient_accumulation_steps",
        "validation_tokens": "validation_max_new_tokens",
    }

    model: str = Field("smollm2-135m", description="Base model: a name or a local path.")
    epochs: Count = Field(15, description="Times that all examples are read.")
    learning_rate: Positive = Field(1e-4, description="Learning rate of AdamW; it falls linearly.")
    min_lr_rate: Share = Field(0.0, description="Share of the learning rate that it falls to; 0.1 in LIMA.")
    batch_size: Count = Field(16, description="Examples in one forward pass of one process.")
    gradient_accumulation_steps: Count = Field(5, description="Forward passes in an update, of all processes together.")
    warmup_steps: CountOrNone = Field(100, description="Updates over which the learning rate rises.")
    adam_betas: tuple[Share, Share] = Field((0.9, 0.999), description="Decay rates of the two moments of AdamW.")
    weight_decay: NotNegative = Field(0.0, description="Weight decay of AdamW.")
    max_grad_norm: Positive = Field(1.0, description="Gradients of a greater norm are clipped to it.")
    lora_rank: Count = Field(8, description="Rank of the adapter (arXiv 2106.09685).")
    lora_alpha: Count = Field(
        16, description="Scale of the adapter: alpha / rank. With images twice the rank, if only that is given."
    )
    lora_dropout: Share = Field(0.05, description="Dropout before the adapter.")
    lora_targets: tuple[str, ...] = Field(
        (), description="Layers with an adapter, by the ends of their names; by default all linear ones but the last."
    )
    residual_dropout: Share = Field(
        0.0, description="Dropout on what the last block adds; it rises linearly from 0 over the depth (LIMA)."
    )
    quantization: Literal["none", "nf4", "int8"] = Field(
        "none", description="Keep the base model in 4 bits (nf4, QLoRA) or 8 (int8)."
    )
    gradient_checkpointing: bool = Field(False, description="Compute activations twice and keep fewer of them.")
    max_length: Count = Field(2048, description="Tokens of text and relations; longer documents are set aside.")
    pack: bool = Field(False, description="Let several examples share a row of max_length tokens; none sees another.")
    resolution: CountOrNone = Field(
        0, description="Longest side of documents' images in pixels; 0 shows none. Of models that read images."
    )
    text_share: Share | None = Field(
        None, description="Share of examples without images, chosen by the seed; by default as the documents are."
    )
    rope_factor: Annotated[float, Field(ge=1)] = Field(
        1.0, description="Position interpolation: the context becomes this many times as long (RoPE models only)."
    )
    shuffles: Count = Field(1, description="Examples made of a document, each with its relations in another order.")
    validation_max_new_tokens: Count = Field(256, description="New tokens of a document when F1 is measured.")
    checkpoint_every: Count = Field(
        50, description="Updates between the states that a killed run goes on from and a roll-back returns to."
    )
    keep_every: CountOrNone = Field(
        1, description="Epochs between adapters that are kept in checkpoints/; 0 keeps the best one only."
    )
    spike_policy: Literal["continue", "skip", "rollback", "k2"] = Field(
        "continue",
        description="After a spike of the loss: go on, skip the update, roll back and leave the batch out, or (k2) do "
        "that only where it lasts. What is not finite is never stepped on.",
    )
    spike_patience: Count = Field(100, description="Updates after which a spike of the loss is malignant.")
    spike_window: Count = Field(32, description="Updates whose losses a spike is measured against.")
    spike_zscore: Positive = Field(6.0, description="Standard deviations above their mean that make a spike.")
    seed: Seed = Field(0, description="Seed of the adapter, of the order of the data and of dropout.")
    field: Path | None = Field(
        None,
        description="File of the field that is learnt, which is kept beside the adapter; null: natural products.",
    )

    @model_validator(mode="before")
    @classmethod
    def _scale_with_images(cls, values: Any) -> Any:
        """Twice the rank did best with images (arXiv 2309.09958)."""
        rank = values.get("lora_rank") if isinstance(values, Mapping) else None
        if not isinstance(rank, int) or "lora_alpha" in values or not cls._with_images(values):
            return values
        return {**values, "lora_alpha": 2 * rank}

    @classmethod
    def _with_images(cls, values: Mapping[str, Any]) -> bool:
        return bool(values.get("resolution"))

    @property
    def lora_shape(self) -> LoraShape:
        """The adapter that is trained."""
        from abroad.models.lora import LoraShape

        return LoraShape(self.lora_rank, self.lora_alpha, self.lora_dropout, self.seed, self.lora_targets)


class TrialSettings(TrainSettings):
    """How a small model is trained on small sets, which are compared with one another.

    Several trainings stand side by side and each must be done in minutes: fewer epochs, more updates of fewer
    examples, a higher rate, shorter rows. A model that is to be used is trained by `TrainSettings`.
    """

    epochs: Count = Field(5, description="Times that all examples are read.")
    learning_rate: Positive = Field(5e-4, description="Learning rate of AdamW; it falls linearly to zero.")
    batch_size: Count = Field(4, description="Examples in one forward pass of one process.")
    gradient_accumulation_steps: Count = Field(1, description="Forward passes in one update.")
    max_length: Count = Field(1024, description="Tokens of text and relations; longer documents are set aside.")
