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
from datetime import date
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.io import read_documents
from abroad.engines.base import GenerationRequest
from abroad.experiments.tuning.draft import measure_drafts
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
    for document in read_documents(SAMPLE, Context())[:count]:
        if copying:
            names = ", ".join(entity.label for entity in document.chemicals[:6]) or document.title
            prompt = f"{document.text}\n\nCompounds: {names}.\nThe same compounds again: {names}.\nOnce more:"
        else:
            prompt = f"Title: {document.title}\nAbstract: In this study,"
        requests.append(GenerationRequest(document.id, prompt, max_new_tokens=tokens))
    return requests


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
    print("# Speculative decoding\n")
    print(
        f"{date.today()}, {platform.machine()}, {options.model}, k = {options.k}, {options.texts} texts of "
        f"{options.tokens} tokens. `python benchmarks/speculative.py`\n"
    )
    print("| text | draft | tokens a pass | accepted | tokens/s | speed-up | predicted |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for kind, copying in (("copied names", True), ("abstracts", False)):
        requests = make_requests(copying, options.texts, options.tokens)
        for found in measure_drafts((model, tokenizer), requests, drafts, [options.k], 1):
            rates = f"{found.counts.tokens_per_pass:.2f} | {found.counts.acceptance:.0%}" if found.counts else "1.00 |"
            print(
                f"| {kind} | {found.draft or 'none'} | {rates} | {found.rate:.1f} | {found.speedup:.2f} "
                f"| {found.predicted:.2f} |{' TEXT DIFFERS' if found.differing else ''}",
                flush=True,
            )


if __name__ == "__main__":
    main()
