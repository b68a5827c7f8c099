"""What `abroad teach` can be told beside how the model is asked."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from abroad.core.settings import Count, NotNegative, Positive, PositiveShare, Settings, Share


class TeachSettings(Settings):
    """How often a teacher is asked, what is believed, and what may be spent."""

    style: str = Field(
        "instruct", description="Prompts are classic (short, as published), instruct, or cot (in four steps)."
    )
    passes: Annotated[int, Field(ge=2)] = Field(2, description="Independent labellings of each document.")
    vary: Literal["examples", "samples"] = Field(
        "examples",
        description="What differs between them: examples (each pass has its own), or samples (--temperature above 0). "
        "Of a fine-tuned model the first pass is its own decoding, and the others are samples.",
    )
    min_agreement: PositiveShare = Field(
        0.5, description="Documents whose passes agree less (mean F1 of one to another) are no silver."
    )
    min_confidence: Share = Field(
        0.0,
        description="Documents whose decoding a fine-tuned model gives less (geometric mean of its tokens' "
        "probabilities) are no silver.",
    )
    keep: PositiveShare = Field(0.5, description="Share of a document's relations that --rank leaves.")
    price_in: NotNegative = Field(0.0, description="Price of a million tokens of prompts.")
    price_out: NotNegative = Field(0.0, description="Price of a million tokens of answers.")
    budget: Positive | None = Field(None, description="Money to spend at most, in the currency of the prices.")
    budget_tokens: Count | None = Field(None, description="Tokens to spend at most, prompts and answers together.")

    @model_validator(mode="after")
    def _priced(self) -> Self:
        if self.budget is not None and not (self.price_in or self.price_out):
            raise ValueError("a budget in money takes prices: price_in, price_out, or budget_tokens instead")
        return self
