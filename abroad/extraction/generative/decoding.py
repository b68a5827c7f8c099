"""How relations are decoded from a language model, and what an engine cannot do of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from abroad.core.errors import InputError
from abroad.core.registry import Capability

if TYPE_CHECKING:
    from abroad.engines.spec import EngineSpec

DECODING = "decoding.json"
"""The file of a release that says how it is decoded."""


@dataclass(frozen=True)
class Decoding:
    """How relations are decoded; the defaults are the published ones but for max_new_tokens (1,024 there).

    Attributes:
        beams: 1 is greedy.
        max_new_tokens: budget of a document; outputs that reach it are counted as cut off.
        length_penalty: of beam search, as in transformers.
        early_stopping: of beam search, as in transformers.
        force_end: the end token is the last of the budget.
        ngram_block: runs of so many tokens of the output come once at most; 0: no such rule.
        chunk_overlap: a document beyond the context goes in chunks that share so many tokens, and their relations
            are merged; 0 makes it an error.
    """

    beams: int = 3
    max_new_tokens: int = 512
    length_penalty: float = 1.5
    early_stopping: bool | Literal["never"] = "never"
    force_end: bool = True
    ngram_block: int = 0
    chunk_overlap: int = 0


def read_decoding(folder: Path) -> Decoding | None:
    """How a release wants to be decoded; None for any other directory.

    Raises:
        InputError: a damaged file.
    """
    path = folder / DECODING
    if not path.is_file():
        return None
    try:
        return Decoding(**json.loads(path.read_text("utf-8")))
    except (ValueError, TypeError):
        raise InputError(f"{path}: expected JSON with the settings of decoding") from None


def check_decoding(decoding: Decoding, spec: EngineSpec) -> None:
    """Check that an engine can decode like this.

    Raises:
        InputError: A method of the engine would be left out silently, or cannot be had.
    """
    contrastive = Capability.CONTRASTIVE in spec.settings.uses
    speculative = Capability.SPECULATIVE in spec.settings.uses
    method = "contrastive" if contrastive else "speculative"
    if contrastive and speculative:
        raise InputError("contrastive and speculative decoding do not go together: set amateur or draft, not both")
    if spec.settings.uses and decoding.beams > 1:
        raise InputError(f"{method} decoding has no beam search: expected --beams 1, found {decoding.beams}")
    if speculative and decoding.ngram_block:
        raise InputError("speculative decoding has no n-gram block: expected ngram_block 0")
    if decoding.beams > 1 and Capability.BEAMS not in spec.capabilities:
        raise InputError(f"the engine {spec.name} has no beam search: expected --beams 1, found {decoding.beams}")
    if decoding.ngram_block and Capability.NGRAM_BLOCK not in spec.capabilities:
        raise InputError(f"the engine {spec.name} has no n-gram block: expected ngram_block 0")
