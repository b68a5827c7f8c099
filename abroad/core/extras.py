"""The optional parts of abroad: which package belongs to which extra, and the command that adds it.

abroad is installed from a checkout or a wheel; no name on the package index is claimed. The command therefore names
where this installation came from, or, where nobody knows, the packages themselves.
"""

from __future__ import annotations

import json
import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

EXTRAS = {
    **dict.fromkeys(("matplotlib", "numba", "polars"), "sample"),
    "sklearn": "learn",
    **dict.fromkeys(("bm25s", "datasketch", "py3langid"), "synth"),
    "spacy": "spacy",
    **dict.fromkeys(
        (
            "accelerate",
            "gguf",
            "llguidance",
            "peft",
            "sacremoses",
            "sentencepiece",
            "tensorboard",
            "torch",
            "transformers",
        ),
        "train",
    ),
    "py2opsin": "link",
    "bitsandbytes": "quantize",
    "pypdf": "pdf",
    "PIL": "images",
    "vllm": "vllm",
    "lm_eval": "harness",
    **dict.fromkeys(("duckdb", "fastapi", "scipy", "starlette", "uvicorn"), "knowledge"),
    "optuna": "tune",
    "ray": "scale",
    "argilla": "annotation",
    "requests": "annotation",
}
"""Module -> the smallest extra that brings it."""


def install_hint(extra: str) -> str:
    """The command that adds an extra to this installation."""
    place = _checkout()
    if place is not None:
        here = place.resolve() == Path().resolve()
        return f'pip install -e "{"." if here else place}[{extra}]"'
    return f"pip install {' '.join(_packages(extra))}"


def _checkout() -> Path | None:
    """The folder that abroad was installed from, if it is still there."""
    root = Path(__file__).parents[2]
    if (root / "pyproject.toml").is_file():
        return root
    try:
        said = json.loads(distribution("abroad").read_text("direct_url.json") or "{}")
        folder = Path(url2pathname(urlsplit(said.get("url", "")).path))
    except (PackageNotFoundError, ValueError, AttributeError):
        return None
    return folder if os.fspath(folder) != "." and (folder / "pyproject.toml").is_file() else None


def _packages(extra: str) -> list[str]:
    """The packages of an extra, as they are called on the index, with their versions."""
    try:
        wanted = distribution("abroad").requires or []
    except PackageNotFoundError:
        return sorted(name for name, of in EXTRAS.items() if of == extra)
    marks = (f'extra == "{extra}"', f"extra == '{extra}'")
    found = [line.partition(";")[0].strip().replace(" ", "") for line in wanted if line.rstrip().endswith(marks)]
    own = {line for line in found if line.startswith("abroad[")}
    inner = [name for line in own for name in line.removeprefix("abroad[").rstrip("]").split(",")]
    return [f'"{line}"' for line in found if line not in own] + [line for name in inner for line in _packages(name)]
