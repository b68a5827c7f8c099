"""An answer in the form of each style, and how each retriever is made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

STYLES: dict[str, str] = {
    "classic": " Usnea barbata produces usnic acid\n",
    "instruct": " Usnea barbata produces usnic acid; Usnea barbata produces atranorin\n",
    "cot": " Usnea barbata\nChemicals: usnic acid\nEvidence: It was found there.\n"
    "Relations: Usnea barbata produces usnic acid\n",
}

RETRIEVERS: dict[str, Callable[[Path], str | None]] = {
    "fixed": lambda model: None,
    "bm25": lambda model: None,
    "embeddings": str,
}
"""Name -> the encoder to make it with, of a small model's folder."""
