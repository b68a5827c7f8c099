"""Documents and relations as token ids: `text</s><s>relations</s>`, never cut."""

from __future__ import annotations

from typing import Any

from abroad.core.schema import Document
from abroad.extraction.generative.notation import Notation


def encode_prompt(tokenizer: Any, text: str) -> tuple[int, ...]:
    """The token ids a model continues with relations: text, end token, begin token.

    The text is encoded as plain text: a literal "</s>" in an abstract does not
    become a special token. What the tokenizer itself puts before a text stays
    (BioGPT: `</s>`, LLaMA: `<s>`).
    """
    ids = tokenizer(text.strip(), add_special_tokens=True, split_special_tokens=True)["input_ids"]
    while ids and ids[-1] == tokenizer.eos_token_id:
        ids = ids[:-1]
    begin = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    return (*ids, tokenizer.eos_token_id, begin)


def encode_target(tokenizer: Any, document: Document, notation: Notation | None = None) -> tuple[int, ...]:
    """The token ids of a document's relations, by default of the built-in field, with the end token."""
    return encode_answer(tokenizer, (notation or Notation()).write(document))


def encode_answer(tokenizer: Any, text: str) -> tuple[int, ...]:
    """The token ids of an answer with the end token."""
    ids = tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return (*ids, tokenizer.eos_token_id)
