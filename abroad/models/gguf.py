"""GGUF files as directories of safetensors that transformers loads; made once and kept in the cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from abroad.core.cache import cache_directory
from abroad.core.errors import InputError
from abroad.models.backend import import_transformers, quiet_loading
from abroad.models.identity import content_hash

_CONVERSION = 2
"""Raised when GGUF files are converted in another way."""
MAX_WEIGHTS = 2_000_000_000
"""A GGUF file of more is not unpacked: no engine here runs its few bits as they are (vLLM 0.32 has dropped GGUF)."""


def converted(gguf: Path) -> Path:
    """The directory of the safetensors conversion of a GGUF file, made once and kept in the cache.

    Raises:
        InputError: its weights are too many to be unpacked into float32.
    """
    target = cache_directory() / "models" / f"{gguf.stem}-{content_hash(gguf)[:16]}-{_CONVERSION}"
    if (target / "config.json").is_file():
        return target
    _check_size(gguf)
    transformers, torch = import_transformers()
    with quiet_loading():
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
        if _begins_with_bos(gguf):
            add_bos(tokenizer)
        loaded = transformers.AutoModelForCausalLM.from_pretrained(
            str(gguf.parent), gguf_file=gguf.name, dtype=torch.float32
        )
        config = loaded.config
        # The weights are dequantised by now; with the GGUF entry left in, transformers refuses to save them.
        if hasattr(config, "quantization_config"):
            del config.quantization_config
        plain = transformers.AutoModelForCausalLM.from_config(config)
        plain.load_state_dict(loaded.state_dict())
        partial = target.with_name(f"{target.name}.{os.getpid()}.part")
        plain.save_pretrained(partial)
        tokenizer.save_pretrained(partial)
    try:
        partial.rename(target)
    except OSError:  # another process was first
        shutil.rmtree(partial, ignore_errors=True)
    return target


def _check_size(gguf: Path) -> None:
    from gguf import GGUFReader

    try:
        weights = sum(int(tensor.n_elements) for tensor in GGUFReader(gguf).tensors)
    except (ValueError, IndexError, KeyError) as error:
        raise InputError(f"{gguf}: not a GGUF file, or a damaged one ({error})") from None
    if weights > MAX_WEIGHTS:
        raise InputError(
            f"{gguf}: {weights / 1e9:.1f} billion weights, which would be unpacked into {4 * weights / 1e9:.0f} GB; "
            f"expected a GGUF file of at most {MAX_WEIGHTS / 1e9:g} billion, or the model's safetensors "
            "(quantization nf4 holds them in 4 bits); a server of GGUF files is reached by --engine openai"
        )


def _begins_with_bos(gguf: Path) -> bool:
    """Whether the file says that every text begins with the begin token; transformers does not read that."""
    from gguf import GGUFReader

    field = GGUFReader(gguf).get_field("tokenizer.ggml.add_bos_token")
    return bool(field.contents()) if field is not None else False


def add_bos(tokenizer: Any) -> None:
    """Make a fast tokenizer put the begin token before every text; Gemma writes nonsense without it."""
    from tokenizers.processors import TemplateProcessing

    bos = tokenizer.bos_token
    if tokenizer("a")["input_ids"][0] != tokenizer.bos_token_id:
        tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
            single=f"{bos} $A", pair=f"{bos} $A {bos} $B", special_tokens=[(bos, tokenizer.bos_token_id)]
        )
