"""Which model it is: a hash of the content of its weights and of what they are read with, so that one replaced in
place is another model.

Hashing gigabytes takes seconds, so the hash of a file is kept in the cache under what tells that it was not touched:
its device, inode, size and times.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from pathlib import Path

from abroad.core.cache import cache_directory
from abroad.core.errors import InputError
from abroad.core.io import atomic_write, file_sha256
from abroad.core.resume import digest
from abroad.models.hub import is_hub_name, snapshot
from abroad.models.source import COMPRESSED, INITIAL, ModelSource, describe_model

_DECIDING = (
    *("*.safetensors", COMPRESSED, "config.json", "generation_config.json"),
    *("tokenizer*", "*.model", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json"),
    *("*.jinja", "chat_template.json", "additional_chat_templates/*.jinja"),
    *("processor_config.json", "*preprocessor_config.json"),  # of images, and of videos
)
"""Files of a model directory that decide what it reads and says.

The digest of a directory is over those that it has, by their names: with more patterns it stays what it was where
nothing new is found, and work that was begun goes on.
"""
_ADAPTER_CONFIG = "adapter_config.json"
_NO_DECISIONS = ("base_model_name_or_path", "revision", "inference_mode", "peft_version")
"""Keys of an adapter's config that change nothing of it: the base counts by its content, not by its place."""
_SETTLED_SECONDS = 2.0
"""A file that was changed just now may change again within the same tick of its clock: its hash is not kept."""


def content_hash(path: Path) -> str:
    """SHA-256 of a file, read again only if the file was touched since."""
    state = path.stat()
    facts = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    kept = cache_directory() / "hashes" / "-".join(map(str, facts))
    with contextlib.suppress(OSError):
        known = kept.read_text(encoding="ascii")
        if len(known) == 64:
            return known
    found = file_sha256(path)
    if time.time() - max(state.st_mtime, state.st_ctime) > _SETTLED_SECONDS:
        with contextlib.suppress(OSError), atomic_write(kept) as stream:  # without a cache it costs time only
            stream.write(found)
    return found


def weights_digest(source: ModelSource) -> str:
    """Digest of what decides a model: weights, configurations, tokenizer, chat template and processor of images.

    Of an adapter it is that of its base too, of a name of the hub the commit that the name means now; "" where nobody
    can say.
    """
    parts = []
    for place in (source.adapter, source.base):
        path = Path(place) if place is not None else None
        if isinstance(place, str) and is_hub_name(place):
            parts += [f"hub:{commit}"] if (commit := snapshot(place)) else []
        elif path is not None and path.is_file():
            parts.append(content_hash(path))
        elif path is not None and path.is_dir():
            files = {file for pattern in _DECIDING for file in path.glob(pattern) if file.is_file()}
            parts += [f"{file.name}:{content_hash(file)}" for file in sorted(files) if file.name != INITIAL]
            parts += _of_adapter(path / _ADAPTER_CONFIG)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest() if parts else ""


def _of_adapter(config: Path) -> list[str]:
    """What of an adapter's config decides what it says: rank, scale, targets, factor of positions."""
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):  # none; a damaged one is refused by what loads it
        return []
    if not isinstance(values, dict):
        return []
    deciding = {key: value for key, value in values.items() if key not in _NO_DECISIONS}
    return [f"{config.name}:{digest(deciding)}"]


def named_digest(model: str, base: str | None = None) -> str:
    """`weights_digest` of a model by name or path; nothing is converted. "" also for what is no model."""
    try:
        return weights_digest(describe_model(model, base))
    except InputError:
        return ""


def is_same_model(a: ModelSource, b: ModelSource) -> bool:
    """Whether two names mean one model: the same files, or files of the same content."""
    if a == b:
        return True
    weights = weights_digest(a)
    return bool(weights) and weights == weights_digest(b)
