"""What contrastive and speculative decoding change in extraction: F1, and speed.

    python benchmarks/decoding.py MODEL --dev curated.json [--amateur MODEL] > benchmarks/results/decoding.md

MODEL is a fine-tuned one. The amateur is a weaker model with the same tokenizer: the base model before fine-tuning,
or the model itself with the end of the prompt only. beta 0 and every draft must write what greedy decoding writes;
the last column counts the documents where they do not.
"""

from __future__ import annotations

import argparse
import platform
import time
from datetime import date
from typing import Any

from abroad.core.context import Context
from abroad.core.io import read_documents
from abroad.core.schema import Prediction
from abroad.engines.speculation import SpeculationCounts
from abroad.engines.transformers.engine import TransformersEngine
from abroad.engines.transformers.speculate import Speculator
from abroad.evaluation.bootstrap import bootstrap_intervals, paired_bootstrap
from abroad.evaluation.metrics import compare
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.load import load_generative_extractor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--dev", required=True)
    parser.add_argument("--amateur", default="smollm2-135m")
    parser.add_argument("--documents", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=96)
    options = parser.parse_args()
    documents = read_documents(options.dev, Context())[: options.documents]
    decoding = Decoding(num_beams=1, max_new_tokens=options.tokens)
    runs: dict[str, tuple[int, dict[str, Any]]] = {
        "greedy": (8, {}),
        "contrastive, beta 0": (8, {"amateur": options.amateur, "beta": 0.0}),
        "contrastive, beta 0.5": (8, {"amateur": options.amateur, "beta": 0.5}),
        "contrastive, last 64 tokens, beta 0.5": (8, {"amateur_keeps": 64, "beta": 0.5}),
        "greedy, one at a time": (1, {}),
        "speculative, n-grams, one at a time": (1, {"draft": "ngram"}),
    }
    print("# Contrastive and speculative decoding in extraction\n")
    print(
        f"{date.today()}, {platform.machine()}, {options.model} on the first {len(documents)} documents of "
        f"{options.dev}, {options.tokens} new tokens; protocol upstream, 95% bootstrap intervals over documents. "
        "`python benchmarks/decoding.py`\n"
    )
    print("| decoding | F1 | F1 minus greedy | seconds | tokens a pass | documents that differ from greedy |")
    print("| --- | --- | --- | --- | --- | --- |")
    greedy: list[Prediction] = []
    for name, (batch, settings) in runs.items():
        extractor = load_generative_extractor(
            options.model, decoding, batch_size=batch, engine=("transformers", settings)
        )
        assert isinstance(extractor.engine, TransformersEngine)
        start = time.perf_counter()
        found = {p.id: p for p in extractor.extract(documents)}
        seconds = time.perf_counter() - start
        predictions = [found[document.id] for document in documents]
        greedy = greedy or predictions
        scores = [outcome.scores for outcome in compare(documents, predictions).outcomes]
        base = [outcome.scores for outcome in compare(documents, greedy).outcomes]
        interval, gain = bootstrap_intervals(scores)["f1"], paired_bootstrap(base, scores)
        speculator: Speculator | None = extractor.engine.speculator
        counts = speculator.counts if speculator else SpeculationCounts()
        differing = sum(a.relations != b.relations for a, b in zip(greedy, predictions, strict=True))
        f1 = compare(documents, predictions).scores.f1
        print(
            f"| {name} | {f1:.1f} ({interval.low:.1f} to {interval.high:.1f}) | {gain['difference']:+.1f} "
            f"({gain['low']:+.1f} to {gain['high']:+.1f}) | {seconds:.0f} | "
            f"{f'{counts.tokens_per_pass:.2f}' if speculator else ''} | {differing} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
