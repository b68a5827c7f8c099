"""What this machine has of what abroad can use, and the command that adds what is missing."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from abroad.core.extras import EXTRAS, install_hint
from abroad.models.source import PACKAGED, packaged_gguf


@dataclass(frozen=True)
class Finding:
    """What was looked for, and what of it is there.

    Attributes:
        part: what was looked for.
        state: "ok", "missing" or "note".
        detail: version or size when there.
        purpose: what it is for.
        fix: the command that adds it, empty if there is nothing to do.
    """

    part: str
    state: str
    detail: str
    purpose: str
    fix: str = ""


_OPTIONAL = (
    ("polars", "LOTUS tables"),
    ("numba", "sampling"),
    ("matplotlib", "plots"),
    ("sklearn", "extractors of your own; keywords; agreement"),
    ("bm25s", "retrieval of abstracts"),
    ("datasketch", "selection of synthetic abstracts"),
    ("py3langid", "selection of synthetic abstracts"),
    ("spacy", "components of spaCy, DocBin, texts in reports"),
    ("pypdf", "papers in PDF"),
    ("torch", "language models"),
    ("transformers", "language models"),
    ("peft", "fine-tuning and adapters"),
    ("accelerate", "fine-tuning"),
    ("gguf", "GGUF models such as smollm2-135m"),
    ("sacremoses", "BioGPT's tokenizer"),
    ("py2opsin", "identifiers of systematic names"),
    ("bitsandbytes", "4-bit training on CUDA"),
    ("vllm", "generation on GPUs"),
    ("duckdb", "knowledge bases (SQLite does too)"),
    ("fastapi", "knowledge bases in the browser"),
    ("argilla", "curation"),
)
_DISTRIBUTIONS = {"sklearn": "scikit-learn"}
_OF_TORCH = "  (CPU only: install torch's CPU build first, docs/how-to/install.md)"


def examine() -> list[Finding]:
    """Look for everything abroad can use; imports torch only if it is installed."""
    enough = sys.version_info >= (3, 11)
    findings = [
        Finding("python", "ok" if enough else "missing", platform.python_version(), "3.11 or newer"),
        Finding("cores", "note", str(os.cpu_count()), "training and generation on the CPU"),
        Finding("disk", "note", f"{shutil.disk_usage('.').free / 2**30:.0f} GiB free", "models and runs"),
    ]
    findings += [_package(*row) for row in _OPTIONAL]
    for name, (_, command) in PACKAGED.items():
        there = packaged_gguf(name) is not None
        state = "ok" if there else "missing"
        findings.append(Finding(name, state, "packaged" if there else "", "the laptop's language model", command))
    findings.append(_cuda())
    java = shutil.which("java")
    findings.append(
        Finding(
            "java",
            "ok" if java else "missing",
            java or "",
            "OPSIN: names to structures",
            "apt install default-jre-headless",
        )
    )
    offline = os.environ.get("HF_HUB_OFFLINE", "")
    findings.append(Finding("HF_HUB_OFFLINE", "note", offline or "not set", "1: models only from local paths"))
    return findings


def _package(name: str, purpose: str) -> Finding:
    if importlib.util.find_spec(name) is None:
        fix = install_hint(EXTRAS[name]) + (_OF_TORCH if name == "torch" else "")
        return Finding(name, "missing", "", purpose, fix)
    try:
        found = version(_DISTRIBUTIONS.get(name, name))
    except PackageNotFoundError:
        found = "unknown version"
    return Finding(name, "ok", found, purpose)


def _cuda() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("CUDA", "note", "unknown without torch", "large models")
    import torch

    if not torch.cuda.is_available():
        return Finding("CUDA", "note", "no GPU in use: everything runs on the CPU", "large models")
    names = ", ".join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
    return Finding("CUDA", "ok", names, "large models")
