"""The record of a run: what went in, with which settings and versions, how long and how much memory."""

from __future__ import annotations

import contextlib
import platform
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.helpers import helper
from abroad.core.io import file_sha256, write_json

_PACKAGES = (
    *("abroad", "numpy", "numba", "polars", "scikit-learn"),
    *("torch", "transformers", "peft", "accelerate", "spacy", "vllm"),
)


def versions() -> dict[str, str]:
    """Versions of Python, the platform and the packages that can change a result."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in _PACKAGES:
        with contextlib.suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def reset_peak_memory() -> None:
    """Start a new measurement of this process's peak memory, where the system can (Linux)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory_mb() -> float | None:
    """Peak resident memory in MiB since the last reset; None where it cannot be measured."""
    try:
        status = Path("/proc/self/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
        return round(int(line.split()[1]) / 1024, 1)
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 2**20 if sys.platform == "darwin" else peak / 1024, 1)


def input_hashes(paths: Iterable[str | Path]) -> dict[str, str]:
    """SHA-256 of each input file; a directory is hashed file by file.

    Raises:
        InputError: one of them does not exist.
    """
    hashes = {}
    for path in map(Path, paths):
        if not path.exists():
            raise InputError(f"{path}: no such file")
        files = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
        hashes.update({str(file): file_sha256(file) for file in files})
    return hashes


@contextlib.contextmanager
def run_record(
    output: str | Path, command: str, settings: dict[str, Any], inputs: Iterable[str | Path]
) -> Iterator[dict[str, Any]]:
    """Write `<output>.abroad/run.json` when the block ends well; the block may add results to the yielded dict."""
    record: dict[str, Any] = {
        "command": command,
        "settings": settings,
        "versions": versions(),
        "inputs": input_hashes(inputs),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    reset_peak_memory()
    start = time.monotonic()
    yield record
    record["seconds"] = round(time.monotonic() - start, 2)
    record["peak_memory_mb"] = peak_memory_mb()
    write_json(helper(output, "run.json"), record)
