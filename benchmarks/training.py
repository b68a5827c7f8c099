"""Training: tokens a second, share of the GPU's peak, and memory beside what the plan says.

Run: python benchmarks/training.py [MODEL [DOCUMENTS]] > benchmarks/results/training.md
On a GPU memory is what CUDA gave out at most. On a CPU there is no peak of FLOP/s to compare with; memory is counted
tensor by tensor (`abroad.training.memory`) in the numbers of a GPU, bfloat16, and so can be held against the plan too.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch

from abroad.core.context import Context
from abroad.core.io import read_documents
from abroad.models import load
from abroad.training.data import collate, collate_packed
from abroad.training.memory import count_step
from abroad.training.plan import plan, shape_of
from abroad.training.settings import TrainSettings
from abroad.training.train import TrainingRun

TEXTS = Path(__file__).parents[1] / "data" / "synthetic" / "abstracts.jsonl"
_PEAK = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12}  # dense bf16, of the makers' data sheets
_UPDATES = 4
_DOCUMENTS = 10**6


def measure(settings: TrainSettings, documents: int) -> dict[str, float]:
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    with tempfile.TemporaryDirectory() as folder:
        run = TrainingRun(read_documents(TEXTS)[:documents], [], settings, Path(folder), Context())
        run.updates = run.updates[:_UPDATES]
        run.stop_after = 1
        run.train()  # warms up; nothing of it is kept
        tokens = sum(len(run.examples[p]) for u in run.updates for batch in u.batches for p in batch)
        run.stop_after = None
        started = time.perf_counter()
        run.train()
        seconds = time.perf_counter() - started
        largest = max((batch for update in run.updates for batch in update.batches), key=lambda b: _tokens(run, b))
        inputs = _inputs(run, largest)
        memory = torch.cuda.max_memory_allocated() if cuda else _counted(run, inputs)
    length = inputs["input_ids"].numel() // (1 if settings.pack else settings.batch_size)
    targets = inputs["labels"].shape[1] - 1
    planned = plan(settings.replace(max_length=length), shape_of(settings.model), target_tokens=targets)
    return {"tokens": tokens / seconds, "seconds": seconds / _UPDATES, "memory": memory, "planned": planned.total}


def _tokens(run: TrainingRun, batch: Sequence[int]) -> int:
    """Of a batch, with what it is padded by."""
    lengths = [len(run.examples[place]) for place in batch]
    return sum(lengths) if run.settings.pack else max(lengths) * len(lengths)


def _inputs(run: TrainingRun, batch: Sequence[int]) -> dict[str, Any]:
    examples = [run.examples[place] for place in batch]
    return collate_packed(examples) if run.settings.pack else collate(examples, run.tokenizer.pad_token_id)


def _counted(run: TrainingRun, inputs: dict[str, Any]) -> float:
    """Bytes of weights, adapter, its gradients and moments, and of a step at its peak."""
    run.optimizer.zero_grad(set_to_none=True)
    step = count_step(run.model.get_base_model().train(), inputs)
    weights = {id(value): value for value in run.model.parameters()}.values()
    moments = [part for state in run.optimizer.state.values() for part in state.values() if torch.is_tensor(part)]
    gradients = sum(value.nbytes for value in weights if value.requires_grad)
    return step + gradients + sum(value.nbytes for value in [*weights, *moments, *_scales(weights)])


def _scales(weights: Iterable[Any]) -> list[Any]:
    """What stands beside weights in 4 bits."""
    states = [state for value in weights if (state := getattr(value, "quant_state", None)) is not None]
    return [part for state in states for part in (state.absmax, state.code, state.offset, state.state2.absmax)]


def main(model: str, documents: int) -> None:
    cuda = torch.cuda.is_available()
    load.computed_in = lambda: torch.bfloat16
    device = torch.cuda.get_device_name() if cuda else f"{platform.processor() or platform.machine()} (CPU)"
    peak = next((value for name, value in _PEAK.items() if name in device), None)
    base = TrainSettings(
        model=model, batch_size=4, gradient_accumulation_steps=1, max_length=1024, lora_rank=8, keep_every=0
    )
    variants = {
        "LoRA": base,
        "LoRA, packed": base.replace(pack=True, batch_size=1),
        "LoRA, gradient checkpointing": base.replace(gradient_checkpointing=True),
        "QLoRA (NF4)": base.replace(quantization="nf4"),
        "QLoRA (NF4), gradient checkpointing": base.replace(quantization="nf4", gradient_checkpointing=True),
    }
    shape = shape_of(model)
    print(f"# Training\n\n{date.today()}, {device}, torch {torch.__version__}, `{model}`, {_UPDATES} updates each.\n")
    print("| variant | tokens/s | s an update | share of peak FLOP/s | memory, GB | plan, GB | measured by plan |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, settings in variants.items():
        found = measure(settings, documents)
        # 4 FLOP a weight and token: forward, and backward through frozen weights to their inputs only.
        share = f"{4 * shape.parameters * found['tokens'] / peak:.1%}" if peak else ""
        memory = (
            f"{found['memory'] / 1e9:.2f} | {found['planned'] / 1e9:.2f} | {found['memory'] / found['planned']:.2f}"
        )
        figures = f"{found['tokens']:.0f} | {found['seconds']:.2f} | {share} | {memory}"
        print(f"| {name} | {figures} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "smollm2-135m", int(sys.argv[2]) if len(sys.argv) > 2 else _DOCUMENTS)
