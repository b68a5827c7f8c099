"""Models that read images: whether a model is one, told by its files, and the processor that makes numbers of images.

Image processors come in two kinds, one of torchvision and one of Pillow and NumPy; transformers takes the second where
torchvision is not installed. Video processors have torchvision's alone, so without it a processor is made without.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from abroad.core.errors import InputError
from abroad.core.io import write_json
from abroad.models.backend import import_transformers, quiet_loading
from abroad.models.hub import is_hub_name, small_files
from abroad.models.load import model_errors, ready_tokenizer
from abroad.models.source import ModelSource

_CONFIG, _PROCESSOR = "config.json", ("processor_config.json", "preprocessor_config.json")
_FILE = "images.json"


def reads_images(source: ModelSource) -> bool:
    """Whether the base model reads images: it has a tower, and beside it its processor.

    False too where its files cannot be had, which loading it will say. No weights are read, and transformers is not
    imported.
    """
    names = (_CONFIG, *_PROCESSOR)
    if is_hub_name(source.base):
        files = small_files(source.base, names)
    else:
        files = [path for name in names if (path := Path(source.base) / name).is_file()]
    config = next((file for file in files if file.name == _CONFIG), None)
    return config is not None and len(files) > 1 and _has_tower(config)


def _has_tower(config: Path) -> bool:
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(values, dict) and isinstance(values.get("vision_config"), dict)


def write_resolution(adapter: Path, resolution: int) -> None:
    """Note beside an adapter how large the images were that it was trained with."""
    write_json(adapter / _FILE, {"resolution": resolution})


def read_resolution(adapter: Path | None) -> int:
    """Longest side in pixels of the images that an adapter was trained with; 0 of one that saw none.

    Raises:
        InputError: the note is damaged.
    """
    path = adapter / _FILE if adapter is not None else None
    if path is None or not path.is_file():
        return 0
    try:
        return int(json.loads(path.read_text("utf-8"))["resolution"])
    except (ValueError, KeyError, TypeError):
        raise InputError(f"{path}: expected JSON with a number resolution") from None


def load_processor(source: ModelSource) -> Any:
    """The processor of a model that reads images, its tokenizer as `load_tokenizer` gives it.

    Raises:
        InputError: not such a model, or one whose processor is not beside it.
    """
    transformers, _ = import_transformers()
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING_NAMES

    with model_errors(source, "as a model that reads images"), quiet_loading():
        config = transformers.AutoConfig.from_pretrained(source.base, trust_remote_code=False)
        name = PROCESSOR_MAPPING_NAMES.get(config.model_type)
        if name is None:
            raise ValueError(f"transformers has no processor for {config.model_type}")
        kind = without_videos(getattr(transformers, name))
        processor = kind.from_pretrained(source.base, trust_remote_code=False)
    ready_tokenizer(processor.tokenizer)
    return processor


def without_videos(kind: type[Any]) -> type[Any]:
    """The class of a processor, but for its part for videos where torchvision is not installed."""
    if importlib.util.find_spec("torchvision") is not None or not any("video" in n for n in kind.get_attributes()):
        return kind

    def get_attributes(cls: type[Any]) -> list[str]:
        return [name for name in kind.get_attributes() if "video" not in name]

    return type(kind.__name__, (kind,), {"get_attributes": classmethod(get_attributes)})


def placeholder(processor: Any) -> str:
    """What stands for an image in a prompt: what the chat template puts before a text, else the image's token."""
    if not getattr(processor, "chat_template", None):
        return str(processor.image_token)
    mark = "\0"

    def head(parts: list[dict[str, str]]) -> str:
        turn = [{"role": "user", "content": [*parts, {"type": "text", "text": mark}]}]
        return str(processor.apply_chat_template(turn, tokenize=False)).partition(mark)[0]

    return head([{"type": "image"}]).removeprefix(head([]))
