"""Which draft makes a model write fastest: candidates measured by the clock, and by the formula of arXiv 2402.01528.

Throughput with g tokens proposed at once is TAR(g) / (g * t_draft + t_verify(g)): tokens gained a pass, over the time
of the proposals and of the pass that checks them. A draft is held against the model alone, both one text at a time and
in batches, since drafted texts are written one at a time. The engine is transformers; vLLM tells its acceptance rate
while it works.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.engines.base import GenerationRequest
from abroad.engines.contrastive import check_tokenizers
from abroad.engines.spec import NGRAM, SUFFIX
from abroad.engines.speculation import SpeculationCounts
from abroad.engines.transformers.engine import TransformersEngine
from abroad.engines.transformers.speculate import Speculator
from abroad.models.load import load_model, load_tokenizer
from abroad.models.resolve import resolve_model

_CACHED, _PASSES = 256, 12  # tokens before those that a latency is measured of; passes, of which the median is taken


@dataclass(frozen=True)
class MeasuredDraft:
    """What a draft is worth.

    Attributes:
        draft: its name; None for the model alone.
        tokens: proposed at once; of the model alone, texts at once.
        counts: of speculation; None for the model alone.
        rate: tokens a second, by the clock.
        speedup: over the model alone, one text at a time, by the clock.
        predicted: the same by the formula; None for batches, of which it says nothing.
        differing: texts that are not those of the model alone (where two tokens are as probable but for rounding).
    """

    draft: str | None
    tokens: int
    counts: SpeculationCounts | None
    rate: float
    speedup: float
    predicted: float | None
    differing: int = 0

    @property
    def settings(self) -> str:
        """What to give the engine."""
        if self.draft is None:
            return f"no draft, --batch-size {self.tokens}"
        return f"--set draft={self.draft} --set draft_tokens={self.tokens}"


def measure_drafts(
    model: tuple[Any, Any],
    requests: Sequence[GenerationRequest],
    drafts: dict[str, Any],
    widths: Sequence[int],
    batch_size: int,
) -> Iterator[MeasuredDraft]:
    """The model alone, one text at a time and in batches; then each draft with each number of tokens at once.

    Args:
        model: as loaded, with its tokenizer.
        requests: texts to write, greedy or sampled.
        drafts: name -> model with the same tokenizer, or None for n-grams.
    """
    expert, tokenizer = model
    alone = {1: latency(expert, tokenizer.eos_token_id, 1)}
    expected, base = _written(TransformersEngine(expert, tokenizer, 1), requests)
    yield MeasuredDraft(None, 1, None, base, 1.0, 1.0)
    if batch_size > 1:
        _, rate = _written(TransformersEngine(expert, tokenizer, batch_size), requests)
        yield MeasuredDraft(None, batch_size, None, rate, rate / base, None)
    for name, draft in drafts.items():
        step = 0.0 if draft is None else latency(draft, tokenizer.eos_token_id, 1)
        for width in widths:
            if width + 1 not in alone:
                alone[width + 1] = latency(expert, tokenizer.eos_token_id, width + 1)
            counts = SpeculationCounts()
            engine = TransformersEngine(expert, tokenizer, 1, speculator=Speculator(expert, draft, width, counts))
            found, rate = _written(engine, requests)
            predicted = counts.tokens_per_pass / (width * step + alone[width + 1]) * alone[1]
            differing = sum(found[id] != text for id, text in expected.items())
            yield MeasuredDraft(name, width, counts, rate, rate / base, predicted, differing)


def preferred(measured: Sequence[MeasuredDraft]) -> tuple[MeasuredDraft, MeasuredDraft]:
    """(fastest by the clock, fastest by the formula); the model alone may be either."""
    foretold = [item for item in measured if item.predicted is not None]
    return max(measured, key=lambda item: item.rate), max(foretold, key=lambda item: item.predicted or 0.0)


def latency(model: Any, token: int, width: int) -> float:
    """Seconds of a pass over `width` new tokens after some hundred in the cache."""
    import torch

    room = int(getattr(model.config, "max_position_embeddings", 0) or _CACHED + width)
    ids = torch.full((1, max(1, min(_CACHED, room - width))), token, device=model.device)
    new = torch.full((1, width), token, device=model.device)
    seconds = []
    with torch.inference_mode():
        cache = model(ids, use_cache=True).past_key_values
        for _ in range(_PASSES):
            start = time.perf_counter()
            model(new, past_key_values=cache, use_cache=True)
            if model.device.type == "cuda":
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - start)
            cache.crop(-width)
    return sorted(seconds)[_PASSES // 2]


def load_drafts(
    name: str, base: str | None, quantization: str, drafts: Sequence[str], context: Context
) -> tuple[tuple[Any, Any], dict[str, Any]]:
    """((model, tokenizer), drafts by name).

    Raises:
        InputError: no such model, a draft with another tokenizer, or one of another engine.
    """
    if SUFFIX in drafts:
        raise InputError("--draft suffix: of vLLM alone, which tells its acceptance rate; expected ngram or a model")
    source = resolve_model(name, base)
    tokenizer = load_tokenizer(source)
    places = {draft: resolve_model(draft) for draft in drafts if draft != NGRAM}
    for place in places.values():
        check_tokenizers(tokenizer, load_tokenizer(place), "speculative decoding needs a draft")
    context.say(f"{name}: loading the model and {len(places)} drafts")
    loaded = {draft: load_model(places[draft], quantization) if draft in places else None for draft in drafts}
    return (load_model(source, quantization), tokenizer), loaded


def _written(engine: TransformersEngine, requests: Sequence[GenerationRequest]) -> tuple[dict[str, str], float]:
    """(id -> text, tokens a second).

    Raises:
        InputError: a request could not be answered.
    """
    start = time.perf_counter()
    answers = list(engine.generate(requests))
    seconds = time.perf_counter() - start
    failed = next((answer for answer in answers if answer.error is not None), None)
    if failed is not None:
        raise InputError(f"{failed.id}: {failed.error}")
    return {answer.id: answer.text for answer in answers}, sum(answer.tokens for answer in answers) / seconds
