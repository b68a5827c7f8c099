"""Attention of a causal model on a text: of every layer and head, between tokens or between words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from abroad.core.errors import InputError

_WORD = re.compile(r"\S+")


@dataclass(frozen=True)
class Encoded:
    """A text as tokens.

    Attributes:
        before: ids that the tokenizer puts before any text (a begin token).
        ids: of the text alone.
        spans: offsets of each token in the text.
    """

    text: str
    before: tuple[int, ...]
    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def words(self) -> list[str]:
        return _WORD.findall(self.text)

    def word_of_token(self) -> list[int]:
        """Index of the word that each token belongs to; a token over two words belongs to the later one."""
        starts = [match.start() for match in _WORD.finditer(self.text)]
        places, word = [], 0
        for start, end in self.spans:
            while word + 1 < len(starts) and starts[word + 1] < max(end, start + 1):
                word += 1
            places.append(word)
        return places

    def tokens_in(self, start: int, end: int) -> list[int]:
        """Indices of the tokens that a stretch of the text touches."""
        return [n for n, (first, last) in enumerate(self.spans) if first < end and last > start]


def encode_text(tokenizer: Any, text: str) -> Encoded:
    """Tokens with their places; tokenizers that do not tell places read the text word by word."""
    before = tuple(_plain(tokenizer, "", special=True))
    while before and before[-1] == tokenizer.eos_token_id and len(before) > 1:
        before = before[:-1]  # an end token that the tokenizer puts after a text
    if getattr(tokenizer, "is_fast", False):
        found = tokenizer(text, add_special_tokens=False, split_special_tokens=True, return_offsets_mapping=True)
        return Encoded(text, before, tuple(found["input_ids"]), tuple(map(tuple, found["offset_mapping"])))
    ids: list[int] = []
    spans: list[tuple[int, int]] = []
    for match in _WORD.finditer(text):
        pieces = _plain(tokenizer, match.group(), special=False)
        ids += pieces
        spans += [match.span()] * len(pieces)
    return Encoded(text, before, tuple(ids), tuple(spans))


def _plain(tokenizer: Any, text: str, special: bool) -> list[int]:
    return list(tokenizer(text, add_special_tokens=special, split_special_tokens=True)["input_ids"])


def token_attention(model: Any, ids: Sequence[int]) -> Any:
    """Attention of all layers and heads, array (layers, heads, tokens, tokens) of float32; rows sum to 1.

    Args:
        model: loaded with, or set to, attn_implementation="eager": other implementations never hold the matrix.
    Raises:
        InputError: a model without attention.
    """
    import numpy as np
    import torch

    with torch.inference_mode():
        found = model(
            input_ids=torch.tensor([list(ids)], device=model.device), output_attentions=True, use_cache=False
        ).attentions
    if not found or any(layer is None for layer in found):
        raise InputError("the model gives no attention to look at")
    return np.stack([layer[0].float().cpu().numpy() for layer in found])


def word_attention(attention: Any, word_of_token: Sequence[int]) -> Any:
    """Attention between words of that between their tokens.

    What a word looks at is the mean over its tokens; what is looked at in a word is the sum over its tokens (the
    convention of Clark et al. 2019, https://arxiv.org/abs/1906.04341, section 4.1; assumed to be the study's too).
    Rows are normalised anew where the tokens are a part of what the model read (a prefix, a begin token).

    Args:
        attention: (layers, heads, tokens, tokens) of the text's tokens.
    Returns:
        (layers, heads, words, words), lower triangular.
    """
    import numpy as np

    words = max(word_of_token) + 1
    member = np.zeros((len(word_of_token), words), dtype=np.float32)
    member[np.arange(len(word_of_token)), word_of_token] = 1
    member = member[:, member.sum(axis=0) > 0]
    summed = (member / member.sum(axis=0)).T @ attention @ member
    return summed / np.maximum(summed.sum(axis=-1, keepdims=True), 1e-12)
