"""Pickled weights become safetensors once, in a process of their own, and no code in them is run."""

import json
import pickle
import sys

import pytest

from abroad.core.errors import AbroadError, InputError
from abroad.models.convert import convert
from abroad.models.load import load_model
from abroad.models.resolve import resolve_model


def as_pickles(source, folder, shards=1, legacy=False):
    """A model directory as vicuna-13b-v1.5 has it: `pytorch_model*.bin`, an index, no safetensors."""
    import shutil

    import torch
    from safetensors.torch import load_file

    folder.mkdir()
    for file in source.iterdir():
        if file.suffix != ".safetensors":
            shutil.copyfile(file, folder / file.name)
    tensors = load_file(source / "model.safetensors")
    names = sorted(tensors)
    for number in range(shards):
        part = {name: tensors[name].half() for name in names[number::shards]}
        name = "pytorch_model.bin" if shards == 1 else f"pytorch_model-{number + 1:05}-of-{shards:05}.bin"
        torch.save(part, folder / name, _use_new_zipfile_serialization=not legacy)
    (folder / "pytorch_model.bin.index.json").write_text("{}")
    (folder / "modeling_own.py").write_text("raise SystemExit")
    return folder


@pytest.mark.parametrize(("shards", "legacy"), [(1, False), (3, False), (1, True)], ids=["one", "three", "old form"])
def test_what_was_converted_loads_with_the_same_weights(tiny_model, tmp_path, shards, legacy):
    import torch

    pickled = as_pickles(tiny_model, tmp_path / "pickled", shards, legacy)
    with pytest.raises(InputError, match="abroad models convert"):
        resolve_model(str(pickled))
    convert(str(pickled), tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.bin*")) and not list((tmp_path / "out").glob("*.py"))
    assert len(list((tmp_path / "out").glob("*.safetensors"))) == shards
    loaded, before = (load_model(resolve_model(str(path))) for path in (tmp_path / "out", tiny_model))
    ids = torch.tensor([[5, 6, 7]])
    with torch.no_grad():
        assert torch.allclose(loaded(ids).logits, before(ids).logits, atol=0.05)  # they were halved on the way


class Hostile:
    def __reduce__(self):
        return print, ("run",)


@pytest.mark.parametrize("content", [Hostile(), {"a": Hostile()}, ["no", "tensors"], {"a": "text"}, {}])
def test_a_file_that_is_no_file_of_weights_is_refused_and_nothing_is_left(tiny_model, tmp_path, content):
    pickled = as_pickles(tiny_model, tmp_path / "pickled")
    (pickled / "pytorch_model.bin").write_bytes(pickle.dumps(content))
    with pytest.raises(AbroadError, match="cannot be read as weights"):
        convert(str(pickled), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pickled"]


def test_the_reader_runs_in_another_process(tiny_model, tmp_path, monkeypatch):
    import torch

    pickled = as_pickles(tiny_model, tmp_path / "pickled")
    monkeypatch.setattr(torch, "load", None)  # of this process
    assert convert(str(pickled), tmp_path / "out") > 10
    assert "abroad.models.read_pickle" not in sys.modules


def test_the_command_writes_a_model_once_and_says_what_it_lacks(cli, tiny_model, tmp_path):
    pickled = as_pickles(tiny_model, tmp_path / "pickled")
    result = cli("models", "convert", pickled, "--out", tmp_path / "out")
    assert result.exit_code == 0 and "tensors as safetensors" in result.stderr
    assert json.loads((tmp_path / "out" / "config.json").read_text())["model_type"] == "llama"
    refused = cli("models", "convert", tiny_model, "--out", tmp_path / "other")
    assert refused.exit_code == 2 and "safetensors already" in refused.stderr
    assert cli("models", "convert", "nobody/nothing", "--out", tmp_path / "other").exit_code == 2
