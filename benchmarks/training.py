"""Training: tokens a second, share of the GPU's peak, and memory beside what the plan says.

Run: python benchmarks/training.py [MODEL] > benchmarks/results/training.md
On a CPU there is no peak to compare with, and memory is the process's; the arithmetic of the plan is for GPUs.
"""

from __future__ import annotations

import platform
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

import torch

from abroad.core.io import Rejects, read_documents
from abroad.core.provenance import peak_memory_mb, reset_peak_memory
from abroad.training.plan import plan, shape_of
from abroad.training.settings import TrainSettings
from abroad.training.train import TrainingRun

TEXTS = Path(__file__).parents[1] / "data" / "synthetic" / "abstracts.jsonl"
_PEAK = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12}  # dense bf16, of the makers' data sheets
_UPDATES = 4


def measure(settings: TrainSettings) -> dict[str, float]:
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    reset_peak_memory()
    with tempfile.TemporaryDirectory() as folder:
        run = TrainingRun(read_documents(TEXTS), [], settings, Path(folder), Rejects())
        run.updates = run.updates[:_UPDATES]
        run.stop_after = 1
        run.train()  # warms up; nothing of it is kept
        tokens = sum(len(run.examples[p]) for u in run.updates for batch in u.batches for p in batch)
        run.stop_after = None
        started = time.perf_counter()
        run.train()
        seconds = time.perf_counter() - started
    memory = torch.cuda.max_memory_allocated() / 1e9 if cuda else (peak_memory_mb() or 0) / 954
    return {"tokens": tokens / seconds, "seconds": seconds / _UPDATES, "memory": memory}


def main(model: str) -> None:
    cuda = torch.cuda.is_available()
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
    }
    shape = shape_of(model)
    print(f"# Training\n\n{date.today()}, {device}, torch {torch.__version__}, `{model}`, {_UPDATES} updates each.\n")
    print("| variant | tokens/s | s an update | share of peak FLOP/s | memory, GB | plan for a GPU, GB |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, settings in variants.items():
        found = measure(settings)
        # 4 FLOP a weight and token: forward, and backward through frozen weights to their inputs only.
        share = f"{4 * shape.parameters * found['tokens'] / peak:.1%}" if peak else ""
        planned = plan(settings, shape).total / 1e9
        figures = f"{found['tokens']:.0f} | {found['seconds']:.2f} | {share} | {found['memory']:.2f} | {planned:.2f}"
        print(f"| {name} | {figures} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "smollm2-135m")
