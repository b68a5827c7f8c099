"""Documents as training examples: the loss falls on the relations only, and no text is cut."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from abroad.core.context import Context
from abroad.core.io import file_sha256
from abroad.core.schema import Document
from abroad.documents.instructions import Task
from abroad.extraction.generative.encode import encode_answer, encode_prompt, encode_target
from abroad.extraction.generative.notation import Notation

IGNORED = -100
"""Label of a token that takes no part in the loss (transformers' convention)."""


@dataclass(frozen=True, slots=True)
class TokenisedExample:
    """Token ids of a document's prompt and of its relations.

    Attributes:
        id: of the document.
        prompt: of what the model reads, the tokens that stand for images among them.
        target: of what it writes.
        text: the prompt without those of images; empty where it has none.
        images: files of these.
    """

    id: str
    prompt: tuple[int, ...]
    target: tuple[int, ...]
    text: tuple[int, ...] = ()
    images: tuple[Path, ...] = ()

    def __len__(self) -> int:
        return len(self.prompt) + len(self.target)

    def data(self) -> list[Any]:
        """What decides the example, as JSON."""
        shown = [[file_sha256(path) for path in self.images]] if self.images else []
        return [self.prompt, self.target, *shown]


class ShowsImages(Protocol):
    """What reads images of documents (`abroad.training.images`)."""

    def encode(
        self, document: Document, prompt: tuple[int, ...], context: Context
    ) -> tuple[tuple[int, ...], tuple[Path, ...]]:
        """(the prompt with tokens for the images before it, the images' files)."""
        ...


def make_examples(
    documents: Iterable[Document | Task],
    tokenizer: Any,
    max_length: int,
    context: Context,
    seed: int,
    shuffles: int = 1,
    notation: Notation | None = None,
    images: ShowsImages | None = None,
) -> list[TokenisedExample]:
    """Encode documents and tasks; one longer than `max_length` tokens is set aside, never cut.

    A task of kind "extract" is encoded as its document would be, so that what was learnt is what is asked for.

    Args:
        shuffles: examples made of a document, its relations in another random
            order each; 1 keeps the order given.
        notation: how relations are written; by default as those of the built-in field.
        images: what shows the images of documents; None shows none.
    """
    examples, notation = [], notation or Notation()
    for document in documents:
        shown: TokenisedExample | None = None
        for copy in range(1 if isinstance(document, Task) else shuffles):
            example = _encode(document, tokenizer, f"{seed}:{document.id}:{copy}" if copy else "", notation)
            if images is not None and isinstance(document, Document):
                shown = shown or _with_images(example, document, images, context)
                example = replace(shown, target=example.target)
            if len(example) > max_length:
                context.rejects.add(
                    document.id, f"{len(example)} tokens with its relations, more than max_length {max_length}"
                )
                break
            examples.append(example)
    return examples


def _encode(item: Document | Task, tokenizer: Any, order: str, notation: Notation) -> TokenisedExample:
    if isinstance(item, Task):
        return TokenisedExample(item.id, encode_prompt(tokenizer, item.text), encode_answer(tokenizer, item.output))
    variant = _shuffled(item, order) if order else item
    return TokenisedExample(item.id, encode_prompt(tokenizer, item.text), encode_target(tokenizer, variant, notation))


def _with_images(
    example: TokenisedExample, document: Document, images: ShowsImages, context: Context
) -> TokenisedExample:
    prompt, files = images.encode(document, example.prompt, context)
    return replace(example, prompt=prompt, text=example.prompt, images=files)


def _shuffled(document: Document, order: str) -> Document:
    relations = list(document.relations)
    random.Random(order).shuffle(relations)
    return Document(
        document.id,
        document.title,
        document.abstract,
        entities=document.entities,
        relations=relations,
    )


def collate(examples: Sequence[TokenisedExample], pad_id: int) -> dict[str, Any]:
    """Pad a batch on the left to its longest example.

    Left padding puts all relations at the right end, so that the model's
    largest product, hidden states times vocabulary, is needed for the last
    `kept` positions only.

    Returns:
        input_ids: int64 tensor [batch, length].
        attention_mask: likewise.
        position_ids: likewise.
        labels: [batch, kept], the token each of the last positions is followed by.
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
    }


def collate_packed(examples: Sequence[TokenisedExample]) -> dict[str, Any]:
    """Examples side by side in one row; the mask keeps each to itself, and positions begin anew.

    Returns:
        input_ids: int64 tensor [1, length].
        position_ids: likewise.
        attention_mask: bool [1, 1, length, length], causal within each example.
        kept: int64 [targets], the positions whose logits are needed.
        labels: [1, targets].
    """
    import torch

    ids: list[int] = []
    positions: list[int] = []
    owner: list[int] = []
    kept: list[int] = []
    following: list[int] = []
    for number, example in enumerate(examples):
        first_target = len(ids) + len(example.prompt)
        kept += range(first_target - 1, first_target - 1 + len(example.target))
        following += example.target
        ids += [*example.prompt, *example.target]
        positions += range(len(example))
        owner += [number] * len(example)
    same = torch.tensor(owner)[:, None] == torch.tensor(owner)[None]
    return {
        "input_ids": torch.tensor([ids]),
        "position_ids": torch.tensor([positions]),
        "attention_mask": torch.tril(same)[None, None],
        "kept": torch.tensor(kept),
        "labels": torch.tensor([following]),
    }


def target_loss(model: Any, inputs: dict[str, Any]) -> Any:
    """Cross-entropy summed over the target tokens of a batch of `collate` or `collate_packed` (nats)."""
    import torch

    inputs = dict(inputs)
    labels = inputs.pop("labels")
    kept = inputs.pop("kept", labels.shape[1])
    logits = model(**inputs, logits_to_keep=kept, use_cache=False).logits
    return torch.nn.functional.cross_entropy(
        logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORED, reduction="sum"
    )
