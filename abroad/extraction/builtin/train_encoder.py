"""Train the encoder of the built-in extractor: a small BERT with four heads over documents with relations.

Heads: which tokens name a chemical that is reported of an organism here; which name an
organism that something is reported of; which chemical goes with which organism (a
bilinear form of two projections); whether the document reports anything at all. All four
are learnt together from documents with complete relations (Caruana 1997, multi-task
learning); tokens of documents whose relations are incomplete may be masked.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from abroad.core.context import Context
from abroad.core.settings import Count, NotNegative, Positive, Seed, Settings, Share
from abroad.extraction.builtin.encoder import MODEL, PAIR_SCALE, VOCABULARY, WIDTH
from abroad.extraction.builtin.encoder_examples import EncoderExample
from abroad.extraction.builtin.pieces import SHAPES


class EncoderSettings(Settings):
    """How the encoder is trained; rates are of AdamW, with warm-up and linear decay."""

    layers: Count = Field(4, description="The first so many of the base's layers.")
    epochs: Count = Field(5, description="Passes over the training texts.")
    pieces_per_batch: Count = Field(4096, description="Word pieces of a batch, padding counted.")
    learning_rate: Positive = Field(1.5e-4, description="Peak learning rate of the layers.")
    head_rate: Positive = Field(1e-3, description="Learning rate of the heads and of the embeddings of shapes.")
    weight_decay: NotNegative = Field(0.01, description="Weight decay of AdamW, on all weights.")
    warm_up: Share = Field(0.06, description="Share of the updates in which the rates rise.")
    seed: Seed = Field(0, description="Of the order of the texts and of dropout.")


class Encoder(nn.Module):
    """BERT over word pieces and shapes; one row of numbers for each piece.

    The row: 3 logits of the chemical's tag, 3 of the organism's, WIDTH numbers of the chemical's side and WIDTH of
    the organism's side of the bilinear form, and 1 logit of the whole text (of the first piece).
    """

    def __init__(self, bert: Any) -> None:
        super().__init__()
        self.bert = bert
        size = bert.config.hidden_size
        self.shapes = nn.Embedding(SHAPES, size)
        nn.init.zeros_(self.shapes.weight)
        self.dropout = nn.Dropout(0.1)
        self.heads = nn.Linear(size, 7 + 2 * WIDTH)

    def forward(self, pieces: torch.Tensor, shapes: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Tensors of shape (texts, pieces) -> (texts, pieces, 7 + 2 WIDTH)."""
        words = self.bert.embeddings.word_embeddings(pieces) + self.shapes(shapes)
        hidden = self.bert(inputs_embeds=words, attention_mask=mask).last_hidden_state
        return self.heads(self.dropout(hidden))


def base_encoder(folder: Path, layers: int) -> Encoder:
    """A new encoder over the first layers of a BERT model in a folder (safetensors)."""
    from transformers import BertModel

    bert = BertModel.from_pretrained(str(folder), add_pooling_layer=False, local_files_only=True)
    bert.encoder.layer = bert.encoder.layer[:layers]
    bert.config.num_hidden_layers = layers
    return Encoder(bert)


@dataclass
class _Batch:
    pieces: torch.Tensor
    shapes: torch.Tensor
    mask: torch.Tensor
    examples: list[EncoderExample] = field(default_factory=list)


def _collate(group: Sequence[EncoderExample]) -> _Batch:
    size = max(len(example.window.pieces) for example in group)
    arrays = [np.zeros((len(group), size), dtype=np.int64) for _ in range(3)]
    for row, example in enumerate(group):
        length = len(example.window.pieces)
        arrays[0][row, :length] = example.window.pieces
        arrays[1][row, :length] = example.window.shapes
        arrays[2][row, :length] = 1
    pieces, shapes, mask = (torch.from_numpy(array) for array in arrays)
    return _Batch(pieces, shapes, mask, list(group))


def batches(everything: Sequence[EncoderExample], size: int, chance: random.Random) -> list[list[EncoderExample]]:
    """Examples of like length together, at most `size` pieces with padding; the batches in random order."""
    order = sorted(everything, key=lambda example: len(example.window.pieces) + chance.random() * 40)
    groups: list[list[EncoderExample]] = [[]]
    for example in order:
        if groups[-1] and (len(groups[-1]) + 1) * len(example.window.pieces) > size:
            groups.append([])
        groups[-1].append(example)
    chance.shuffle(groups)
    return groups


def loss_of(encoder: Encoder, batch: _Batch) -> torch.Tensor:
    """Sum of the four heads' losses, shape (): cross-entropy of tags, binary ones of pairs and of the document."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rows = encoder(batch.pieces, batch.shapes, batch.mask)
    rows = rows.float()
    said: list[list[torch.Tensor]] = [[], []]  # of chemicals, of organisms
    meant: list[list[torch.Tensor]] = [[], []]
    weights, pair_logits, pair_gold, pair_weights = [], [], [], []
    for row, example in zip(rows, batch.examples, strict=True):
        of_tokens = row[torch.from_numpy(example.window.heads)]
        for side, gold in enumerate((example.chemical, example.organism)):
            said[side].append(of_tokens[:, 3 * side : 3 * side + 3])
            meant[side].append(torch.from_numpy(gold))
        weights.append(torch.full((len(of_tokens),), example.weight))
        if len(example.pairs):
            c, o = torch.from_numpy(example.pairs).T
            pair_logits.append(bilinear(of_tokens[c], of_tokens[o]))
            pair_gold.append(torch.from_numpy(example.together))
            pair_weights.append(torch.full((len(c),), example.weight * example.of_pairs))
    weight = torch.cat(weights)
    total = torch.zeros(())
    for logits, tags in zip(said, meant, strict=True):
        total = total - ((torch.cat(tags) * torch.cat(logits).log_softmax(-1)).sum(-1) * weight).mean()
    if pair_logits:
        own = binary_cross_entropy_with_logits(torch.cat(pair_logits), torch.cat(pair_gold), reduction="none")
        weighed = torch.cat(pair_weights)
        total = total + 0.15 * (own * weighed).sum() / weighed.sum()
    known = torch.tensor([example.reports >= 0 for example in batch.examples])
    if known.any():
        reports = torch.tensor([max(example.reports, 0.0) for example in batch.examples])
        total = total + 0.1 * binary_cross_entropy_with_logits(rows[known, 0, 6 + 2 * WIDTH], reports[known])
    return total


def bilinear(chemical: Any, organism: Any) -> Any:
    """Logit that a chemical (rows of its first token) goes with an organism (likewise); tensors or arrays."""
    return (chemical[..., 6 : 6 + WIDTH] * organism[..., 6 + WIDTH : 6 + 2 * WIDTH]).sum(-1) * PAIR_SCALE


def train(
    encoder: Encoder,
    everything: Sequence[EncoderExample],
    settings: EncoderSettings,
    after_epoch: Callable[[Encoder, int, dict[str, float]], None] = lambda *_: None,
    context: Context | None = None,
) -> None:
    """Fit the encoder in place."""
    torch.manual_seed(settings.seed)
    chance = random.Random(settings.seed)
    plan = [batches(everything, settings.pieces_per_batch, chance) for _ in range(settings.epochs)]
    steps = sum(len(epoch) for epoch in plan)
    heads = [*encoder.heads.parameters(), *encoder.shapes.parameters()]
    others = list(encoder.bert.parameters())
    optimizer = torch.optim.AdamW(
        [{"params": others, "lr": settings.learning_rate}, {"params": heads, "lr": settings.head_rate}],
        weight_decay=settings.weight_decay,
        betas=(0.9, 0.98),
    )
    warm = max(1, int(settings.warm_up * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warm, max(0.02, (steps - step) / max(1, steps - warm)))
    )
    for number, epoch in enumerate(plan):
        encoder.train()
        start, total = time.perf_counter(), 0.0
        for index, group in enumerate(epoch):
            loss = loss_of(encoder, _collate(group))
            optimizer.zero_grad()
            if torch.isfinite(loss):
                loss.backward()
                nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
                optimizer.step()
            schedule.step()
            total += float(loss.detach())
            if index % 20 == 19:
                (context or Context()).say(
                    f"epoch {number + 1} batch {index + 1}/{len(epoch)} loss {total / (index + 1):.4f}"
                )
        facts = {"loss": total / len(epoch), "seconds": time.perf_counter() - start}
        after_epoch(encoder, number, facts)


def save_weights(encoder: Encoder, settings: EncoderSettings, folder: Path) -> None:
    """Write weights (float16 safetensors) and settings, from which training goes on or a model is exported."""
    from safetensors.torch import save_file

    from abroad.core.io import write_json

    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {name: value.half().contiguous() for name, value in encoder.state_dict().items()},
        folder / "weights.safetensors",
    )
    write_json(folder / "encoder.json", settings.model_dump())


def load_weights(folder: Path, base: Path, layers: int | None = None) -> Encoder:
    """An encoder that `save_weights` wrote.

    Args:
        base: folder of the BERT model that it was made from, for its configuration.
        layers: if it is to have more than it was trained with, those on top are as in the base.
    """
    import json

    from safetensors.torch import load_file

    settings = json.loads((folder / "encoder.json").read_text(encoding="utf-8"))
    encoder = base_encoder(base, layers or settings["layers"])
    own = {name: value.float() for name, value in load_file(folder / "weights.safetensors").items()}
    encoder.load_state_dict({**encoder.state_dict(), **own})
    return encoder


class OneText(nn.Module):
    """The encoder over one text without padding: no mask, and in the last layer only what the tokens' rows need."""

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, pieces: torch.Tensor, shapes: torch.Tensor, heads: torch.Tensor) -> torch.Tensor:
        """Tensors of shape (1, pieces), (1, pieces), (rows,) -> (1, rows, 7 + 2 WIDTH).

        What `Encoder` gives with a mask of ones, at the places `heads`.
        """
        bert = self.encoder.bert
        words = bert.embeddings.word_embeddings(pieces) + self.encoder.shapes(shapes)
        hidden = bert.embeddings(inputs_embeds=words)
        *_, last = layers = list(bert.encoder.layer)
        for layer in layers:
            own = layer.attention.self
            asking = hidden[:, heads] if layer is last else hidden
            query, key, value = (
                part(rows).view(1, rows.shape[1], own.num_attention_heads, own.attention_head_size).transpose(1, 2)
                for part, rows in ((own.query, asking), (own.key, hidden), (own.value, hidden))
            )
            weights = torch.softmax(query @ key.transpose(-1, -2) * own.attention_head_size**-0.5, dim=-1)
            context = (weights @ value).transpose(1, 2).reshape(1, asking.shape[1], -1)
            attended = layer.attention.output(context, asking)
            hidden = layer.output(layer.intermediate(attended), attended)
        return self.encoder.heads(hidden)


def export(encoder: Encoder, vocabulary: Path, folder: Path) -> None:
    """Write the encoder for ONNX Runtime, its matrices in 8 bits (dynamic quantisation, one scale an output channel).

    Args:
        vocabulary: the `tokenizer.json` of the BERT model.
    """
    import shutil
    import tempfile
    import warnings

    from onnxruntime.quantization import QuantType, quantize_dynamic

    folder.mkdir(parents=True, exist_ok=True)
    encoder.eval()
    alone = OneText(encoder).eval()
    example = torch.ones((1, 16), dtype=torch.int64)
    names = ("pieces", "shapes", "heads")
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = Path(scratch) / "plain.onnx"
        torch.onnx.export(
            alone,
            (example, example, torch.arange(0, 16, 2)),
            str(plain),
            input_names=list(names),
            output_names=["rows"],
            dynamic_axes={"pieces": {1: "pieces"}, "shapes": {1: "pieces"}, "heads": {0: "rows"}, "rows": {1: "rows"}},
            opset_version=20,
            dynamo=False,
        )
        quantize_dynamic(plain, folder / MODEL, weight_type=QuantType.QInt8, per_channel=True)
    shutil.copyfile(vocabulary, folder / VOCABULARY)
