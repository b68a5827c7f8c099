"""Tokens and accepted abstracts a second of each engine, in one run, beside the plain loop of transformers.

    python benchmarks/generation.py [--prompts 32] [--max-tokens 128] > benchmarks/results/generation.md

Prompts are made of the project's own sample; the model is SmolLM2-135M-Instruct in float32. The plain
loop generates one text at a time; it is given fewer prompts, since only its rate is asked. Loading is
told apart. vLLM is measured where it is installed (`make test-vllm` makes such an environment).
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.io import read_documents
from abroad.core.schema import Document
from abroad.engines.spec import make_engine
from abroad.synthesis.generation.generate import _document, _requests
from abroad.synthesis.prompts.instruct import InstructSettings, instruct
from abroad.synthesis.selection.select import SelectSettings, select

SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "curated.jsonl"


def measure(name: str, engine: Any, records: Sequence[dict[str, Any]]) -> tuple[float, int, int, float]:
    """(seconds, texts, tokens, share of the texts that selection accepts)."""
    by_id = {record["id"]: record for record in records}
    start = time.perf_counter()
    answers = list(engine.generate(_requests(records, Context())))
    seconds = time.perf_counter() - start
    tokens = sum(answer.tokens for answer in answers)
    texts = [_document(by_id[a.id], a) for a in answers if a.error is None]
    documents = [Document.from_dict(text) for text in texts if text["AbstractText"].strip()]
    accepted = select(documents, SelectSettings(best=10**6)).faithful
    return seconds, len(answers), tokens, accepted / max(len(answers), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--max-tokens", type=int, default=128)
    parser.add_argument("--plain", type=int, default=4, help="prompts for the plain loop")
    options = parser.parse_args()
    settings = InstructSettings(max_new_tokens=options.max_tokens)
    seeds = [replace(document, extra={}) for document in read_documents(SAMPLE, Context())]
    records = list(instruct(seeds, settings))[: options.prompts]
    runs = [
        ("transformers, one at a time", "transformers", 1, records[: options.plain]),
        ("transformers, batches of 16", "transformers", 16, records),
    ]
    if importlib.util.find_spec("vllm") is not None:
        runs.append(("vllm, continuous batching", "vllm", 32, records))
    rows, plain = [], 0.0
    for label, name, size, part in runs:
        start = time.perf_counter()
        engine = make_engine(name, "smollm2-135m", batch_size=size)
        loading = time.perf_counter() - start
        list(engine.generate(_requests(part[:1])))  # the first text pays for what is done once
        seconds, texts, tokens, share = measure(name, engine, part)
        rate = tokens / seconds
        plain = plain or rate
        rows.append((label, loading, texts, tokens, rate, rate / plain, share, share * texts / seconds))
        del engine
    print(
        f"# Generation\n\n{date.today()}, {platform.machine()}, {os.cpu_count()} cores, no GPU; "
        f"SmolLM2-135M-Instruct in float32, at most {options.max_tokens} tokens a text; "
        f"`python benchmarks/generation.py`.\n"
    )
    print(
        "| engine | loading, s | texts | tokens | tokens/s | beside the plain loop | accepted | accepted abstracts/s |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for label, loading, texts, tokens, rate, ratio, share, accepted in rows:
        cells = (
            f"{loading:.0f}",
            texts,
            tokens,
            f"{rate:.1f}",
            f"{ratio:.1f} times",
            f"{share:.0%}",
            f"{accepted:.3f}",
        )
        print(f"| {label} | {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
