"""Pickled weights (`pytorch_model*.bin`) as safetensors, made once; nothing else in abroad reads a pickle.

Each file is read in a process of its own by `torch.load(weights_only=True)`, which builds tensors and runs no code of
the file. That process writes one file and ends, whatever it was given; its memory is given back.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.io import write_json
from abroad.models.backend import import_transformers

PICKLED = "pytorch_model*.bin"
_INDEX = "model.safetensors.index.json"
_KEPT = ("*.json", "*.model", "*.txt", "*.jinja", "*.md")
"""What goes along: configuration, tokenizer, card; never code, and no index of the old files."""


def convert(name: str, out: Path, context: Context | None = None) -> int:
    """Write a model with pickled weights as a directory of safetensors.

    Args:
        name: directory, or name of the hub, whose files are fetched first.
    Returns:
        How many tensors it has.
    Raises:
        InputError: no such model, or one without such files.
        AbroadError: a file cannot be read as weights.
    """
    import_transformers()  # torch is needed by the processes that read
    folder = Path(name) if Path(name).is_dir() else _fetched(name)
    files = sorted(folder.glob(PICKLED))
    if not files:
        there = "it has safetensors already" if any(folder.glob("*.safetensors")) else "nothing to convert"
        raise InputError(f"{name}: no {PICKLED} in the model directory; {there}")
    if not (folder / "config.json").is_file():
        raise InputError(f"{name}: no config.json beside the weights; expected a directory of transformers")
    partial = out.with_name(f"{out.name}.{os.getpid()}.part")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        tensors = _convert_files(files, partial, context or Context())
        for pattern in _KEPT:
            for file in folder.glob(pattern):
                if not file.name.endswith(".index.json"):
                    shutil.copyfile(file, partial / file.name)
        if out.is_dir():
            shutil.rmtree(out)
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return tensors


def _convert_files(files: list[Path], target: Path, context: Context) -> int:
    """Convert each file; several get the index that transformers reads them by."""
    places: dict[str, str] = {}
    size = 0
    for number, file in enumerate(files, 1):
        name = "model.safetensors" if len(files) == 1 else f"model-{number:05}-of-{len(files):05}.safetensors"
        context.say(f"{file.name} -> {name}")
        written = _in_a_process_of_its_own(file, target / name)
        if again := sorted(places.keys() & written.keys()):
            raise AbroadError(f"{file}: holds {again[0]!r} a second time; expected the files of one model")
        places |= dict.fromkeys(written, name)
        size += sum(written.values())
    if len(files) > 1:
        write_json(target / _INDEX, {"metadata": {"total_size": size}, "weight_map": places})
    return len(places)


def _in_a_process_of_its_own(source: Path, target: Path) -> dict[str, int]:
    """Convert one file; the names of its tensors and their bytes."""
    command = [sys.executable, "-m", "abroad.models.read_pickle", str(source.resolve()), str(target.resolve())]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"the process ended with {ended.returncode}"]
        raise AbroadError(f"{source}: cannot be read as weights: {lines[-1][:300]}")
    found: dict[str, int] = json.loads(ended.stdout)
    return found


def _fetched(name: str) -> Path:
    """The directory of a model of the hub, with its weights."""
    if name.count("/") != 1 or name.startswith((".", "/", "~")):
        raise InputError(f"{name}: no such model; expected a directory or a hub name (owner/model)")
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        return Path(snapshot_download(name, allow_patterns=[PICKLED, *_KEPT]))
    except (HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{name}: cannot be fetched from the hub: {reason}") from None
