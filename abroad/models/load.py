"""Load language models, also those that read images: safetensors only, and never a model's own code."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError, MissingDependencyError
from abroad.models.backend import import_transformers, quiet_loading
from abroad.models.rope import interpolate, read_factor
from abroad.models.source import ModelSource

_TOWERS = ["lm_head", "vision_tower", "visual", "multi_modal_projector"]
"""Parts of models that read images which stay as they are in 4 or 8 bits: small, and much is lost in them."""


def load_tokenizer(source: ModelSource) -> Any:
    """The tokenizer, with a padding token and left padding (generation continues at the right end)."""
    transformers, _ = import_transformers()
    with model_errors(source), quiet_loading():
        tokenizer = transformers.AutoTokenizer.from_pretrained(source.base, trust_remote_code=False)
    return ready_tokenizer(tokenizer)


def ready_tokenizer(tokenizer: Any) -> Any:
    """A tokenizer as `load_tokenizer` gives it."""
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

    float32 on a CPU, bfloat16 on CUDA; `quantization="nf4"` loads 4-bit NormalFloat weights with double quantisation
    (QLoRA, arXiv 2305.14314), "int8" those of LLM.int8 (arXiv 2208.07339); on a CPU too, where they save memory and
    cost time.

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
    options: dict[str, Any] = {"dtype": computed_in()}
    factor = read_factor(source.adapter) if rope_factor is None else rope_factor
    config = model_config(source, factor)
    unquantised = _TOWERS if getattr(config, "vision_config", None) else None
    if quantization == "nf4":
        _require_bitsandbytes()
        options["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=options["dtype"],
            # as bytes: whatever treats them as numbers, in shards or copies, would be noticed and not round them
            bnb_4bit_quant_storage=torch.uint8,
            llm_int8_skip_modules=unquantised,
        )
        options["device_map"] = {"": "cpu"}
    elif quantization == "int8":
        _require_bitsandbytes()
        options["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_8bit=True, llm_int8_skip_modules=unquantised
        )
        options["device_map"] = {"": "cpu"}
    if cuda and not on_cpu:
        options["device_map"] = {"": torch.cuda.current_device()}
    if factor != 1:
        options["config"] = config
    with model_errors(source), quiet_loading():
        model = _auto_class(config).from_pretrained(
            source.base, trust_remote_code=False, use_safetensors=True, **options
        )
    if quantization == "nf4" and not cuda:
        for module in model.modules():
            if hasattr(module, "support_avx512bf16_for_cpu"):
                # bitsandbytes would repack the weights in place at the first inference; shards of them break.
                module.support_avx512bf16_for_cpu = False
    if source.adapter is not None:
        import peft

        with model_errors(source):
            model = peft.PeftModel.from_pretrained(model, str(source.adapter), use_safetensors=True)
        if merge and quantization == "none":
            _untie(model.get_base_model())
            model = model.merge_and_unload()
    return model.eval()


def _auto_class(config: Any) -> Any:
    """What loads a model of this config: with its tower for images, if it has one."""
    transformers, _ = import_transformers()
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES

    if getattr(config, "vision_config", None) and config.model_type in MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES:
        return transformers.AutoModelForImageTextToText
    return transformers.AutoModelForCausalLM


def _untie(model: Any) -> None:
    """Give the output layer weights of its own where it has an adapter and shares those of the embeddings (BioGPT).

    Merged into shared weights, the adapter would change the embeddings too.
    """
    import torch

    output, embeddings = model.get_output_embeddings(), model.get_input_embeddings()
    frozen = getattr(output, "base_layer", None)
    if frozen is not None and frozen.weight is embeddings.weight:
        frozen.weight = torch.nn.Parameter(frozen.weight.detach().clone(), requires_grad=False)
        model.config.tie_word_embeddings = False


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
    with model_errors(source):
        config = transformers.AutoConfig.from_pretrained(source.base, trust_remote_code=False)
    interpolate(config, rope_factor, source.base)
    return config


def empty_model(source: ModelSource, rope_factor: float = 1.0) -> Any:
    """The base model without its weights (on torch's meta device): its layers and shapes, in next to no memory."""
    _, torch = import_transformers()
    config = model_config(source, rope_factor)
    with torch.device("meta"), quiet_loading():
        return _auto_class(config).from_config(config, trust_remote_code=False, dtype=computed_in())


def computed_in() -> Any:
    """The type of numbers that models are computed in: bfloat16 on CUDA, float32 on a CPU."""
    _, torch = import_transformers()
    return torch.bfloat16 if torch.cuda.is_available() else torch.float32


@contextlib.contextmanager
def model_errors(source: ModelSource, purpose: str = "as a causal language model") -> Any:
    """Turn what transformers raises for a wrong model into one line."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        name = f"{source.base} + {source.adapter}" if source.adapter else source.base
        if "safetensors" in reason and not Path(source.base).exists():
            reason += f" (abroad models convert {source.base} --out DIR writes pickled weights as safetensors)"
        raise InputError(f"{name}: cannot be loaded {purpose}: {reason[:400]}") from error
