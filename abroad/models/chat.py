"""Whether a model is a chat model, told by its files alone: no weights are read, and transformers is not imported."""

from __future__ import annotations

import json
import mmap
from pathlib import Path

from abroad.models.hub import is_hub_name, small_files
from abroad.models.source import ModelSource

_TEMPLATES = ("chat_template.jinja", "chat_template.json")
"""Files that a model has for its chat template alone."""
_TOKENIZER = "tokenizer_config.json"
_GGUF_KEY = b"tokenizer.chat_template"
_GGUF_ENTRY = len(_GGUF_KEY).to_bytes(8, "little") + _GGUF_KEY + (8).to_bytes(4, "little")  # 8: its value is a text
_GGUF_HEAD = 1 << 26
"""Bytes at the beginning of a GGUF file that hold all it says of itself; vocabularies of 256,000 words take 10 MB."""


def has_chat_template(source: ModelSource) -> bool:
    """Whether the base model has a chat template; False where its files cannot be had, which loading it will say."""
    base = Path(source.base)
    if is_hub_name(source.base):
        return _in_files(small_files(source.base, (_TOKENIZER, *_TEMPLATES)))
    if base.is_dir():
        return _in_files([path for name in (_TOKENIZER, *_TEMPLATES) if (path := base / name).is_file()])
    return base.is_file() and _in_gguf(base)


def _in_files(files: list[Path]) -> bool:
    return any(path.name in _TEMPLATES or _in_tokenizer(path) for path in files)


def _in_tokenizer(path: Path) -> bool:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(config, dict) and bool(config.get("chat_template"))


def _in_gguf(path: Path) -> bool:
    """Look for the entry as it is written in the file: the library's reader takes seconds to read all the others."""
    with path.open("rb") as stream:
        if not stream.read(1):
            return False
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(_GGUF_ENTRY, 0, _GGUF_HEAD) >= 0
