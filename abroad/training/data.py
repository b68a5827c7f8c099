"""Documents as training examples: the loss falls on the relations only, and no text is cut."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from abroad.extraction.encode import encode_prompt, encode_target
from abroad.io import Rejects
from abroad.schema import Document

IGNORED = -100
"""Label of a token that takes no part in the loss (transformers' convention)."""


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids of a document's prompt and of its relations."""

    id: str
    prompt: tuple[int, ...]
    target: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.target)


def make_examples(
    documents: Iterable[Document], tokenizer: Any, max_length: int, rejects: Rejects, seed: int, shuffles: int = 1
) -> list[Example]:
    """Encode documents; one longer than `max_length` tokens is set aside, never cut.

    Args:
        shuffles: examples made of a document, its relations in another random
            order each; 1 keeps the order given.
    """
    examples = []
    for document in documents:
        for copy in range(shuffles):
            variant = document if copy == 0 else _shuffled(document, seed, copy)
            example = Example(document.id, encode_prompt(tokenizer, document.text), encode_target(tokenizer, variant))
            if len(example) > max_length:
                rejects.add(document.id, f"{len(example)} tokens with its relations, more than max_length {max_length}")
                break
            examples.append(example)
    return examples


def _shuffled(document: Document, seed: int, copy: int) -> Document:
    relations = list(document.relations)
    random.Random(f"{seed}:{document.id}:{copy}").shuffle(relations)
    return Document(
        document.id,
        document.title,
        document.abstract,
        organisms=document.organisms,
        chemicals=document.chemicals,
        relations=relations,
    )


def collate(examples: Sequence[Example], pad_id: int) -> dict[str, Any]:
    """Pad a batch on the left to its longest example.

    Left padding puts all relations at the right end, so that the model's
    largest product, hidden states times vocabulary, is needed for the last
    `kept` positions only.

    Returns:
        input_ids, attention_mask, position_ids: int64 tensors [batch, length];
        labels, shift_labels: [batch, kept], the token each of those last positions
            is followed by (transformers takes the second as already shifted).
    """
    import torch

    width = max(map(len, examples))
    kept = max(len(example.target) for example in examples) + 1
    ids, mask, following = [], [], []
    for example in examples:
        padding = width - len(example)
        ids.append([pad_id] * padding + [*example.prompt, *example.target])
        mask.append([0] * padding + [1] * len(example))
        following.append([IGNORED] * (kept - 1 - len(example.target)) + [*example.target, IGNORED])
    attention_mask = torch.tensor(mask)
    labels = torch.tensor(following)
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": attention_mask,
        "position_ids": (attention_mask.cumsum(-1) - 1).clamp(min=0),
        "labels": labels,
        "shift_labels": labels,
    }
