"""Which examples a document is shown, and in which order."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from abroad.core.errors import InputError
from abroad.core.registry import Capability, Member, Registry
from abroad.core.resume import digest
from abroad.core.schema import Document
from abroad.models.backend import import_transformers, quiet_loading
from abroad.models.hub import is_hub_name, require
from abroad.models.source import resolve_encoder
from abroad.text.retrieval import Bm25Index

RETRIEVERS: Registry[RetrieverKind] = Registry(
    "retriever",
    "abroad.retrievers",
    {
        "fixed": "abroad.extraction.fewshot.retrieve:FIXED",
        "bm25": "abroad.extraction.fewshot.retrieve:BM25",
        "embeddings": "abroad.extraction.fewshot.retrieve:EMBEDDINGS",
    },
)
"""What chooses the examples that a document is shown."""
ORDERS = ("similar-last", "similar-first", "shuffled")
_BATCH = 16


class Retriever(Protocol):
    """Examples for a text, best first."""

    def nearest(self, text: str, count: int) -> list[Document]: ...


@dataclass(frozen=True)
class RetrieverKind(Member):
    """A member of the registry of retrievers.

    Attributes:
        make: (pool of examples, directory or name of an encoder or None) -> the retriever.
        capabilities: LIKENESS where the nearest come first, EMBEDDER where it takes an encoder.
    """

    make: Callable[[Sequence[Document], str | None], Retriever]


@dataclass(frozen=True)
class Fixed:
    """The first examples of the pool, the same for every document."""

    pool: Sequence[Document]

    def nearest(self, text: str, count: int) -> list[Document]:
        return list(self.pool[:count])


class Bm25:
    """Those that share words with the document; the first of the pool where too few do."""

    def __init__(self, pool: Sequence[Document]) -> None:
        self._pool, self._index = pool, Bm25Index(pool)

    def nearest(self, text: str, count: int) -> list[Document]:
        found = self._index.nearest(text, count)
        rest = [document for document in self._pool if document.id not in {item.id for item in found}]
        return [*found, *rest][:count]


class Embeddings:
    """Those whose mean-pooled last hidden states point the same way (cosine), as sentence transformers are trained.

    Reimers and Gurevych, "Sentence-BERT", arXiv 1908.10084, section 3.

    Args:
        model: directory or name of an encoder with its tokenizer.
    """

    def __init__(self, pool: Sequence[Document], model: str) -> None:
        transformers, _ = import_transformers()
        source = resolve_encoder(model)
        if is_hub_name(source):
            require(source)
        try:
            with quiet_loading():
                self._tokenizer = transformers.AutoTokenizer.from_pretrained(source, trust_remote_code=False)
                loaded = transformers.AutoModel.from_pretrained(source, trust_remote_code=False, use_safetensors=True)
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"{model}: cannot be loaded as an encoder: {str(error).splitlines()[0][:300]}") from None
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token
        self._model = loaded.eval()
        self._pool = list(pool)
        self._vectors = self._embed([document.text for document in pool])

    def nearest(self, text: str, count: int) -> list[Document]:
        similarity = (self._vectors @ self._embed([text])[0]).tolist()
        order = sorted(range(len(self._pool)), key=lambda index: -similarity[index])
        return [self._pool[index] for index in order[:count]]

    def _embed(self, texts: Sequence[str]) -> Any:
        """Unit vectors of shape (texts, hidden size)."""
        import torch

        longest = min(int(getattr(self._model.config, "max_position_embeddings", 512)), 512)
        rows = []
        for start in range(0, len(texts), _BATCH):
            batch = self._tokenizer(
                list(texts[start : start + _BATCH]),
                padding=True,
                truncation=True,  # of what is compared, not of what a model reads
                max_length=longest,
                return_tensors="pt",
            )
            with torch.inference_mode():
                states = self._model(
                    input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]
                ).last_hidden_state
            mask = batch["attention_mask"].unsqueeze(-1)
            mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1)
            rows.append(torch.nn.functional.normalize(mean.float(), dim=-1))
        return torch.cat(rows)


def make_retriever(name: str, pool: Sequence[Document], embedder: str | None = None) -> Retriever:
    """A retriever by name.

    Args:
        embedder: of "embeddings": directory or name of an encoder.
    Raises:
        InputError: no such retriever or encoder.
    """
    return RETRIEVERS.get(name).make(pool, embedder)


FIXED = RetrieverKind(lambda pool, embedder: Fixed(pool))
BM25 = RetrieverKind(lambda pool, embedder: Bm25(pool), capabilities=Capability.LIKENESS)
EMBEDDINGS = RetrieverKind(
    lambda pool, embedder: Embeddings(pool, embedder or "minilm-l6"),
    capabilities=Capability.LIKENESS | Capability.EMBEDDER,
)


def arrange(examples: Sequence[Document], order: str, seed: int, id: str) -> list[Document]:
    """Examples (best first) in the order of the prompt; the last one states a relation, if any does.

    A small model copies the answer that stands nearest to the document, "none" before all.

    Args:
        order: "similar-last" puts the best next to the document; "shuffled" draws anew for each document.
        id: of the document.
    Raises:
        InputError: no such order.
    """
    if order not in ORDERS:
        raise InputError(f"no order {order!r}; expected one of: {', '.join(ORDERS)}")
    arranged = list(reversed(examples)) if order == "similar-last" else list(examples)
    if order == "shuffled":
        random.Random(f"{seed}:{id}").shuffle(arranged)
    stating = [index for index, example in enumerate(arranged) if example.relations]
    if stating:
        arranged.append(arranged.pop(stating[-1]))
    return arranged


def pool_digest(pool: Sequence[Document]) -> str:
    """What tells a pool of examples from others."""
    return digest([document.to_dict() for document in pool])
