"""How relations are decoded from a language model, and what an engine cannot do of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from abroad.core.errors import InputError
from abroad.core.registry import Capability, member_of
from abroad.core.settings import Count, CountOrNone, Settings
from abroad.engines.choice import ENGINE_SETTINGS_HELP, check_engine
from abroad.engines.contrastive import check_methods
from abroad.engines.spec import DEFAULT_ENGINE, ENGINES

if TYPE_CHECKING:
    from abroad.engines.spec import EngineSpec

DECODING = "decoding.json"
"""The file of a release that says how it is decoded."""


class Decoding(Settings):
    """How relations are decoded; the defaults are the published ones but for max_new_tokens (1,024 there)."""

    former_names: ClassVar[Mapping[str, str]] = {"beams": "num_beams", "ngram_block": "no_repeat_ngram_size"}

    num_beams: Count = Field(3, description="Beams of the search; 1 is greedy.")
    max_new_tokens: Count = Field(
        512, description="Budget of a document; outputs that reach it are counted as cut off."
    )
    length_penalty: float = Field(1.5, description="Exponent of the length in beam search, as in transformers.")
    early_stopping: bool | Literal["never"] = Field("never", description="End of beam search, as in transformers.")
    force_end: bool = Field(True, description="The end token is the last of the budget.")
    no_repeat_ngram_size: CountOrNone = Field(
        0, description="Runs of so many tokens of the output come once at most; 0: no such rule."
    )
    chunk_overlap: CountOrNone = Field(
        0,
        description="Extract documents beyond the model's context in chunks that share so many tokens; 0: an error.",
    )


class GenerativeSettings(Decoding):
    """How a fine-tuned language model extracts: its decoding, and what runs it."""

    later_fields: ClassVar[frozenset[str]] = frozenset({"base", "quantization", "trained", "resolution", "images_from"})

    base: str | None = Field(None, description="Base model of an adapter, if not the one it names.")
    quantization: Literal["none", "nf4", "int8"] = Field(
        "none", description="Read the weights in 4 bits (nf4) or 8 (int8)."
    )
    batch_size: Count = Field(16, description="Rows at once; each beam is one.")
    engine: Annotated[str, member_of(ENGINES)] = Field(
        DEFAULT_ENGINE, description="What runs the language model: transformers, vllm or another with the weights."
    )
    engine_settings: dict[str, Any] = Field({}, description=ENGINE_SETTINGS_HELP)
    resolution: CountOrNone | None = Field(
        None, description="Longest side of documents' images in pixels, 0 for none; by default as it was trained."
    )
    images_from: Path | None = Field(
        None, description="Folder that relative paths of images count from; else that of the first input."
    )
    trained: bool = Field(
        False, description="The model was fine-tuned for the task, though it looks like a chat model as published."
    )

    @model_validator(mode="after")
    def _known_engine(self) -> Self:
        purpose = "extraction with a fine-tuned model"
        check_engine(self.engine, self.engine_settings, Capability.WEIGHTS, purpose)
        return self


def read_decoding(folder: Path) -> Decoding | None:
    """How a release wants to be decoded; None for any other directory.

    Raises:
        InputError: a damaged file.
    """
    path = folder / DECODING
    if not path.is_file():
        return None
    try:
        return Decoding.recorded(json.loads(path.read_text("utf-8")))
    except (ValueError, AttributeError, InputError):
        raise InputError(f"{path}: expected JSON with the settings of decoding") from None


def check_decoding(decoding: Decoding, spec: EngineSpec) -> None:
    """Check that an engine can decode like this.

    Raises:
        InputError: A method of the engine would be left out silently, or cannot be had.
    """
    contrastive = Capability.CONTRASTIVE in spec.settings.uses
    speculative = Capability.SPECULATIVE in spec.settings.uses
    method = "contrastive" if contrastive else "speculative"
    check_methods(spec.settings)
    if spec.settings.uses and decoding.num_beams > 1:
        raise InputError(f"{method} decoding has no beam search: expected --num-beams 1, found {decoding.num_beams}")
    if speculative and decoding.no_repeat_ngram_size:
        raise InputError("speculative decoding has no n-gram block: expected no_repeat_ngram_size 0")
    if decoding.num_beams > 1 and Capability.BEAMS not in spec.capabilities:
        raise InputError(
            f"the engine {spec.name} has no beam search: expected --num-beams 1, found {decoding.num_beams}"
        )
    if decoding.no_repeat_ngram_size and Capability.NGRAM_BLOCK not in spec.capabilities:
        raise InputError(f"the engine {spec.name} has no n-gram block: expected no_repeat_ngram_size 0")
