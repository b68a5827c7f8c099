"""Tiny randomly initialised models that read images, of the real architectures, each with its own kind of processor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from abroad.models.vision import without_videos

SIDE, PATCH = 28, 14  # of an image, and of what the towers cut it into: few tokens an image
_TEXT = {
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "initializer_range": 0.3,  # with the usual 0.02 so narrow a model says the same of every token
}
WIDTH = 128  # of the language models: four heads of 32, the least that vLLM computes on a CPU
_NEW_LINES = ["\n" * n for n in range(1, 5)]  # tokens of Gemma, which vLLM looks for beside its images
_TURN = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ 'IMAGE' }}{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def _tokenizer(smollm2: Path, named: dict[str, str], image: str) -> Any:
    """SmolLM2's, with the special tokens of a family, and a chat template that has its images."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(smollm2, extra_special_tokens=named)
    tokenizer.add_tokens(_NEW_LINES)
    tokenizer.chat_template = _TURN.replace("IMAGE", image)
    return tokenizer


def _ids(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


def llava(smollm2: Path, hidden: int = WIDTH) -> tuple[Any, Any]:
    """(model, processor): LLaVA with CLIP's tower and a LLaMA."""
    from transformers import (
        CLIPImageProcessorPil,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    tokenizer = _tokenizer(smollm2, {"image_token": "<image>"}, "<image>\n")
    tower = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=SIDE,
        patch_size=PATCH,
    )
    config = LlavaConfig(
        text_config=LlamaConfig(**_TEXT, hidden_size=hidden, **_ids(tokenizer)),
        vision_config=tower,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    images = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    processor = LlavaProcessor(
        images,
        tokenizer,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=tokenizer.chat_template,
    )
    return LlavaForConditionalGeneration(config), processor


def _qwen(smollm2: Path, hidden: int, second: bool) -> tuple[Any, Any]:
    import transformers as t

    named = {
        "image_token": "<|image_pad|>",
        "video_token": "<|video_pad|>",
        "vision_start_token": "<|vision_start|>",
        "vision_end_token": "<|vision_end|>",
    }
    tokenizer = _tokenizer(smollm2, named, "<|vision_start|><|image_pad|><|vision_end|>")
    sections = [hidden // 16, hidden // 32, hidden // 32]  # of half a head: time, height, width
    rotary = {"rope_type": "default", "mrope_section": sections, "rope_theta": 1e4}
    text = _TEXT | _ids(tokenizer) | {"hidden_size": hidden, "rope_parameters": rotary}
    if second:
        tower = {
            "depth": 2,
            "hidden_size": 32,
            "out_hidden_size": hidden,
            "intermediate_size": 64,
            "num_heads": 4,
            "patch_size": PATCH,
            "fullatt_block_indexes": [1],
            "window_size": 56,
        }
    else:
        tower = {"depth": 2, "embed_dim": 32, "hidden_size": hidden, "num_heads": 4, "patch_size": PATCH}
    ids = {f"{name}_id": tokenizer.convert_tokens_to_ids(token) for name, token in named.items()}
    name = "Qwen2_5_VL" if second else "Qwen2VL"
    config = getattr(t, f"{name}Config")(text_config=text, vision_config=tower, **ids)
    images = t.Qwen2VLImageProcessorPil(patch_size=PATCH, size={"shortest_edge": SIDE**2, "longest_edge": 4 * SIDE**2})
    kind = getattr(t, f"{name}Processor")
    parts = {"chat_template": tokenizer.chat_template}
    if without_videos(kind) is kind:
        parts["video_processor"] = t.Qwen2VLVideoProcessor(patch_size=PATCH)
    processor = without_videos(kind)(images, tokenizer, **parts)
    return getattr(t, f"{name}ForConditionalGeneration")(config), processor


def qwen2(smollm2: Path, hidden: int = WIDTH) -> tuple[Any, Any]:
    return _qwen(smollm2, hidden, False)


def qwen2_5(smollm2: Path, hidden: int = WIDTH) -> tuple[Any, Any]:
    return _qwen(smollm2, hidden, True)


def gemma3(smollm2: Path, hidden: int = WIDTH) -> tuple[Any, Any]:
    import torch
    import transformers as t

    named = {"boi_token": "<start_of_image>", "eoi_token": "<end_of_image>", "image_token": "<image_soft_token>"}
    tokenizer = _tokenizer(smollm2, named, "<start_of_image>")
    ids = {key: tokenizer.convert_tokens_to_ids(token) for key, token in named.items()}
    tower = t.SiglipVisionConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=SIDE,
        patch_size=PATCH,
        vision_use_head=False,
    )
    config = t.Gemma3Config(
        # with an output layer of its own: a narrow model that shares it repeats what it reads
        text_config=t.Gemma3TextConfig(
            **_TEXT,
            hidden_size=hidden,
            **_ids(tokenizer),
            head_dim=hidden // 4,
            sliding_window=64,
            tie_word_embeddings=False,
        ),
        tie_word_embeddings=False,
        vision_config=tower,
        mm_tokens_per_image=4,
        boi_token_index=ids["boi_token"],
        eoi_token_index=ids["eoi_token"],
        image_token_index=ids["image_token"],
    )
    images = t.Gemma3ImageProcessorPil(size={"height": SIDE, "width": SIDE}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    model = t.Gemma3ForConditionalGeneration(config)
    for name, weight in model.named_parameters():
        if "mm_input_projection" in name:  # which begins as zeros: every image would be alike
            torch.nn.init.normal_(weight)
    return model, t.Gemma3Processor(images, tokenizer, image_seq_length=4, chat_template=tokenizer.chat_template)


FAMILIES: dict[str, Callable[..., tuple[Any, Any]]] = {
    "llava": llava,
    "qwen2-vl": qwen2,
    "qwen2.5-vl": qwen2_5,
    "gemma3": gemma3,
}
"""Name of a family -> what makes a model of it, and its processor, from SmolLM2 and the width of the model."""


def save_visual_model(smollm2: Path, folder: Path, family: str, hidden: int = WIDTH) -> Path:
    """A tiny model of a family in a folder, as a real one lies there."""
    import torch

    torch.manual_seed(0)
    model, processor = FAMILIES[family](smollm2, hidden)
    model.save_pretrained(folder)
    _name_as_published(folder / "model.safetensors")
    processor.save_pretrained(folder)
    return folder


def _name_as_published(weights: Path) -> None:
    """Give towers' weights the names that published checkpoints have; a model made from its config is saved without."""
    from safetensors.torch import load_file, save_file

    named = load_file(weights)
    tower = "vision_tower."
    if any(name.startswith(tower) for name in named):
        named = {name.replace(tower, f"{tower}vision_model."): weight for name, weight in named.items()}
        save_file(named, weights, metadata={"format": "pt"})
