"""How relations are decoded from a language model, and what an engine cannot do of it."""

from __future__ import annotations

from dataclasses import dataclass

from abroad.core.errors import InputError
from abroad.engines.spec import EngineSettings, VllmSettings


@dataclass(frozen=True, slots=True)
class Decoding:
    """How relations are decoded; the defaults are the published ones but for max_new_tokens (1,024 there).

    Attributes:
        beams: 1 is greedy.
        max_new_tokens: budget of a document; outputs that reach it are counted as cut off.
        length_penalty, early_stopping: of beam search, as in transformers.
        force_end: the end token is the last of the budget.
        ngram_block: runs of so many tokens of the output come once at most; 0: no such rule.
        chunk_overlap: a document beyond the context goes in chunks that share so many tokens, and their relations
            are merged; 0 makes it an error.
    """

    beams: int = 3
    max_new_tokens: int = 512
    length_penalty: float = 1.5
    early_stopping: bool | str = "never"
    force_end: bool = True
    ngram_block: int = 0
    chunk_overlap: int = 0


def check_decoding(decoding: Decoding, settings: EngineSettings) -> None:
    """Raises: InputError where a method of the engine would be left out silently, or cannot be had."""
    draft, amateur = getattr(settings, "draft", None), getattr(settings, "amateur", None)
    contrastive = amateur is not None or getattr(settings, "amateur_keeps", None) is not None
    method = "contrastive" if contrastive else "speculative"
    if contrastive and draft is not None:
        raise InputError("contrastive and speculative decoding do not go together: set amateur or draft, not both")
    if (contrastive or draft is not None) and decoding.beams > 1:
        raise InputError(f"{method} decoding has no beam search: expected --beams 1, found {decoding.beams}")
    if draft is not None and decoding.ngram_block:
        raise InputError("speculative decoding has no n-gram block: expected ngram_block 0")
    if isinstance(settings, VllmSettings) and (decoding.beams > 1 or decoding.ngram_block):
        raise InputError("the engine vllm has neither beam search nor n-gram block: expected --beams 1, ngram_block 0")
