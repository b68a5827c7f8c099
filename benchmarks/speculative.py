"""What speculative decoding gains with each draft, measured and predicted.

    python benchmarks/speculative.py [--draft PATH ...] > benchmarks/results/speculative.md

Texts: names copied from a prompt, as extraction does, and synthetic abstracts. For each draft: tokens
gained a pass of the model (the bonus token included; the acceptance rate of arXiv 2402.01528), the
share of proposals accepted, seconds a token is proposed in, the speed-up measured, and the speed-up
predicted by (accepted + 1) / (draft latency x k + target latency) over 1 / (latency of one token).
A draft of the model's own first layers stands for a small one; "itself" for a perfect but slow one.
"""

from __future__ import annotations

import argparse
import copy
import platform
import time
from datetime import date
from pathlib import Path
from typing import Any

from abroad.core.io import Rejects, read_documents
from abroad.engines.base import GenerationRequest
from abroad.engines.speculation import SpeculationCounts
from abroad.engines.transformers.engine import TransformersEngine
from abroad.engines.transformers.speculate import Speculator
from abroad.models.load import load_model, load_tokenizer
from abroad.models.resolve import resolve_model

SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "curated.jsonl"


def truncated(model: Any, layers: int) -> Any:
    """The model's first layers with its output layer: a draft that was never trained as one."""
    draft = copy.deepcopy(model)
    draft.model.layers = draft.model.layers[:layers]
    draft.config.num_hidden_layers = layers
    return draft


def make_requests(copying: bool, count: int, tokens: int) -> list[GenerationRequest]:
    requests = []
    for document in read_documents(SAMPLE, Rejects())[:count]:
        if copying:
            names = ", ".join(entity.label for entity in document.chemicals[:6]) or document.title
            prompt = f"{document.text}\n\nCompounds: {names}.\nThe same compounds again: {names}.\nOnce more:"
        else:
            prompt = f"Title: {document.title}\nAbstract: In this study,"
        requests.append(GenerationRequest(document.id, prompt, max_new_tokens=tokens))
    return requests


def latency(model: Any, tokenizer: Any, width: int, passes: int = 20) -> float:
    """Seconds of a pass over `width` new tokens after 256 in the cache."""
    import torch

    ids = torch.full((1, 256), tokenizer.eos_token_id)
    with torch.inference_mode():
        cache = model(ids, use_cache=True).past_key_values
        seconds = []
        for _ in range(passes):
            start = time.perf_counter()
            model(ids[:, :width], past_key_values=cache, use_cache=True)
            seconds.append(time.perf_counter() - start)
            cache.crop(-width)
    return sorted(seconds)[passes // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--draft", action="append", default=[], help="a model with the same tokenizer")
    parser.add_argument("--k", type=int, default=5, help="tokens proposed at once")
    parser.add_argument("--texts", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=96)
    options = parser.parse_args()
    source = resolve_model(options.model)
    model, tokenizer = load_model(source), load_tokenizer(source)
    drafts: dict[str, Any] = {"n-gram": None, "first 8 layers": truncated(model, 8), "itself": copy.deepcopy(model)}
    drafts |= {path: load_model(resolve_model(path)) for path in options.draft}
    target, verify = latency(model, tokenizer, 1), latency(model, tokenizer, options.k + 1)

    print("# Speculative decoding\n")
    print(
        f"{date.today()}, {platform.machine()}, {options.model}, k = {options.k}, {options.texts} texts of "
        f"{options.tokens} tokens; a pass over 1 token {1000 * target:.1f} ms, over k + 1 {1000 * verify:.1f} ms. "
        "`python benchmarks/speculative.py`\n"
    )
    print("| text | draft | tokens a pass | accepted | draft ms a token | tokens/s | speed-up | predicted |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind, copying in (("copied names", True), ("abstracts", False)):
        requests = make_requests(copying, options.texts, options.tokens)
        plain = TransformersEngine(model, tokenizer, batch_size=1)
        start = time.perf_counter()
        expected = {answer.id: answer for answer in plain.generate(requests)}
        base = sum(answer.tokens for answer in expected.values()) / (time.perf_counter() - start)
        print(f"| {kind} | none | 1.00 | | | {base:.1f} | 1.00 | 1.00 |", flush=True)
        for name, draft in drafts.items():
            counts = SpeculationCounts()
            speculator = Speculator(model, draft, options.k, counts)
            engine = TransformersEngine(model, tokenizer, batch_size=1, speculator=speculator)
            start = time.perf_counter()
            answers = {answer.id: answer for answer in engine.generate(requests)}
            rate = sum(answer.tokens for answer in answers.values()) / (time.perf_counter() - start)
            same = all(answers[id].text == answer.text for id, answer in expected.items())
            proposed = max(counts.proposed, 1)
            step = 0.0 if draft is None else latency(draft, tokenizer, 1)
            predicted = counts.tokens_per_pass / (step * options.k + verify) * target
            accepted = (counts.tokens - counts.passes) / proposed
            print(
                f"| {kind} | {name} | {counts.tokens_per_pass:.2f} | {accepted:.0%} | {1000 * step:.1f} | {rate:.1f} "
                f"| {rate / base:.2f} | {predicted:.2f} |{'' if same else ' TEXT DIFFERS'}",
                flush=True,
            )


if __name__ == "__main__":
    main()
